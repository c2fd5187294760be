// The schedules of SWA: the authors' own, torch's tail, and one-cycle; worked numbers of
// facts/swa_landscape.md 5.3.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "optim/schedule/schedule.h"

namespace basin::optim {
namespace {

using Kind = ScheduleKind;

/// Half a unit of the eighth decimal, to which the worked numbers are printed.
constexpr double kEightDecimals = 5.001e-9;
constexpr std::int64_t kStepsPerEpoch = 7;

/// The authors' schedule, floor by floor of the published code: the factor of epoch e of `span`.
double authors_rate(double lr, double r, std::int64_t e, std::int64_t span) {
  const double t = static_cast<double>(e) / static_cast<double>(span);
  const double factor = t <= 0.5 ? 1 : t <= 0.9 ? 1 - (1 - r) * (t - 0.5) / 0.4 : r;
  return lr * factor;
}

Schedule swa(double lr, std::int64_t span, double min_lr, std::int64_t warmup = 0) {
  return Schedule({.kind = Kind::swa,
                   .lr = lr,
                   .min_lr = min_lr,
                   .total_steps = 300 * kStepsPerEpoch,
                   .warmup_steps = warmup,
                   .steps_per_epoch = kStepsPerEpoch,
                   .span_epochs = span});
}

struct Point {
  std::int64_t epoch;
  double lr;
};

/// The worked numbers hold in the first and the last step of their epochs, and every epoch is the authors'.
void check_epochs(const Schedule& s, double lr, std::int64_t span, double min_lr,
                  const std::vector<Point>& points) {
  for (const Point& p : points) {
    CAPTURE(p.epoch);
    CHECK(std::abs(s.lr(p.epoch * kStepsPerEpoch) - p.lr) < kEightDecimals);
    CHECK(std::abs(s.lr((p.epoch + 1) * kStepsPerEpoch - 1) - p.lr) < kEightDecimals);
  }
  for (std::int64_t t = 0; t < 310 * kStepsPerEpoch; ++t) {
    CAPTURE(t);
    const double expected = authors_rate(lr, min_lr / lr, t / kStepsPerEpoch, span);
    CHECK(std::abs(s.lr(t) - expected) < 1e-15);
  }
}

Schedule tail(const ScheduleTail& t, Kind kind = Kind::constant) {
  return Schedule({.kind = kind, .lr = 0.1, .total_steps = 100, .tail = t});
}

}  // namespace

TEST_CASE("swa_landscape 5.3: the authors' schedule, VGG") {
  std::vector<Point> points = {{80, 0.05},        {81, 0.04968944},  {100, 0.03788820},
                               {120, 0.02546584}, {144, 0.01055901}, {145, 0.01}};
  for (std::int64_t e = 146; e < 310; ++e) points.push_back({e, 0.01});
  const Schedule s = swa(0.05, 161, 0.01);
  check_epochs(s, 0.05, 161, 0.01, points);
  CHECK(s.lr(0) == 0.05);
  CHECK(s.lr(145 * kStepsPerEpoch) == 0.01);
  CHECK(s.lr(1'000'000'000) == 0.01);
}

TEST_CASE("swa_landscape 5.3: the authors' schedule, PreResNet on CIFAR-100") {
  check_epochs(swa(0.1, 126, 0.05), 0.1, 126, 0.05,
               {{63, 0.1}, {64, 0.09900794}, {100, 0.06329365}, {113, 0.05039683}, {114, 0.05}, {299, 0.05}});
}

TEST_CASE("swa_landscape 5.3: the authors' schedule, WRN") {
  check_epochs(swa(0.1, 161, 0.05), 0.1, 161, 0.05,
               {{81, 0.0996118}, {100, 0.08486025}, {120, 0.0693323}, {144, 0.05069876}, {145, 0.05}});
}

TEST_CASE("swa_landscape 5.3: the authors' SGD baseline, 200 epochs") {
  check_epochs(swa(0.1, 200, 0.001), 0.1, 200, 0.001,
               {{100, 0.1}, {101, 0.0987625}, {140, 0.0505}, {179, 0.0022375}, {180, 0.001}, {250, 0.001}});
}

TEST_CASE("schedule swa: the bends lie where floating point could miss them") {
  // e / D = 0.9 exactly: rounding must not let the last epoch of the fall slip to either side.
  for (std::int64_t span : {10, 20, 30, 70, 110, 160, 190, 1000}) {
    CAPTURE(span);
    const Schedule s = swa(0.3, span, 0.07);
    CHECK(s.lr(span / 2 * kStepsPerEpoch + kStepsPerEpoch - 1) == 0.3);
    CHECK(s.lr((span / 2 + 1) * kStepsPerEpoch) < 0.3);
    CHECK(s.lr((span / 10 * 9 - 1) * kStepsPerEpoch) > 0.07);
    CHECK(s.lr(span / 10 * 9 * kStepsPerEpoch) == 0.07);
  }
}

TEST_CASE("schedule swa: a warm-up fits into the first half and shifts nothing") {
  const std::int64_t held = 6 * kStepsPerEpoch;  // epochs 0 to 5 of 10
  const Schedule cold = swa(0.4, 10, 0.1), warm = swa(0.4, 10, 0.1, held);
  for (std::int64_t t = 0; t < held; ++t) {
    CAPTURE(t);
    CHECK(warm.lr(t) == 0.4 * static_cast<double>(t + 1) / static_cast<double>(held));
  }
  for (std::int64_t t = held; t < 100; ++t) CHECK(warm.lr(t) == cold.lr(t));
  CHECK_THROWS_AS(swa(0.4, 10, 0.1, held + 1), ArgumentError);
}

TEST_CASE("swa_landscape 5.3: SWALR from 0.1 to 0.05 in 5 steps") {
  const Schedule cosine = tail({.start_step = 20, .lr = 0.05, .anneal_steps = 5});
  const Schedule linear = tail({.start_step = 20, .lr = 0.05, .anneal_steps = 5, .anneal = Anneal::linear});
  const double expected[] = {0.1, 0.09522542, 0.08272542, 0.06727458, 0.05477458, 0.05, 0.05, 0.05};
  const double straight[] = {0.1, 0.09, 0.08, 0.07, 0.06, 0.05, 0.05, 0.05};
  for (std::int64_t j = 0; j < 8; ++j) {
    CAPTURE(j);
    CHECK(std::abs(cosine.lr(20 + j) - expected[j]) < kEightDecimals);
    CHECK(std::abs(linear.lr(20 + j) - straight[j]) < 1e-16);
  }
  // alpha = (1 - cos(pi j / 5)) / 2, with the cosines of pi/5 and 2 pi/5 in closed form.
  const double c1 = (1 + std::sqrt(5)) / 4, c2 = (std::sqrt(5) - 1) / 4;
  CHECK(cosine.lr(21) == doctest::Approx(0.075 + 0.025 * c1).epsilon(1e-15));
  CHECK(cosine.lr(22) == doctest::Approx(0.075 + 0.025 * c2).epsilon(1e-15));
  CHECK(cosine.lr(19) == 0.1);
  CHECK(cosine.lr(20) == 0.1);
  CHECK(cosine.lr(25) == 0.05);
  CHECK(cosine.lr(100000) == 0.05);
}

TEST_CASE("schedule tail: at once, upward, from step 0, and from what the schedule has reached") {
  const Schedule sudden = tail({.start_step = 50, .lr = 0.03}, Kind::cosine);
  const Schedule base({.kind = Kind::cosine, .lr = 0.1, .total_steps = 100});
  for (std::int64_t t = 0; t < 50; ++t) CHECK(sudden.lr(t) == base.lr(t));
  for (std::int64_t t = 50; t < 120; ++t) CHECK(sudden.lr(t) == 0.03);

  // The schedule's own rate is taken once, at the start: 0.05 here.
  const Schedule up =
      tail({.start_step = 50, .lr = 0.09, .anneal_steps = 4, .anneal = Anneal::linear}, Kind::cosine);
  const double expected[] = {0.05, 0.06, 0.07, 0.08, 0.09, 0.09};
  for (std::int64_t j = 0; j < 6; ++j) CHECK(std::abs(up.lr(50 + j) - expected[j]) < 1e-15);

  const Schedule whole = tail({.start_step = 0, .lr = 0.01});
  CHECK(whole.lr(0) == 0.01);
  CHECK_FALSE(whole.has_cycles());

  const Schedule torch_swa({.kind = Kind::linear,  // warm-up, then the tail
                            .lr = 0.1,
                            .total_steps = 100,
                            .warmup_steps = 10,
                            .tail = {{.start_step = 10, .lr = 0.05, .anneal_steps = 1}}});
  CHECK(torch_swa.lr(9) == 0.1);
  CHECK(torch_swa.lr(10) == 0.1);
  CHECK(torch_swa.lr(11) == 0.05);
}

TEST_CASE("schedule one_cycle: PyTorch's OneCycleLR") {
  // torch 1.13, OneCycleLR(max_lr=0.1, total_steps=10, cycle_momentum=False).
  const double expected[] = {0.0040000000000000036,
                             0.052000000000000005,
                             0.1,
                             0.09504846320134738,
                             0.0811745653949763,
                             0.06112620219362893,
                             0.03887419780637107,
                             0.0188258346050237,
                             0.004951936798652629,
                             4e-07,
                             4e-07};
  const Schedule s({.kind = Kind::one_cycle, .lr = 0.1, .total_steps = 10});
  for (std::int64_t t = 0; t < 11; ++t) {
    CAPTURE(t);
    CHECK(std::abs(s.lr(t) - expected[t]) < 1e-16);
  }
  CHECK(s.lr(12345) == s.lr(9));
  CHECK_FALSE(s.has_cycles());
}

TEST_CASE("schedule one_cycle: linear, with a peak between two steps") {
  // torch 1.13: anneal_strategy='linear', pct_start=0.45, div_factor=10, final_div_factor=100.
  const double expected[] = {0.01,
                             0.03571428571428572,
                             0.06142857142857144,
                             0.08714285714285715,
                             0.09091818181818183,
                             0.07275454545454546,
                             0.0545909090909091,
                             0.03642727272727274,
                             0.018263636363636357,
                             0.00010000000000000286};
  const Schedule s(
      {.kind = Kind::one_cycle,
       .lr = 0.1,
       .total_steps = 10,
       .one_cycle = {
           .pct_start = 0.45, .div_factor = 10, .final_div_factor = 100, .anneal = Anneal::linear}});
  for (std::int64_t t = 0; t < 10; ++t) {
    CAPTURE(t);
    CHECK(std::abs(s.lr(t) - expected[t]) < 5e-17);
  }
}

TEST_CASE("schedule: what the kinds and the tail refuse") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [](const ScheduleOptions& o) { CHECK_THROWS_AS(Schedule{o}, ArgumentError); };
  refused({.kind = Kind::swa, .total_steps = 100, .steps_per_epoch = 5});
  refused({.kind = Kind::swa, .total_steps = 100, .span_epochs = 5});
  refused({.kind = Kind::swa, .total_steps = 100, .steps_per_epoch = -5, .span_epochs = 5});
  refused({.kind = Kind::swa, .min_lr = 0.2, .total_steps = 100, .steps_per_epoch = 5, .span_epochs = 5});
  refused({.kind = Kind::cosine, .total_steps = 100, .steps_per_epoch = 5});
  refused({.kind = Kind::constant, .total_steps = 100, .span_epochs = 5});

  const auto one_cycle = [&](const OneCycle& c) {
    refused({.kind = Kind::one_cycle, .total_steps = 100, .one_cycle = c});
  };
  one_cycle({.pct_start = 0});
  one_cycle({.pct_start = 1});
  one_cycle({.pct_start = nan});
  one_cycle({.pct_start = 0.01});  // one step: torch divides by zero
  one_cycle({.div_factor = 0.5});
  one_cycle({.div_factor = HUGE_VAL});
  one_cycle({.final_div_factor = 0});
  one_cycle({.final_div_factor = nan});
  refused({.kind = Kind::one_cycle, .min_lr = 0.01, .total_steps = 100});
  refused({.kind = Kind::one_cycle, .total_steps = 100, .warmup_steps = 1});
  refused({.kind = Kind::cosine, .total_steps = 100, .one_cycle = {.pct_start = 0.5}});

  const auto no_tail = [](const ScheduleTail& t) { CHECK_THROWS_AS(tail(t), ArgumentError); };
  no_tail({.start_step = -1, .lr = 0.1});
  no_tail({.start_step = 100, .lr = 0.1});
  no_tail({.lr = -0.1});
  no_tail({.lr = nan});
  no_tail({.lr = HUGE_VAL});
  no_tail({.lr = 0.1, .anneal_steps = -1});
  no_tail({.lr = 0.1, .cycle_steps = -1, .high_lr = 0.2});
  no_tail({.lr = 0.1, .high_lr = 0.2});
  no_tail({.lr = 0.1, .cycle_steps = 5});
  no_tail({.lr = 0.1, .cycle_steps = 5, .high_lr = 0.05});
  no_tail({.lr = 0.1, .cycle_steps = 5, .high_lr = nan});
  no_tail({.lr = 0.1, .cycle_steps = 5, .high_lr = HUGE_VAL});
  refused({.kind = Kind::cosine, .total_steps = 9, .warmup_steps = 4, .tail = {{.start_step = 3}}});
}

}  // namespace basin::optim
