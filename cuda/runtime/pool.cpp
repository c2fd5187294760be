#include "cuda/runtime/pool.h"

#include <algorithm>

#include "cuda/runtime/check.h"

namespace basin::cuda {

class Pool::Arena {
 public:
  std::multimap<std::size_t, std::byte*> free;
};

namespace {

constexpr std::size_t kStep = 512;

/// Sizes fall into classes an eighth of a power of two apart, so that a little less or more finds the same
/// block: 1000 becomes 1024, 1030 becomes 1536, 1'100'000 becomes 1'179'648.
std::size_t size_class(std::size_t bytes) {
  std::size_t step = kStep;
  while (step * 16 <= bytes) step *= 2;
  return std::max((bytes + step - 1) / step * step, kStep);
}

/// The smallest free block that holds `bytes` and wastes at most an eighth of itself.
std::byte* fitting(std::multimap<std::size_t, std::byte*>& free, std::size_t bytes) {
  const auto it = free.lower_bound(bytes);
  if (it == free.end() || it->first > bytes + bytes / 8) return nullptr;
  std::byte* block = it->second;
  free.erase(it);
  return block;
}

/// Lets this thread ask for memory while it captures a stream, which is no part of what it captures.
class Relaxed {
 public:
  Relaxed() { exchange(); }
  ~Relaxed() { exchange(); }
  Relaxed(const Relaxed&) = delete;
  Relaxed& operator=(const Relaxed&) = delete;

 private:
  void exchange() { static_cast<void>(cudaThreadExchangeStreamCaptureMode(&mode_)); }
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

}  // namespace

Pool::~Pool() {
  for (Arena* a : arenas_) delete a;
  for (const auto& [block, about] : blocks_) static_cast<void>(cudaFree(block));
}

std::byte* Pool::take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const bool exact = !cached_ && entered_ == nullptr;
  if (exact) free_cached();  // what was given back while a record was written
  const std::size_t rounded = exact ? std::max<std::size_t>(bytes, 1) : size_class(bytes);
  auto& free = entered_ != nullptr ? entered_->free : free_;
  std::byte* block = fitting(free, rounded);
  if (block == nullptr) block = from_device(rounded, bytes);
  figures_.in_use += blocks_.at(block).bytes;
  figures_.peak = std::max(figures_.peak, figures_.in_use);
  return block;
}

std::byte* Pool::from_device(std::size_t bytes, std::size_t asked) {
  const Relaxed capture;
  void* block = nullptr;
  cudaError_t status = cudaMalloc(&block, bytes);
  if (status == cudaErrorMemoryAllocation && !free_.empty()) {
    static_cast<void>(cudaGetLastError());
    free_cached();
    status = cudaMalloc(&block, bytes);
  }
  if (status == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    std::size_t left = 0, all = 0;
    static_cast<void>(cudaMemGetInfo(&left, &all));
    throw MemoryError("[cuda] out of memory on cuda:", device_, ": ", asked, " bytes were asked for, ",
                      figures_.in_use, " are in use here, the device has ", left, " free of ", all,
                      "; a smaller --batch-size or --micro shared needs less");
  }
  check(status, "cudaMalloc");
  auto* start = static_cast<std::byte*>(block);
  blocks_[start] = {bytes, entered_};
  figures_.held += bytes;
  return start;
}

void Pool::free_cached() {
  for (const auto& [bytes, block] : free_) {
    check(cudaFree(block), "cudaFree");
    blocks_.erase(block);
    figures_.held -= bytes;
  }
  free_.clear();
}

void Pool::give_back(std::byte* block) {
  const std::lock_guard lock(mutex_);
  const Block& about = blocks_.at(block);
  figures_.in_use -= about.bytes;
  (about.arena != nullptr ? about.arena->free : free_).emplace(about.bytes, block);
  if (!cached_ && entered_ == nullptr) free_cached();
}

Pool::Figures Pool::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

void Pool::forget_peak() {
  const std::lock_guard lock(mutex_);
  free_cached();
  figures_.peak = figures_.in_use;
}

Pool::Arena* Pool::make_arena() {
  const std::lock_guard lock(mutex_);
  return arenas_.emplace_back(new Arena);
}

void Pool::drop_arena(Arena* arena) {
  const std::lock_guard lock(mutex_);
  free_.merge(arena->free);
  for (auto& [block, about] : blocks_)
    if (about.arena == arena) about.arena = nullptr;
  std::erase(arenas_, arena);
  if (entered_ == arena) entered_ = nullptr;
  delete arena;
}

Pool::Arena* Pool::enter(Arena* arena) {
  const std::lock_guard lock(mutex_);
  return std::exchange(entered_, arena);
}

}  // namespace basin::cuda
