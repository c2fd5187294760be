// The caching allocator of one device.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace basin::cuda {

/// Memory of one device for the work of one stream: a block that is given back is handed out again at once,
/// for the stream does things in order. Blocks are kept for sizes like theirs; only when the device has no
/// more are those that nobody uses given back to it.
///
/// Not `cached`, a block is asked of the device when it is taken and goes back when it is given back, for
/// tools that watch over the ends of allocations; arenas are the same.
///
/// An arena is a set of blocks of its own: a recorded step is made again at the same addresses, so that
/// whatever it used must not be handed to others as long as the record lives.
class Pool {
 public:
  class Arena;

  explicit Pool(int device, bool cached = true) : device_(device), cached_(cached) {}
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// `bytes` at a multiple of 256; the device is the current one. Errors: MemoryError that says how much was
  /// asked for, how much is in use and how much the device has.
  std::byte* take(std::size_t bytes);
  void give_back(std::byte* block);

  /// Bytes handed out now, the most since forget_peak(), and what the pool holds of the device.
  struct Figures {
    std::size_t in_use = 0, peak = 0, held = 0;
  };
  Figures figures() const;
  /// Gives the common free blocks back to the device; the peak begins anew, from what is in use.
  void forget_peak();

  /// An arena from which take() serves while it is entered.
  Arena* make_arena();
  /// Its free blocks join the common ones; those in use do so when they are given back.
  void drop_arena(Arena* arena);
  /// Serves from `arena` (null: the common blocks) until the next call; returns the one before.
  Arena* enter(Arena* arena);

 private:
  struct Block {
    std::size_t bytes;
    Arena* arena;
  };
  std::byte* from_device(std::size_t bytes, std::size_t asked);
  void free_cached();

  int device_;
  bool cached_;
  mutable std::mutex mutex_;
  std::multimap<std::size_t, std::byte*> free_;
  std::unordered_map<std::byte*, Block> blocks_;
  std::vector<Arena*> arenas_;
  Arena* entered_ = nullptr;
  Figures figures_;
};

/// Serves from an arena of the pool (null: the common blocks) while it lives, then from the one before.
class InArena {
 public:
  InArena(Pool& pool, Pool::Arena* arena) : pool_(pool), before_(pool.enter(arena)) {}
  ~InArena() { pool_.enter(before_); }
  InArena(const InArena&) = delete;
  InArena& operator=(const InArena&) = delete;

 private:
  Pool& pool_;
  Pool::Arena* before_;
};

}  // namespace basin::cuda
