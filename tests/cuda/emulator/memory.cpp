// Stacks of threads and shared memory of blocks.
#include <sys/mman.h>

#include <algorithm>

#include "tests/cuda/emulator/engine.h"
#include "tests/cuda/emulator/sanitizers.h"

namespace emu {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kSharedMemory = std::size_t{256} << 10;
constexpr std::size_t kStaticLimit = std::size_t{48} << 10;  // of every card
constexpr std::size_t kGap = 64;                             // between arrays: nobody's
constexpr std::size_t kMostTsanFibers = 2000;                // libtsan allows about 8000 threads

// For TSan, addresses that are mapped anew are new memory: what happened there before is nothing to what
// follows.
char* map(std::size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  return static_cast<char*>(p);
}

char* make_stack() {
  char* memory = map(kPage + Fibers::kStack);
  mprotect(memory, kPage, PROT_NONE);  // a stack that is too small faults
  return memory + kPage;
}

}  // namespace

void fill_with_nan(char* p, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) *static_cast<volatile char*>(p + i) = static_cast<char>(0xFF);
}

Fiber* Fibers::take(void (*main)()) {
  if (idle_.empty()) {
    all_.push_back(std::make_unique<Fiber>());
    all_.back()->stack = make_stack();
    idle_.push_back(all_.back().get());
  }
  Fiber* f = idle_.back();
  idle_.pop_back();
  unpoison(f->stack, kStack);
  f->asan_fake_stack = nullptr;
  make_context(f->context, f->stack, kStack, main);
  if (tsan()) f->tsan = __tsan_create_fiber(0);
  return f;
}

void Fibers::give_back(Fiber* fiber) {
  if (!tsan()) {
    idle_.push_back(fiber);
    return;
  }
  finished_.push_back(fiber);
  if (finished_.size() <= kMostTsanFibers) return;
  for (Fiber* f : finished_) {
    if (mmap(f->stack, kStack, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != f->stack)
      throw std::bad_alloc();
  }
  end_grid();
}

void Fibers::end_grid() {
  for (Fiber* f : finished_) {
    __tsan_destroy_fiber(f->tsan);
    idle_.push_back(f);
  }
  finished_.clear();
}

void SharedMemory::start_block(std::size_t dynamic) {
  arrays_.clear();
  static_bytes_ = 0;
  if (tsan() && memory_ != nullptr &&
      used_ > 0) {  // other addresses: what one block wrote is nothing to the next
    munmap(memory_, kSharedMemory);
    memory_ = nullptr;
  }
  if (memory_ == nullptr) memory_ = map(kSharedMemory);
  poison(memory_, kSharedMemory);
  dynamic_ = memory_ + kGap;
  if (dynamic != 0) {
    unpoison(dynamic_, dynamic);
    fill_with_nan(dynamic_, dynamic);
  }
  used_ = dynamic == 0 ? 0 : kGap + (dynamic + kGap + 15) / 16 * 16;
}

void* SharedMemory::array(const void* id, std::size_t bytes, std::size_t alignment) {
  for (const Array& a : arrays_)
    if (a.id == id) return a.start;
  alignment = std::max<std::size_t>(alignment, 16);
  used_ = std::max(used_, kGap);
  used_ = (used_ + alignment - 1) / alignment * alignment;
  static_bytes_ += bytes;
  if (static_bytes_ > kStaticLimit || used_ + bytes + kGap > kSharedMemory)
    fail_thread("more static shared memory than a block may have");
  char* start = memory_ + used_;
  unpoison(start, bytes);
  fill_with_nan(start, bytes);
  used_ += (bytes + 7) / 8 * 8 + kGap;
  arrays_.push_back({id, start});
  return start;
}

void* shared_array(const void* id, std::size_t bytes, std::size_t alignment) {
  return engine.shared.array(id, bytes, alignment);
}
void* dynamic_shared_array() { return engine.shared.dynamic_array(); }

}  // namespace emu
