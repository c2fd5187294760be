// Which examples make up which batch: a pure function of (seed, epoch, step), so a run may start anywhere.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace basin::data {

/// Cuts each epoch's order of n examples into batches. The order is permutation(n, seed, Stream::shuffle,
/// epoch), or 0..n-1 without shuffling. Safe to call from many threads.
class Sampler {
 public:
  /// With drop_last an incomplete last batch is left out, else kept.
  /// Errors: ArgumentError for n < 1, batch_size < 1, or n < batch_size with drop_last (an epoch without
  /// batches).
  Sampler(std::int64_t n, std::int64_t batch_size, bool shuffle, bool drop_last, std::uint64_t seed);

  std::int64_t batches_per_epoch() const { return batches_; }

  /// The examples of batch `step` (0..batches_per_epoch()-1) of epoch `epoch`. Errors: ArgumentError outside
  /// of that.
  std::vector<std::int64_t> batch(std::int64_t epoch, std::int64_t step) const;

 private:
  using Order = std::vector<std::int64_t>;
  std::shared_ptr<const Order> order(std::int64_t epoch) const;

  std::int64_t n_;
  std::int64_t batch_size_;
  bool shuffle_;
  std::uint64_t seed_;
  std::int64_t batches_;
  mutable std::mutex mutex_;
  mutable std::map<std::int64_t, std::shared_ptr<const Order>> orders_;  // of the latest two epochs asked for
};

}  // namespace basin::data
