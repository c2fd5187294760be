// Which steps enter an average: the authors' rule and its counts, cycles, and the words for them.
#include "optim/averages/collection_times.h"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "core/error.h"
#include "optim/schedule/schedule.h"

namespace basin::optim {
namespace {

/// The numbers of steps done, up to `total`, at which weights enter.
std::vector<std::int64_t> entering(const CollectionTimes& collection, std::int64_t total) {
  std::vector<std::int64_t> all;
  for (std::int64_t s = 0; s <= total; ++s) {
    if (collection.due(s)) all.push_back(s);
    CHECK(collection.count(s) == static_cast<std::int64_t>(all.size()));
  }
  return all;
}

CollectionTimes cycles_of(std::int64_t length, std::int64_t first = 1) {
  return CollectionTimes::cycle_ends([=](std::int64_t t) { return (t + 1) % length == 0; }, first);
}

}  // namespace

TEST_CASE("swa_landscape 5.1 item 6: models in the average of 300/161, 200/161, 225/126, 150/126 epochs") {
  for (const std::int64_t steps : {1, 391}) {
    const auto models = [&](std::int64_t epochs, std::int64_t start) {
      return CollectionTimes::epochs(start, 1, steps).count(epochs * steps);
    };
    CHECK(models(300, 161) == 140);
    CHECK(models(200, 161) == 40);
    CHECK(models(225, 126) == 100);
    CHECK(models(150, 126) == 25);
    // Section 1.3: budgets of 1.25 for 200 and for 150 epochs.
    CHECK(models(250, 161) == 90);
    CHECK(models(187, 126) == 62);
  }
}

TEST_CASE("collection: epoch E enters if E >= start and (E - start) mod every is 0, at its last step") {
  CHECK(entering(CollectionTimes::epochs(3, 2, 10), 75) == std::vector<std::int64_t>{30, 50, 70});
  CHECK(entering(CollectionTimes::epochs(1, 1, 2), 5) == std::vector<std::int64_t>{2, 4});
  CHECK(entering(CollectionTimes::epochs(3, 2, 10), 29).empty());
  CHECK(entering(CollectionTimes::steps(4), 6) == std::vector<std::int64_t>{4, 5, 6});
  CHECK(entering(CollectionTimes::steps(4, 3), 12) == std::vector<std::int64_t>{4, 7, 10});
}

TEST_CASE("swa_landscape 5.3: cycles of 5 are collected at i = 5, 10, ...") {
  CHECK(entering(cycles_of(5), 17) == std::vector<std::int64_t>{5, 10, 15});
  CHECK(entering(cycles_of(5, 6), 17) == std::vector<std::int64_t>{10, 15});
  CHECK(entering(cycles_of(5, 10), 17) == std::vector<std::int64_t>{10, 15});
}

TEST_CASE("swa_landscape 5.4: the cycle ends of FGE, 40 epochs in cycles of 2 give 20 members") {
  const auto ends_of = [](const ScheduleOptions& options) {
    return CollectionTimes::cycle_ends(
        [schedule = Schedule(options)](std::int64_t t) { return schedule.is_cycle_end(t); });
  };
  const auto fge = [&](std::int64_t cycle_steps) {
    return ends_of({.kind = ScheduleKind::triangle,
                    .lr = 0.05,
                    .min_lr = 5e-4,
                    .total_steps = 240,
                    .cycle_steps = cycle_steps,
                    .code_form = true});
  };
  // Epochs of 6 steps; a cycle's lowest rate is in its middle.
  CHECK(fge(2 * 6).count(40 * 6) == 20);
  CHECK(fge(2 * 6).in_words(40 * 6, 6) == "after epochs 1, 3, ..., 39: 20 models");
  // Cycles of 4 epochs of 2 steps: after epochs 1, 5, 9, counted from 0.
  CHECK(fge(4 * 2).in_words(10 * 2, 2) == "after epochs 2, 6, 10: 3 models");

  const CollectionTimes snapshot =
      ends_of({.kind = ScheduleKind::snapshot, .lr = 0.1, .total_steps = 20, .cycles = 4});
  CHECK(entering(snapshot, 20) == std::vector<std::int64_t>{5, 10, 15, 20});
}

TEST_CASE("collection: the words say which completed epochs enter") {
  CHECK(CollectionTimes::epochs(161, 1, 391).in_words(300 * 391, 391) ==
        "after epochs 161, 162, ..., 300: 140 models");
  CHECK(CollectionTimes::epochs(6, 5, 10).in_words(22 * 10, 10) == "after epochs 6, 11, 16, 21: 4 models");
  CHECK(CollectionTimes::epochs(6, 5, 10).in_words(60, 10) == "after epoch 6: 1 model");
  CHECK(CollectionTimes::epochs(7, 5, 10).in_words(60, 10) == "after none of the 60 steps: 0 models");
  CHECK(CollectionTimes::steps(100, 50).in_words(1000, 300) == "after steps 100, 150, ..., 1000: 19 models");
  CHECK(CollectionTimes::steps(300, 600).in_words(1500, 300) == "after epochs 1, 3, 5: 3 models");
  CHECK(cycles_of(7).in_words(10, 5) == "after step 7: 1 model");
}

TEST_CASE("collection: what cannot be counted is an error") {
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  CHECK_THROWS_WITH_AS(CollectionTimes::steps(0), "[collection] first must be at least 1, got 0",
                       ArgumentError);
  CHECK_THROWS_AS(CollectionTimes::steps(1, 0), ArgumentError);
  CHECK_THROWS_AS(CollectionTimes::epochs(0, 1, 10), ArgumentError);
  CHECK_THROWS_AS(CollectionTimes::epochs(1, 0, 10), ArgumentError);
  CHECK_THROWS_AS(CollectionTimes::epochs(1, 1, 0), ArgumentError);
  CHECK_THROWS_AS(CollectionTimes::epochs(huge, 1, 2), ArgumentError);
  CHECK_THROWS_AS(CollectionTimes::epochs(1, huge / 2 + 1, 2), ArgumentError);
  CHECK_THROWS_AS(CollectionTimes::cycle_ends({}), ArgumentError);
  CHECK_THROWS_AS(cycles_of(5, 0), ArgumentError);
  CHECK_THROWS_AS(CollectionTimes::steps(1).in_words(10, 0), ArgumentError);
}

}  // namespace basin::optim
