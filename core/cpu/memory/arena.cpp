#include "core/cpu/memory/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <iomanip>
#include <iterator>
#include <string>

#include "core/error.h"

namespace basin::cpu {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kLargestSmall = std::size_t{64} << 10;
constexpr std::size_t kSegment = std::size_t{64} << 20;
constexpr std::size_t kLargest = std::size_t{1} << 46;  // rounding up cannot overflow below
// Large blocks of one power-of-two size would all begin at the same offset in a page, and loads from one
// would seem to depend on stores to another; some lines between them spread the offsets.
constexpr std::size_t kSpread = 5 * kLine;

std::size_t round_up(std::size_t n, std::size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// Class of a small size: sizes 64, 128, ... 512, then eight steps to each doubling.
std::size_t class_of(std::size_t bytes) {
  const std::size_t lines = (std::max(bytes, kLine) + kLine - 1) / kLine;
  if (lines <= 8) return lines - 1;
  const std::size_t shift =
      static_cast<std::size_t>(std::bit_width(lines - 1)) - 4;  // (lines-1) >> shift is 8..15
  return 8 * shift + ((lines - 1) >> shift);
}

std::size_t class_size(std::size_t size_class) {
  if (size_class < 8) return (size_class + 1) * kLine;
  const std::size_t shift = size_class / 8 - 1;
  return ((size_class % 8 + 9) << shift) * kLine;
}

std::size_t large_size(std::size_t bytes) { return round_up(bytes, kLine) + kSpread; }

std::string in_units(std::size_t bytes) {
  const char* const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1024 && unit < 4) value /= 1024, ++unit;
  return text(std::fixed, std::setprecision(unit == 0 ? 0 : 1), value, ' ', units[unit]);
}

// AddressSanitizer sees the borders of heap blocks only; beyond a size its heap aborts, where the arena
// throws.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kHeap = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kHeap = true;
#else
constexpr bool kHeap = false;
#endif
#else
constexpr bool kHeap = false;
#endif
bool from_heap(std::size_t bytes) { return kHeap && bytes <= std::size_t{1} << 32; }

}  // namespace

struct Arena::Chunk {
  std::size_t live;  // blocks
  static Chunk* of(void* block) {
    return reinterpret_cast<Chunk*>(reinterpret_cast<std::uintptr_t>(block) / kHugePage * kHugePage);
  }
};

Arena::~Arena() { trim_unlocked(); }

std::byte* Arena::allocate(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes > kLargest)
    throw MemoryError("[memory] a tensor of ", in_units(bytes), " is larger than any memory");
  const bool small = bytes <= kLargestSmall;
  const std::size_t size_class = small ? class_of(bytes) : 0;
  const std::size_t size = small ? class_size(size_class) : large_size(bytes);
  std::byte* data = small ? take_small(size_class) : take_large(size);
  if (!data) {  // the cache may stand in the way of a larger block
    trim_unlocked();
    data = small ? take_small(size_class) : take_large(size);
  }
  if (!data)
    throw MemoryError("[memory] the system has no ", in_units(bytes),
                      " for a tensor; in use: ", in_units(statistics_.in_use),
                      ", cached: ", in_units(statistics_.cached()), ". A smaller batch or model needs less");
  statistics_.in_use += size;
  statistics_.peak_in_use = std::max(statistics_.peak_in_use, statistics_.in_use);
  ++statistics_.blocks;
  return data;
}

void Arena::release(std::byte* data, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes <= kLargestSmall) {
    const std::size_t size_class = class_of(bytes);
    free_small_[size_class] = new (data) FreeSmall{free_small_[size_class]};
    --Chunk::of(data)->live;
    statistics_.in_use -= class_size(size_class);
  } else {
    release_large(data);
    statistics_.in_use -= large_size(bytes);
  }
  --statistics_.blocks;
}

void Arena::trim() {
  const std::lock_guard lock(mutex_);
  trim_unlocked();
}

void Arena::forget_peak() {
  std::lock_guard lock(mutex_);
  statistics_.peak_in_use = statistics_.in_use;
}

ArenaStatistics Arena::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

std::byte* Arena::take_small(std::size_t size_class) {
  if (free_small_.empty()) free_small_.resize(class_of(kLargestSmall) + 1, nullptr);
  FreeSmall*& list = free_small_[size_class];
  std::byte* block = reinterpret_cast<std::byte*>(list);
  if (list) {
    list = list->next;
  } else {
    const std::size_t size = class_size(size_class);
    if (chunks_.empty() || chunk_used_ + size > kHugePage) add_chunk();
    if (chunks_.empty() || chunk_used_ + size > kHugePage) return nullptr;
    block = reinterpret_cast<std::byte*>(chunks_.back()) + chunk_used_;
    chunk_used_ += size;
  }
  ++Chunk::of(block)->live;
  return block;
}

