// Weight averages: the worked numbers, the warm-ups, what resumes, and that training does not notice them.
#include "optim/averages/average.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "optim/gradient/sam.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

/// Weights that are set by hand.
struct Weights {
  Variable w;
  explicit Weights(const Numbers& start, Dtype dtype = Dtype::f64)
      : w(Variable::parameter(Tensor::from(start).to(dtype))) {}
  void describe(Inventory& it) { it.parameter("w", w); }
};

/// The average of a list of weights, each a vector; `after` sees it after each.
WeightAverage collected(WeightAverage average, const std::vector<Numbers>& list, Dtype dtype = Dtype::f64,
                        const std::function<void(const WeightAverage&)>& after = {}) {
  Weights weights(list.front(), dtype);
  ParameterVector w = ParameterVector::of(weights);
  for (const Numbers& numbers : list) {
    w.values().copy_from(Tensor::from(numbers).to(dtype));
    average.collect(w);
    if (after) after(average);
  }
  return average;
}

/// The average of 1, 2, ..., `last`.
double average_of_counting(WeightAverage average, int last) {
  std::vector<Numbers> list;
  for (int k = 1; k <= last; ++k) list.push_back({static_cast<double>(k)});
  return collected(std::move(average), list).values().item();
}

struct Case {
  const char* label;
  std::function<WeightAverage()> make;
};

std::vector<Case> cases() {
  return {{"mean", WeightAverage::mean},
          {"ema", [] { return WeightAverage::ema({.decay = 0.9}); }},
          {"ratio", [] { return WeightAverage::ema({.decay = 0.9, .warmup = EmaWarmup::ratio}); }},
          {"mean then ema", [] { return WeightAverage::ema({.decay = 0.6, .warmup = EmaWarmup::mean}); }},
          {"lawa", [] { return WeightAverage::lawa(3); }}};
}

/// Steps `begin` to `end` of SAM on the small network.
void train(SmallNetwork& network, ParameterVector& w, UpdateRule& update, std::int64_t begin,
           std::int64_t end, double lr, WeightAverage* average) {
  Sam sam({.rho = 0.1});
  for (std::int64_t t = begin; t < end; ++t) {
    update.apply(w, sam.direction(network.objective(w, t), w).vector, lr);
    if (average) average->collect(w);
  }
}

}  // namespace

TEST_CASE("swa_landscape 5.1 item 1: the mean of (1,2), (3,-2), (5,6) is (3,2) with n = 3") {
  const std::vector<Numbers> list = {{1, 2}, {3, -2}, {5, 6}};
  const WeightAverage average = collected(WeightAverage::mean(), list);
  CHECK(gap(average.values(), {3, 2}) == 0);
  CHECK(average.n() == 3);
  CHECK(std::string(average.name()) == "swa");
}

TEST_CASE("swa_landscape 5.1 item 1: the order of collection shows in the rounding only") {
  std::vector<Numbers> list;
  for (int k = 0; k < 50; ++k) list.push_back({std::sin(k), 1 / (1.0 + k)});
  const Tensor forward = collected(WeightAverage::mean(), list).values();
  std::reverse(list.begin(), list.end());
  const Tensor backward = collected(WeightAverage::mean(), list).values();
  CHECK(gap(forward, backward.to_vector<double>()) < 1e-15);
}

TEST_CASE("swa_landscape 5.1 item 1: collecting 1, 2, ..., N gives (N + 1) / 2") {
  for (const int last : {1, 2, 3, 10, 999})
    CHECK(average_of_counting(WeightAverage::mean(), last) ==
          doctest::Approx((last + 1) / 2.0).epsilon(1e-14));
}

TEST_CASE("swa_landscape 5.1 item 2: EMA copies first, so that 1, 2, 3, 4 give 1, 1.1, 1.29, 1.561") {
  Numbers seen;
  collected(WeightAverage::ema({.decay = 0.9}), {{1}, {2}, {3}, {4}}, Dtype::f64,
            [&](const WeightAverage& average) { seen.push_back(average.values().item()); });
  CHECK(gap(Tensor::from(seen), {1, 1.1, 1.29, 1.561}) < 1e-15);
  // A zero start with bias correction has other numbers.
  CHECK(gap(Tensor::from(seen), {1, 1.526316, 2.070111, 2.631288}) > 1);
}

