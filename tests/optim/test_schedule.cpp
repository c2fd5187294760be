// Schedules at their corners: step 0, the end of the warm-up, a milestone, the last step, beyond.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "optim/schedule/schedule.h"

namespace basin::optim {
namespace {

constexpr double kTiny = 1e-15;

}  // namespace

TEST_CASE("schedule constant: lr everywhere, after a linear warm-up") {
  const Schedule flat({.lr = 0.3, .total_steps = 10});
  for (std::int64_t t : {0, 1, 9, 10, 1000000}) CHECK(flat.lr(t) == 0.3);

  const Schedule warm({.lr = 0.4, .total_steps = 10, .warmup_steps = 4});
  CHECK(warm.lr(0) == doctest::Approx(0.1).epsilon(kTiny));
  CHECK(warm.lr(1) == doctest::Approx(0.2).epsilon(kTiny));
  CHECK(warm.lr(2) == doctest::Approx(0.3).epsilon(kTiny));
  CHECK(warm.lr(3) == 0.4);
  CHECK(warm.lr(4) == 0.4);
  CHECK(warm.lr(99) == 0.4);

  const Schedule one({.lr = 0.4, .total_steps = 10, .warmup_steps = 1});
  CHECK(one.lr(0) == 0.4);
}

TEST_CASE("schedule step: the rate falls in the milestone's own step") {
  const Schedule s(
      {.kind = ScheduleKind::step, .lr = 0.8, .total_steps = 30, .milestones = {10, 20, 25}, .gamma = 0.5});
  CHECK(s.lr(0) == 0.8);
  CHECK(s.lr(9) == 0.8);
  CHECK(s.lr(10) == 0.4);
  CHECK(s.lr(19) == 0.4);
  CHECK(s.lr(20) == 0.2);
  CHECK(s.lr(24) == 0.2);
  CHECK(s.lr(25) == 0.1);
  CHECK(s.lr(29) == 0.1);
  CHECK(s.lr(1000) == 0.1);

  const Schedule warm({.kind = ScheduleKind::step,
                       .lr = 0.8,
                       .total_steps = 30,
                       .warmup_steps = 10,
                       .milestones = {10},
                       .gamma = 0.5});
  CHECK(warm.lr(9) == 0.8);
  CHECK(warm.lr(10) == 0.4);
}

TEST_CASE("schedule linear: lr where the warm-up ends, min_lr after the last step") {
  const Schedule s(
      {.kind = ScheduleKind::linear, .lr = 1, .min_lr = 0.2, .total_steps = 18, .warmup_steps = 2});
  CHECK(s.lr(0) == 0.5);
  CHECK(s.lr(1) == 1);
  CHECK(s.lr(2) == 1);
  CHECK(s.lr(6) == doctest::Approx(0.8).epsilon(kTiny));
  CHECK(s.lr(10) == doctest::Approx(0.6).epsilon(kTiny));
  CHECK(s.lr(17) == doctest::Approx(0.25).epsilon(kTiny));
  CHECK(s.lr(18) == 0.2);
  CHECK(s.lr(500) == 0.2);
}

TEST_CASE("schedule cosine: the quarter points of the curve") {
  const Schedule s({.kind = ScheduleKind::cosine, .lr = 0.1, .total_steps = 100});
  CHECK(s.lr(0) == 0.1);
  CHECK(s.lr(25) == doctest::Approx(0.05 * (1 + std::sqrt(0.5))).epsilon(kTiny));
  CHECK(s.lr(50) == doctest::Approx(0.05).epsilon(kTiny));
  CHECK(s.lr(75) == doctest::Approx(0.05 * (1 - std::sqrt(0.5))).epsilon(1e-14));
  CHECK(s.lr(99) == doctest::Approx(0.1 * std::pow(std::sin(std::acos(-1.0) / 200), 2)).epsilon(1e-12));
  CHECK(s.lr(100) == 0);
  CHECK(s.lr(101) == 0);

  const Schedule raised(
      {.kind = ScheduleKind::cosine, .lr = 0.1, .min_lr = 0.003, .total_steps = 110, .warmup_steps = 10});
  CHECK(raised.lr(0) == doctest::Approx(0.01).epsilon(kTiny));
  CHECK(raised.lr(9) == 0.1);
  CHECK(raised.lr(10) == 0.1);
  CHECK(raised.lr(60) == doctest::Approx(0.0515).epsilon(kTiny));
  CHECK(raised.lr(110) == 0.003);
  for (std::int64_t t = 10; t < 110; ++t) CHECK(raised.lr(t) > raised.lr(t + 1));
}

TEST_CASE("schedule: a run that is all warm-up ends at the peak and then at the end value") {
  const Schedule s({.kind = ScheduleKind::cosine, .lr = 0.4, .total_steps = 4, .warmup_steps = 4});
  CHECK(s.lr(3) == 0.4);
  CHECK(s.lr(4) == 0);
}

TEST_CASE("schedule: options that make no sense are errors") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [](const ScheduleOptions& o) { CHECK_THROWS_AS(Schedule{o}, ArgumentError); };
  refused({.lr = -1});
  refused({.lr = nan});
  refused({.lr = HUGE_VAL});
  refused({.kind = ScheduleKind::cosine, .lr = 0.1, .min_lr = 0.2});
  refused({.kind = ScheduleKind::cosine, .lr = 0.1, .min_lr = -0.2});
  refused({.kind = ScheduleKind::cosine, .lr = 0.1, .min_lr = nan});
  refused({.kind = ScheduleKind::constant, .lr = 0.1, .min_lr = 0.01});
  refused({.total_steps = 0});
  refused({.total_steps = 5, .warmup_steps = 6});
  refused({.total_steps = 5, .warmup_steps = -1});
  refused({.kind = ScheduleKind::step});
  refused({.kind = ScheduleKind::step, .total_steps = 9, .milestones = {5, 5}});
  refused({.kind = ScheduleKind::step, .total_steps = 9, .milestones = {6, 5}});
  refused({.kind = ScheduleKind::step, .total_steps = 9, .milestones = {0}});
  refused({.kind = ScheduleKind::step, .total_steps = 9, .warmup_steps = 4, .milestones = {3}});
  refused({.kind = ScheduleKind::step, .total_steps = 9, .milestones = {5}, .gamma = 0});
  refused({.kind = ScheduleKind::step, .total_steps = 9, .milestones = {5}, .gamma = nan});
  refused({.kind = ScheduleKind::cosine, .total_steps = 9, .milestones = {5}});
  CHECK_THROWS_AS(Schedule({.lr = 0.1}).lr(-1), ArgumentError);
}

}  // namespace basin::optim
