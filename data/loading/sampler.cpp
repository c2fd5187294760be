#include "data/loading/sampler.h"

#include <algorithm>

#include "core/error.h"
#include "core/random.h"

namespace basin::data {

Sampler::Sampler(std::int64_t n, std::int64_t batch_size, bool shuffle, bool drop_last, std::uint64_t seed)
    : n_(n), batch_size_(batch_size), shuffle_(shuffle), seed_(seed) {
  if (n < 1) throw ArgumentError("[sampler] expects at least one example, got ", n);
  if (batch_size < 1) throw ArgumentError("[sampler] batch size must be at least 1, got ", batch_size);
  if (drop_last && n < batch_size) {
    throw ArgumentError("[sampler] ", n, " examples make no whole batch of ", batch_size,
                        "; use a smaller batch or keep the incomplete one");
  }
  batches_ = n / batch_size + (!drop_last && n % batch_size != 0 ? 1 : 0);
}

std::vector<std::int64_t> Sampler::batch(std::int64_t epoch, std::int64_t step) const {
  if (epoch < 0 || step < 0 || step >= batches_) {
    throw ArgumentError("[sampler] no batch ", step, " in epoch ", epoch, "; an epoch has ", batches_,
                        " batches");
  }
  const std::int64_t begin = step * batch_size_;
  const std::int64_t end = begin + std::min(batch_size_, n_ - begin);
  std::vector<std::int64_t> indices;
  indices.reserve(static_cast<std::size_t>(end - begin));
  if (shuffle_) {
    const std::shared_ptr<const Order> all = order(epoch);
    indices.assign(all->begin() + begin, all->begin() + end);
  } else {
    for (std::int64_t i = begin; i < end; ++i) indices.push_back(i);
  }
  return indices;
}

std::shared_ptr<const Sampler::Order> Sampler::order(std::int64_t epoch) const {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const Order>& entry = orders_[epoch];
  if (!entry) {
    entry = std::make_shared<const Order>(
        permutation(n_, seed_, Stream::shuffle, static_cast<std::uint64_t>(epoch)));
  }
  const std::shared_ptr<const Order> found = entry;
  // Two are enough for workers that are already in the next epoch; the one furthest from here goes.
  while (orders_.size() > 2) {
    const bool drop_first = epoch - orders_.begin()->first >= orders_.rbegin()->first - epoch;
    orders_.erase(drop_first ? orders_.begin() : std::prev(orders_.end()));
  }
  return found;
}

}  // namespace basin::data