TEST_CASE("swa_landscape 5.1 item 5: 1 and then 139 times 1.01, in f64 and in f32") {
  std::vector<Numbers> list(140, Numbers{1.01});
  list.front() = {1};
  CHECK(std::abs(collected(WeightAverage::mean(), list).values().item() - 141.39 / 140) < 1e-14);
  const Tensor single = collected(WeightAverage::mean(), list, Dtype::f32).values();
  CHECK(single.dtype() == Dtype::f32);
  CHECK(std::abs(single.item() - 1.00992846) < 5e-9);
}

TEST_CASE("swa_landscape 5.1 item 7: with a rate of zero the average is the weights, bit for bit") {
  for (const Case& c : cases()) {
    CAPTURE(c.label);
    SmallNetwork network;
    ParameterVector w = ParameterVector::of(network);
    Sgd update(w, {.momentum = 0.9});
    train(network, w, update, 0, 3, /*lr=*/0.05, nullptr);
    WeightAverage average = c.make();
    train(network, w, update, 3, 9, /*lr=*/0, &average);
    CHECK(average.n() == 6);
    CHECK(same_bits(average.values(), w.values()));
  }
}

TEST_CASE("swa_landscape 5.1 item 7: averaging leaves the training trajectory bit-identical") {
  for (const Case& c : cases()) {
    CAPTURE(c.label);
    SmallNetwork alone, watched;
    ParameterVector w = ParameterVector::of(alone), v = ParameterVector::of(watched);
    Sgd update(w, {.momentum = 0.9}), same(v, {.momentum = 0.9});
    WeightAverage average = c.make();
    train(alone, w, update, 0, 8, 0.05, nullptr);
    train(watched, v, same, 0, 8, 0.05, &average);
    CHECK(same_bits(w.values(), v.values()));
    CHECK(same_bits(alone.buffers(), watched.buffers()));
    CHECK(same_bits(state_of(update), state_of(same)));
    CHECK_FALSE(same_bits(average.values(), v.values()));

    const std::uint64_t version = v.values().version();
    average.collect(v);
    CHECK(v.values().version() == version);
    CHECK_FALSE(average.values().shares_storage(v.values()));
  }
}

TEST_CASE("average: the decays of the warm-ups") {
  const WeightAverage none = WeightAverage::ema({.decay = 0.9}),
                      ratio = WeightAverage::ema({.decay = 0.9, .warmup = EmaWarmup::ratio}),
                      mean = WeightAverage::ema({.decay = 0.9, .warmup = EmaWarmup::mean}),
                      swa = WeightAverage::mean();
  for (const WeightAverage* a : {&none, &ratio, &mean, &swa}) CHECK(a->decay_at(0) == 0);
  CHECK(none.decay_at(1) == 0.9);
  CHECK(ratio.decay_at(1) == 2.0 / 11);
  CHECK(ratio.decay_at(79) == 80.0 / 89);
  CHECK(ratio.decay_at(80) == 0.9);
  CHECK(ratio.decay_at(1000) == 0.9);
  CHECK(mean.decay_at(1) == 0.5);
  CHECK(mean.decay_at(8) == 8.0 / 9);
  CHECK(mean.decay_at(10) == 0.9);
  CHECK(swa.decay_at(1000) == 1000.0 / 1001);
}

TEST_CASE("average: an EMA that warms up as a mean begins as one") {
  const auto make = [] { return WeightAverage::ema({.decay = 0.75, .warmup = EmaWarmup::mean}); };
  CHECK(std::abs(average_of_counting(make(), 4) - 2.5) < 1e-15);
  CHECK(std::abs(average_of_counting(make(), 5) - (0.75 * 2.5 + 0.25 * 5)) < 1e-15);
  CHECK(average_of_counting(WeightAverage::ema({.decay = 1}), 9) == 1);
  CHECK(average_of_counting(WeightAverage::ema({.decay = 0}), 9) == 9);
}

TEST_CASE("average: LAWA is the mean of the latest, and what has left leaves nothing behind") {
  const std::vector<Numbers> list = {{1, 10}, {2, 20}, {6, 0}, {7, 1}, {11, -1}};
  Numbers first, second;
  const WeightAverage average =
      collected(WeightAverage::lawa(3), list, Dtype::f64, [&](const WeightAverage& now) {
        first.push_back(now.values().to_vector<double>()[0]);
        second.push_back(now.values().to_vector<double>()[1]);
      });
  CHECK(gap(Tensor::from(first), {1, 1.5, 3, 5, 8}) < 1e-14);
  CHECK(gap(Tensor::from(second), {10, 15, 10, 7, 0}) < 1e-14);
  CHECK(average.n() == 5);
  CHECK(average.held() == 3);
  CHECK(std::string(average.name()) == "lawa");
  // The bits of a mean of the last three alone.
  const WeightAverage fresh = collected(WeightAverage::mean(), {list.end() - 3, list.end()});
  CHECK(same_bits(average.values(), fresh.values()));
  const WeightAverage all = collected(WeightAverage::lawa(9), list),
                      mean = collected(WeightAverage::mean(), list);
  CHECK(all.held() == 5);
  CHECK(same_bits(all.values(), mean.values()));
  CHECK(same_bits(collected(WeightAverage::lawa(1), list).values(), Tensor::from(list.back())));
  CHECK_THROWS_WITH_AS(WeightAverage::lawa(0), "[lawa] window must be at least 1, got 0", ArgumentError);
}

