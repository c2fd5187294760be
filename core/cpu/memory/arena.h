// The memory of CPU tensors: a caching allocator. Training asks for the same sizes at every step; after the
// first step no call reaches the system and no page faults happen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace basin::cpu {

/// Counts of an Arena, in bytes and blocks.
struct ArenaStatistics {
  std::size_t in_use = 0;       // asked for and not released (rounded up to what a block holds)
  std::size_t peak_in_use = 0;  // the largest in_use since the start or forget_peak()
  std::size_t mapped = 0;       // held from the system; mapped - in_use is the cache
  std::size_t blocks = 0;       // live blocks
  std::size_t cached() const { return mapped - in_use; }
};

/// Blocks of memory, 64-byte aligned, from regions that the system maps once and that are kept until trim().
/// Thread-safe.
///  - Small blocks (to 64 KiB) come from lists by size class, eight classes to each doubling: at most 1/8 is
///  waste.
///    They are cut from chunks of 2 MiB.
///  - Large blocks are cut from segments of 64 MiB or more by best fit; a released block joins its free
///  neighbours.
/// Regions are aligned to 2 MiB and marked for huge pages.
class Arena {
 public:
  Arena() = default;
  ~Arena();  // unmaps everything: no block may be in use
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// A block of at least `bytes` bytes; its contents are undefined. Errors: MemoryError, with the sizes.
  std::byte* allocate(std::size_t bytes);
  /// `data` from allocate(bytes), with the same `bytes`.
  void release(std::byte* data, std::size_t bytes);
  /// Returns to the system every region that holds no live block.
  void trim();
  /// Begins peak_in_use anew, from what is in use now.
  void forget_peak();
  ArenaStatistics statistics() const;

 private:
  struct Chunk;  // header of 2 MiB of small blocks
  struct FreeSmall {
    FreeSmall* next;
  };
  struct Block {
    std::size_t size;
    bool free;
    std::byte* segment;  // where its segment begins
  };
  using Blocks = std::map<std::byte*, Block>;  // by address

  std::byte* take_small(std::size_t size_class);
  std::byte* take_large(std::size_t size);
  void release_large(std::byte* data);
  void add_chunk();
  void add_segment(std::size_t at_least);
  /// Memory from the system, aligned to 2 MiB; null where there is none.
  std::byte* map(std::size_t size);
  void unmap(std::byte* data, std::size_t size);
  void trim_unlocked();

  mutable std::mutex mutex_;
  ArenaStatistics statistics_;
  std::vector<FreeSmall*> free_small_;
  std::vector<Chunk*> chunks_;
  std::size_t chunk_used_ = 0;  // of chunks_.back()
  Blocks blocks_;               // large ones, live and free
  std::set<std::pair<std::size_t, std::byte*>> free_large_;
};

/// The arena of CPU tensors.
Arena& arena();

/// Memory of a tensor or a Buffer: arena().allocate and release, but the heap's in a build with
/// AddressSanitizer.
std::byte* take_memory(std::size_t bytes);
void give_memory(std::byte* data, std::size_t bytes);

/// An array of numbers from the arena, uninitialized: the kernels' temporary results.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::int64_t count) : count_(count), data_(reinterpret_cast<T*>(take_memory(bytes()))) {}
  Buffer(Buffer&& other) noexcept : count_(other.count_), data_(std::exchange(other.data_, nullptr)) {}
  ~Buffer() {
    if (data_) give_memory(reinterpret_cast<std::byte*>(data_), bytes());
  }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(count_, other.count_);
    std::swap(data_, other.data_);
    return *this;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::int64_t size() const { return count_; }
  T& operator[](std::int64_t i) { return data_[i]; }
  const T& operator[](std::int64_t i) const { return data_[i]; }

 private:
  std::size_t bytes() const { return static_cast<std::size_t>(count_) * sizeof(T); }

  std::int64_t count_;
  T* data_;
};

}  // namespace basin::cpu
