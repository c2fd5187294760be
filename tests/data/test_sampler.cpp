// Batches by (epoch, step): every example once an epoch, in the permutation's order, from any start.
#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "data/loading/sampler.h"

using namespace basin;
using data::Sampler;

namespace {

std::vector<std::int64_t> epoch_of(const Sampler& sampler, std::int64_t epoch) {
  std::vector<std::int64_t> all;
  for (std::int64_t step = 0; step < sampler.batches_per_epoch(); ++step) {
    const std::vector<std::int64_t> batch = sampler.batch(epoch, step);
    all.insert(all.end(), batch.begin(), batch.end());
  }
  return all;
}

}  // namespace

TEST_CASE("sampler: an epoch is the permutation of its address, cut into batches") {
  const Sampler keep(103, 10, true, false, 8);
  CHECK(keep.batches_per_epoch() == 11);
  CHECK(keep.batch(0, 9).size() == 10);
  CHECK(keep.batch(0, 10).size() == 3);
  const Sampler drop(103, 10, true, true, 8);
  CHECK(drop.batches_per_epoch() == 10);
  for (const std::int64_t epoch : {0, 1, 7}) {
    std::vector<std::int64_t> order = permutation(103, 8, Stream::shuffle, static_cast<std::uint64_t>(epoch));
    CHECK(epoch_of(keep, epoch) == order);
    order.resize(100);
    CHECK(epoch_of(drop, epoch) == order);
  }
  CHECK(epoch_of(keep, 0) != epoch_of(keep, 1));
  CHECK(epoch_of(keep, 0) != epoch_of(Sampler(103, 10, true, false, 9), 0));
}

TEST_CASE("sampler: batches may be asked for in any order, from many threads") {
  const Sampler sampler(500, 7, true, true, 3);
  const Sampler fresh(500, 7, true, true, 3);
  CHECK(sampler.batch(4, 60) == fresh.batch(4, 60));
  for (const std::int64_t epoch : {9, 2, 5, 2, 0, 9, 1})
    CHECK(epoch_of(sampler, epoch) == epoch_of(fresh, epoch));
  std::vector<std::vector<std::int64_t>> seen(4);
  std::vector<std::jthread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] { seen[t] = epoch_of(sampler, 20 + static_cast<std::int64_t>(t % 3)); });
  }
  threads.clear();
  for (std::size_t t = 0; t < 4; ++t)
    CHECK(seen[t] == epoch_of(fresh, 20 + static_cast<std::int64_t>(t % 3)));
}

TEST_CASE("sampler: without shuffling the order is the file's") {
  const Sampler sampler(5, 2, false, false, 1);
  CHECK(epoch_of(sampler, 0) == std::vector<std::int64_t>{0, 1, 2, 3, 4});
  CHECK(epoch_of(sampler, 3) == std::vector<std::int64_t>{0, 1, 2, 3, 4});
}

TEST_CASE("sampler: sizes at the edge, and impossible ones") {
  CHECK(Sampler(128, 128, true, true, 0).batches_per_epoch() == 1);
  CHECK(Sampler(1, 128, true, false, 0).batches_per_epoch() == 1);
  CHECK_THROWS_AS(Sampler(0, 1, true, false, 0), ArgumentError);
  CHECK_THROWS_AS(Sampler(10, 0, true, false, 0), ArgumentError);
  CHECK_THROWS_WITH_AS(
      Sampler(100, 128, true, true, 0),
      "[sampler] 100 examples make no whole batch of 128; use a smaller batch or keep the incomplete one",
      ArgumentError);
  const Sampler sampler(100, 10, true, true, 0);
  CHECK_THROWS_AS(sampler.batch(0, 10), ArgumentError);
  CHECK_THROWS_AS(sampler.batch(0, -1), ArgumentError);
  CHECK_THROWS_AS(sampler.batch(-1, 0), ArgumentError);
}
