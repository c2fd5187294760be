// Pinned memory of the host: what a card reads from it and writes to it while the host goes on.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/recording.h"
#include "cuda/runtime/stream.h"

namespace basin::cuda {

/// A block of pinned memory of the host, owned. Errors: MemoryError.
class Pinned {
 public:
  explicit Pinned(std::size_t bytes);
  ~Pinned() { static_cast<void>(cudaFreeHost(start_)); }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  std::byte* start() const { return start_; }

 private:
  std::byte* start_ = nullptr;
};

/// Sends bytes of the host to a card: each call copies them to the next piece of one block, from where the
/// card takes them when its stream comes to it, and the host goes on at once. A piece is used again when the
/// copy out of it is done, for which the host waits only where the block is full.
class SendingRing {
 public:
  explicit SendingRing(std::size_t bytes) : size_(bytes) {}

  /// What is larger goes from where it lies, and CUDA may wait for the stream.
  std::size_t most() const { return size_ / 4; }
  /// Any thread may send; the card of the stream is the current one. Errors: MemoryError; InternalError for
  /// what CUDA refuses.
  void send(std::byte* to, const std::byte* from_host, std::size_t bytes, cudaStream_t stream);

 private:
  struct Piece {
    std::size_t begin, end;
    std::unique_ptr<Event> sent;
  };
  /// Where a piece begins that nobody uses.
  std::size_t room_for(std::size_t bytes);
  std::unique_ptr<Event> event();

  const std::size_t size_;
  std::mutex mutex_;
  std::unique_ptr<Pinned> memory_;  // from the first call on
  std::size_t at_ = 0;              // where the next piece begins, if it fits
  std::deque<Piece> pieces_;        // in use, the oldest first
  std::vector<std::unique_ptr<Event>> spare_;
};

/// Brings bytes of a card to the host: arrivals (core/recording.h), none of which may outlive this.
class Homecomings {
 public:
  /// `look` is called whenever the host has waited for one: for what the card's kernels had to say besides.
  explicit Homecomings(std::function<void()> look) : look_(std::move(look)) {}

  std::unique_ptr<Arrival> send(const std::byte* from, std::size_t bytes, cudaStream_t stream);

 private:
  class Underway;
  struct Slot {
    explicit Slot(std::size_t size) : bytes(size), memory(size) {}
    std::size_t bytes;
    Pinned memory;
    Event arrived;
  };
  std::unique_ptr<Slot> slot(std::size_t bytes);

  std::function<void()> look_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Slot>> free_;
};

}  // namespace basin::cuda
