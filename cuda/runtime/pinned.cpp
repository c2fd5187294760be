#include "cuda/runtime/pinned.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace basin::cuda {

namespace {

constexpr std::size_t kAlignment = 64;  // bytes: a cache line of the host each

}  // namespace

Pinned::Pinned(std::size_t bytes) {
  check(cudaMallocHost(reinterpret_cast<void**>(&start_), bytes), "cudaMallocHost");
}

void SendingRing::send(std::byte* to, const std::byte* from_host, std::size_t bytes, cudaStream_t stream) {
  if (bytes > most())
    return check(cudaMemcpyAsync(to, from_host, bytes, cudaMemcpyHostToDevice, stream), "cudaMemcpyAsync");
  const std::lock_guard lock(mutex_);
  if (!memory_) memory_ = std::make_unique<Pinned>(size_);
  const std::size_t begin = room_for(bytes);
  std::byte* piece = memory_->start() + begin;
  std::memcpy(piece, from_host, bytes);
  check(cudaMemcpyAsync(to, piece, bytes, cudaMemcpyHostToDevice, stream), "cudaMemcpyAsync");
  std::unique_ptr<Event> sent = event();
  sent->record(stream);
  at_ = (begin + bytes + kAlignment - 1) / kAlignment * kAlignment;
  pieces_.push_back({begin, at_, std::move(sent)});
}

std::size_t SendingRing::room_for(std::size_t bytes) {
  const std::size_t begin = at_ + bytes <= size_ ? at_ : 0, end = begin + bytes;
  const auto in_use = [&](const Piece& p) { return p.begin < end && begin < p.end; };
  while (std::any_of(pieces_.begin(), pieces_.end(), in_use)) {
    pieces_.front().sent->wait();
    spare_.push_back(std::move(pieces_.front().sent));
    pieces_.pop_front();
  }
  return begin;
}

std::unique_ptr<Event> SendingRing::event() {
  if (spare_.empty()) return std::make_unique<Event>();
  std::unique_ptr<Event> e = std::move(spare_.back());
  spare_.pop_back();
  return e;
}

/// It may end before its bytes are there: the next copy into its slot comes after them in the stream.
class Homecomings::Underway final : public Arrival {
 public:
  Underway(Homecomings& home, std::unique_ptr<Slot> slot) : home_(home), slot_(std::move(slot)) {}
  ~Underway() override {
    const std::lock_guard lock(home_.mutex_);
    home_.free_.push_back(std::move(slot_));
  }
  Underway(const Underway&) = delete;
  Underway& operator=(const Underway&) = delete;
  const std::byte* wait() override {
    slot_->arrived.wait();
    home_.look_();
    return slot_->memory.start();
  }

 private:
  Homecomings& home_;
  std::unique_ptr<Slot> slot_;
};

std::unique_ptr<Arrival> Homecomings::send(const std::byte* from, std::size_t bytes, cudaStream_t stream) {
  std::unique_ptr<Slot> to = slot(bytes);
  check(cudaMemcpyAsync(to->memory.start(), from, bytes, cudaMemcpyDeviceToHost, stream), "cudaMemcpyAsync");
  to->arrived.record(stream);
  return std::make_unique<Underway>(*this, std::move(to));
}

std::unique_ptr<Homecomings::Slot> Homecomings::slot(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto fits = [bytes](const auto& s) { return s->bytes >= bytes; };
  const auto it = std::find_if(free_.begin(), free_.end(), fits);
  if (it == free_.end()) return std::make_unique<Slot>(std::max<std::size_t>(bytes, 256));
  std::unique_ptr<Slot> found = std::move(*it);
  free_.erase(it);
  return found;
}

}  // namespace basin::cuda