void Arena::add_chunk() {
  std::byte* data = map(kHugePage);
  if (!data) return;
  chunks_.push_back(new (data) Chunk{0});
  chunk_used_ = round_up(sizeof(Chunk), kLine);
}

std::byte* Arena::take_large(std::size_t size) {
  auto best = free_large_.lower_bound({size, nullptr});
  if (best == free_large_.end()) {
    add_segment(size);
    best = free_large_.lower_bound({size, nullptr});
    if (best == free_large_.end()) return nullptr;
  }
  std::byte* data = best->second;
  free_large_.erase(best);
  Block& block = blocks_.at(data);
  block.free = false;
  if (block.size - size > size / 16) {  // the rest is worth keeping
    blocks_.emplace(data + size, Block{block.size - size, true, block.segment});
    free_large_.emplace(block.size - size, data + size);
    block.size = size;
  }
  return data;
}

void Arena::release_large(std::byte* data) {
  auto block = blocks_.find(data);
  const auto joins = [&](Blocks::iterator other) {
    return other != blocks_.end() && other->second.free && other->second.segment == block->second.segment;
  };
  if (const auto next = std::next(block); joins(next)) {
    free_large_.erase({next->second.size, next->first});
    block->second.size += next->second.size;
    blocks_.erase(next);
  }
  if (block != blocks_.begin()) {
    if (const auto previous = std::prev(block); joins(previous)) {
      free_large_.erase({previous->second.size, previous->first});
      previous->second.size += block->second.size;
      blocks_.erase(block);
      block = previous;
    }
  }
  block->second.free = true;
  free_large_.emplace(block->second.size, block->first);
}

void Arena::add_segment(std::size_t at_least) {
  // Segments grow with the total, so that their number stays small.
  const std::size_t needed = round_up(at_least, kHugePage);
  std::size_t size = std::max({needed, kSegment, round_up(statistics_.mapped / 4, kHugePage)});
  std::byte* data = map(size);
  if (!data) data = map(size = needed);
  if (!data) return;
  blocks_.emplace(data, Block{size, true, data});
  free_large_.emplace(size, data);
}

std::byte* Arena::map(std::size_t size) {
  const std::size_t span = size + kHugePage;
  void* const raw = mmap(nullptr, span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  // Cut off what lies before and behind the aligned part.
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(raw), aligned = round_up(begin, kHugePage);
  std::byte* const data = static_cast<std::byte*>(raw) + (aligned - begin);
  if (aligned > begin) munmap(raw, aligned - begin);
  if (begin + span > aligned + size) munmap(data + size, begin + span - (aligned + size));
  madvise(data, size, MADV_HUGEPAGE);  // a wish: without it the pages are small
  statistics_.mapped += size;
  return data;
}

void Arena::unmap(std::byte* data, std::size_t size) {
  munmap(data, size);
  statistics_.mapped -= size;
}

void Arena::trim_unlocked() {
  for (auto block = blocks_.begin(); block != blocks_.end();) {
    const auto next = std::next(block);
    const bool whole = block->second.free && block->first == block->second.segment &&
                       (next == blocks_.end() || next->second.segment != block->second.segment);
    if (whole) {
      free_large_.erase({block->second.size, block->first});
      unmap(block->first, block->second.size);
      blocks_.erase(block);
    }
    block = next;
  }
  for (FreeSmall*& list : free_small_) {  // forget the blocks of chunks that will go
    FreeSmall** link = &list;
    while (*link) {
      if (Chunk::of(*link)->live == 0)
        *link = (*link)->next;
      else
        link = &(*link)->next;
    }
  }
  if (chunks_.empty()) return;
  if (chunks_.back()->live == 0) chunk_used_ = kHugePage;  // the next small block opens a new chunk
  std::erase_if(chunks_, [this](Chunk* chunk) {
    if (chunk->live > 0) return false;
    unmap(reinterpret_cast<std::byte*>(chunk), kHugePage);
    return true;
  });
}

Arena& arena() {
  static Arena& instance = *new Arena;  // never destroyed: tensors of static duration may outlive main()
  return instance;
}

std::byte* take_memory(std::size_t bytes) {
  if (from_heap(bytes)) return static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kLine}));
  return arena().allocate(bytes);
}

void give_memory(std::byte* data, std::size_t bytes) {
  if (from_heap(bytes))
    ::operator delete (data, std::align_val_t{kLine});
  else
    arena().release(data, bytes);
}

}  // namespace basin::cpu