TEST_CASE("average: weights that LAWA cannot take leave it as it was") {
  Weights weights({1, 2});
  ParameterVector w = ParameterVector::of(weights);
  WeightAverage average = WeightAverage::lawa(2);
  for (int k = 0; k < 3; ++k) average.collect(w);
  const Tensors before = state_of(average);
  for (const double bad : {std::nan(""), HUGE_VAL}) {
    w.values().fill(bad);
    CHECK_THROWS_AS(average.collect(w), NumericalError);
    CHECK(same_bits(state_of(average), before));
  }
}

TEST_CASE("average: the same bits for any number of threads") {
  constexpr Index kSize = 100003;
  const auto run = [&](const Case& c, int threads) {
    const WithThreads with(threads);
    Weights weights(Numbers(kSize, 0), Dtype::f32);
    ParameterVector w = ParameterVector::of(weights);
    WeightAverage average = c.make();
    for (int step = 0; step < 5; ++step) {
      float* numbers = w.values().mutable_data<float>();
      for (Index i = 0; i < kSize; ++i) numbers[i] = static_cast<float>(std::sin(i + step * 0.7));
      average.collect(w);
    }
    return average.values().clone();
  };
  for (const Case& c : cases()) {
    CAPTURE(c.label);
    const Tensor one = run(c, 1);
    CHECK(same_bits(run(c, 2), one));
    CHECK(same_bits(run(c, 3), one));
  }
}

TEST_CASE("average: a fresh one with the state copied in continues with the same bits") {
  for (const Case& c : cases())
    for (const std::int64_t stop : {0, 1, 2, 5}) {
      CAPTURE(c.label);
      CAPTURE(stop);
      SmallNetwork network;
      ParameterVector w = ParameterVector::of(network);
      Sgd update(w, {.momentum = 0.9});
      WeightAverage straight = c.make(), resumed = c.make();
      train(network, w, update, 0, stop, 0.05, &straight);
      // As a checkpoint does: a buffer that is not there yet receives its tensor.
      const std::vector<NamedBuffer> from = entries_of(straight).buffers, to = entries_of(resumed).buffers;
      REQUIRE(from.size() == to.size());
      CHECK(from.size() == (std::string(c.label) == "lawa" ? 5 : 2));
      CHECK(from[0].name == "values");
      CHECK(from[1].name == "n");
      CHECK(from[0].buffer->defined() == (stop > 0));
      for (std::size_t i = 0; i < from.size(); ++i)
        if (from[i].buffer->defined()) *to[i].buffer = from[i].buffer->clone();

      for (std::int64_t t = stop; t < 8; ++t) {
        train(network, w, update, t, t + 1, 0.05, &straight);
        resumed.collect(w);
      }
      CHECK(resumed.n() == 8);
      CHECK(same_bits(state_of(straight), state_of(resumed)));
    }
}

TEST_CASE("average: misuse is an error and changes nothing") {
  for (const double decay : {-0.1, 1.1, std::nan("")})
    CHECK_THROWS_AS(WeightAverage::ema({.decay = decay}), ArgumentError);
  WeightAverage average = WeightAverage::mean();
  CHECK(average.n() == 0);
  CHECK_THROWS_WITH_AS(average.values(), "[swa] nothing has been collected yet; take the weights themselves",
                       ArgumentError);
  average = collected(WeightAverage::ema({.decay = 0.5}), {{1, 2}, {3, 4}});
  Weights longer({1, 2, 3}), single({1, 2}, Dtype::f32);
  CHECK_THROWS_WITH_AS(average.collect(ParameterVector::of(longer)),
                       "[ema] the average is f64 {2} on cpu, the weights are f64 {3} on cpu", ArgumentError);
  CHECK_THROWS_AS(average.collect(ParameterVector::of(single)), ArgumentError);
  CHECK(average.n() == 2);
  CHECK(gap(average.values(), {2, 3}) == 0);
}

}  // namespace basin::optim::testing
