// Schedules with cycles: worked numbers of facts/swa_landscape.md 5.3 and 5.4, where the cycles end, and that
// a schedule remembers nothing.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "core/error.h"
#include "optim/schedule/schedule.h"

namespace basin::optim {
namespace {

using Kind = ScheduleKind;
using Rates = std::vector<double>;
using Steps = std::vector<std::int64_t>;

constexpr double kEightDecimals = 5.001e-9;
constexpr double kExact = 1e-16;

/// The largest difference to the first rates expected.
double gap(const Schedule& s, const Rates& expected) {
  double largest = 0;
  for (std::size_t t = 0; t < expected.size(); ++t)
    largest = std::max(largest, std::abs(s.lr(static_cast<std::int64_t>(t)) - expected[t]));
  return largest;
}

/// The cycle ends among the first steps.
Steps ends(const Schedule& s, std::int64_t steps) {
  Steps found;
  for (std::int64_t t = 0; t < steps; ++t)
    if (s.is_cycle_end(t)) found.push_back(t);
  return found;
}

Schedule sawtooth(double high, double low, std::int64_t cycle) {
  return Schedule({.kind = Kind::sawtooth, .lr = high, .min_lr = low, .cycle_steps = cycle});
}

Schedule triangle(double high, double low, std::int64_t cycle, bool code_form = false) {
  return Schedule(
      {.kind = Kind::triangle, .lr = high, .min_lr = low, .cycle_steps = cycle, .code_form = code_form});
}

Schedule snapshot(double lr, std::int64_t steps, std::int64_t cycles, bool code_form = false) {
  return Schedule(
      {.kind = Kind::snapshot, .lr = lr, .total_steps = steps, .cycles = cycles, .code_form = code_form});
}

/// One schedule of every kind, with and without a tail, over 120 steps.
std::vector<ScheduleOptions> all_schedules() {
  const std::vector<ScheduleOptions> kinds = {
      {.lr = 0.2, .total_steps = 120, .warmup_steps = 5},
      {.kind = Kind::step, .lr = 0.2, .total_steps = 120, .milestones = {40, 80}},
      {.kind = Kind::cosine, .lr = 0.2, .total_steps = 120, .warmup_steps = 7},
      {.kind = Kind::linear, .lr = 0.2, .min_lr = 0.01, .total_steps = 120},
      {.kind = Kind::swa,
       .lr = 0.2,
       .min_lr = 0.1,
       .total_steps = 120,
       .steps_per_epoch = 6,
       .span_epochs = 15},
      {.kind = Kind::sawtooth, .lr = 0.2, .min_lr = 0.1, .total_steps = 120, .cycle_steps = 9},
      {.kind = Kind::triangle, .lr = 0.2, .min_lr = 0.1, .total_steps = 120, .cycle_steps = 8},
      {.kind = Kind::triangle, .lr = 0.2, .total_steps = 120, .cycle_steps = 14, .code_form = true},
      {.kind = Kind::snapshot, .lr = 0.2, .total_steps = 120, .cycles = 7},
      {.kind = Kind::snapshot,
       .lr = 0.2,
       .min_lr = 0.01,
       .total_steps = 120,
       .cycles = 11,
       .code_form = true},
      {.kind = Kind::one_cycle, .lr = 0.2, .total_steps = 120}};
  std::vector<ScheduleOptions> all;
  for (ScheduleOptions o : kinds) {
    all.push_back(o);
    o.tail = {.start_step = 60, .lr = 0.05, .anneal_steps = 11};
    all.push_back(o);
    o.tail = {.start_step = 60, .lr = 0.05, .anneal_steps = 3, .cycle_steps = 13, .high_lr = 0.15};
    all.push_back(o);
  }
  return all;
}

}  // namespace

TEST_CASE("swa_landscape 5.3: the cyclical rate of SWA, c = 5, 0.05 to 0.01") {
  const Schedule s = sawtooth(0.05, 0.01, 5);
  CHECK(gap(s, {0.042, 0.034, 0.026, 0.018, 0.01, 0.042, 0.034}) < kExact);
  CHECK(ends(s, 17) == Steps{4, 9, 14});  // i = 5, 10, 15 in the paper's count
  CHECK(s.lr(4) == 0.01);
  CHECK(s.has_cycles());
  // The same as a tail: where it begins, i = 1.
  const Schedule later({.lr = 0.1,
                        .total_steps = 40,
                        .tail = {{.start_step = 13, .lr = 0.01, .cycle_steps = 5, .high_lr = 0.05}}});
  for (std::int64_t t = 0; t < 13; ++t) CHECK(later.lr(t) == 0.1);
  for (std::int64_t t = 13; t < 40; ++t) CHECK(later.lr(t) == s.lr(t - 13));
  CHECK(ends(later, 40) == Steps{17, 22, 27, 32, 37});
  CHECK(later.has_cycles());
}

TEST_CASE("schedule sawtooth: equal rates are SWA's constant form, which still has cycle ends") {
  const Schedule s = sawtooth(0.05, 0.05, 3);
  CHECK(gap(s, Rates(20, 0.05)) < kExact);
  CHECK(ends(s, 9) == Steps{2, 5, 8});
  CHECK(ends(sawtooth(0.05, 0.01, 1), 4) == Steps{0, 1, 2, 3});
}

TEST_CASE("schedule tail: cycles that follow an anneal") {
  const Schedule s({.lr = 0.1,
                    .total_steps = 40,
                    .tail = {{.start_step = 10,
                              .lr = 0.02,
                              .anneal_steps = 4,
                              .anneal = Anneal::linear,
                              .cycle_steps = 3,
                              .high_lr = 0.05}}});
  const Rates expected = {0.1, 0.08, 0.06, 0.04, 0.04, 0.03, 0.02, 0.04, 0.03, 0.02};
  for (std::size_t j = 0; j < expected.size(); ++j)
    CHECK(std::abs(s.lr(10 + static_cast<std::int64_t>(j)) - expected[j]) < kExact);
  CHECK(ends(s, 20) == Steps{16, 19});
}

TEST_CASE("schedule tail: behind a schedule with cycles, both kinds of ends count") {
  const Schedule s({.kind = Kind::sawtooth,
                    .lr = 0.1,
                    .total_steps = 40,
                    .cycle_steps = 4,
                    .tail = {{.start_step = 10, .lr = 0.01, .cycle_steps = 6, .high_lr = 0.02}}});
  CHECK(ends(s, 30) == Steps{3, 7, 15, 21, 27});
  CHECK(s.cycle_ends_before(30) == 5);
}

TEST_CASE("swa_landscape 5.4: FGE's triangle as in the paper, c = 8, 0.05 and 0.0005") {
  const Schedule s = triangle(0.05, 0.0005, 8);
  CHECK(gap(s, {0.037625, 0.02525, 0.012875, 0.0005, 0.012875, 0.02525, 0.037625, 0.05, 0.037625}) < kExact);
  CHECK(ends(s, 24) == Steps{3, 11, 19});
  CHECK(s.lr(3) == 0.0005);
  CHECK(s.lr(7) == 0.05);
}

TEST_CASE("swa_landscape 5.4: FGE's triangle as in the code, cycle 4 epochs of 2 steps") {
  const Schedule s = triangle(0.05, 0.0005, 8, true);
  CHECK(gap(s, {0.05, 0.037625, 0.02525, 0.012875, 0.0005, 0.012875, 0.02525, 0.037625, 0.05}) < kExact);
  CHECK(ends(s, 24) == Steps{3, 11, 19});  // the last steps of epochs 1, 5 and 9
}

TEST_CASE("swa_landscape 5.4: FGE, 40 epochs in cycles of 2 give 20 members") {
  const std::int64_t epoch = 390;
  for (bool code_form : {false, true}) {
    const Schedule s = triangle(0.05, 0.01, 2 * epoch, code_form);
    CHECK(s.cycle_ends_before(40 * epoch) == 20);
    const Steps found = ends(s, 40 * epoch);
    REQUIRE(found.size() == 20);
    for (std::size_t k = 0; k < 20; ++k)  // after epochs 0, 2, 4, ...
      CHECK(found[k] == static_cast<std::int64_t>(2 * k + 1) * epoch - 1);
  }
}

TEST_CASE("swa_landscape 5.4: Snapshot, a0 = 0.1, T = 20, M = 4") {
  const Schedule s = snapshot(0.1, 20, 4);
  CHECK(gap(s, {0.1, 0.09045085, 0.06545085, 0.03454915, 0.00954915, 0.1}) < kEightDecimals);
  const double c1 = (1 + std::sqrt(5)) / 4, c2 = (std::sqrt(5) - 1) / 4;  // cos(pi/5), cos(2 pi/5)
  const Rates cycle = {0.1, 0.05 * (1 + c1), 0.05 * (1 + c2), 0.05 * (1 - c2), 0.05 * (1 - c1)};
  for (std::int64_t t = 0; t < 20; ++t)
    CHECK(std::abs(s.lr(t) - cycle[static_cast<std::size_t>(t % 5)]) < kExact);
  CHECK(ends(s, 30) == Steps{4, 9, 14, 19});
  CHECK(s.lr(20) == s.lr(19));
  CHECK(s.lr(1000) == s.lr(19));

  const Schedule code = snapshot(0.1, 20, 4, true);
  CHECK(gap(code, {0.09045085, 0.06545085, 0.03454915, 0.00954915, 0, 0.09045085}) < kEightDecimals);
  CHECK(code.lr(4) == 0);
  CHECK(ends(code, 30) == Steps{4, 9, 14, 19});
}

TEST_CASE("swa_landscape 5.4: Snapshot, 10 steps in 3 cycles, without the phase bug of the Lua code") {
  const Schedule s = snapshot(0.1, 10, 3, true);
  CHECK(gap(s, {0.075, 0.025, 0, 0.075, 0.025, 0, 0.085355, 0.05, 0.014645, 0}) < 5.001e-7);
  const double high = 0.05 * (1 + std::sqrt(0.5)), low = 0.05 * (1 - std::sqrt(0.5));
  CHECK(gap(s, {0.075, 0.025, 0, 0.075, 0.025, 0, high, 0.05, low, 0}) < kExact);
  CHECK(ends(s, 10) == Steps{2, 5, 9});
}

TEST_CASE("schedule snapshot: M cycles fill any T, each a whole cosine, the last ending with the run") {
  for (std::int64_t steps : {1, 2, 7, 10, 97, 360})
    for (std::int64_t cycles = 1; cycles <= std::min<std::int64_t>(steps, 40); ++cycles) {
      CAPTURE(steps);
      CAPTURE(cycles);
      const Schedule s = snapshot(0.1, steps, cycles);
      const Steps found = ends(s, steps + 50);
      REQUIRE(found.size() == static_cast<std::size_t>(cycles));
      CHECK(found.back() == steps - 1);
      std::int64_t begin = 0;
      double largest = 0;
      for (std::int64_t end : found) {
        const std::int64_t length = end + 1 - begin;
        CHECK(length >= steps / cycles);
        CHECK(length <= (steps + cycles - 1) / cycles);
        CHECK(s.lr(begin) == 0.1);
        for (std::int64_t i = 0; i < length; ++i) {
          const double angle = std::numbers::pi * static_cast<double>(i) / static_cast<double>(length);
          largest = std::max(largest, std::abs(s.lr(begin + i) - 0.05 * (std::cos(angle) + 1)));
        }
        begin = end + 1;
      }
      CHECK(largest < kExact);
    }
}

TEST_CASE("schedule: cycle ends are counted as they are listed") {
  for (const ScheduleOptions& o : all_schedules()) {
    const Schedule s(o);
    CAPTURE(static_cast<int>(o.kind));
    std::int64_t count = 0;
    for (std::int64_t t = 0; t < 300; ++t) {
      CHECK(s.cycle_ends_before(t) == count);
      count += s.is_cycle_end(t) ? 1 : 0;
    }
    CHECK((count > 0) == s.has_cycles());
  }
}

TEST_CASE("schedule: a rate depends on the step alone, whatever was asked before") {
  for (const ScheduleOptions& o : all_schedules()) {
    const Schedule s(o);
    CAPTURE(static_cast<int>(o.kind));
    Rates forward;
    for (std::int64_t t = 0; t < 150; ++t) forward.push_back(s.lr(t));
    const Schedule copy = s;
    for (std::int64_t t = 149; t >= 0; --t) {  // backwards, and in jumps of 83 (coprime to 150)
      const std::int64_t jump = t * 83 % 150;
      CHECK(copy.lr(t) == forward[static_cast<std::size_t>(t)]);
      CHECK(copy.lr(jump) == forward[static_cast<std::size_t>(jump)]);
      CHECK(std::isfinite(s.lr(t)));
      CHECK(s.lr(t) >= 0);
    }
  }
}

TEST_CASE("schedule: cycles refuse what does not fit") {
  const auto refused = [](const ScheduleOptions& o) { CHECK_THROWS_AS(Schedule{o}, ArgumentError); };
  refused({.kind = Kind::sawtooth});
  refused({.kind = Kind::sawtooth, .cycle_steps = -3});
  refused({.kind = Kind::sawtooth, .lr = 0.1, .min_lr = 0.2, .cycle_steps = 3});
  refused({.kind = Kind::sawtooth, .cycle_steps = 3, .cycles = 2});
  refused({.kind = Kind::sawtooth, .cycle_steps = 3, .code_form = true});
  refused({.kind = Kind::triangle});
  refused({.kind = Kind::triangle, .cycle_steps = 5});
  refused({.kind = Kind::triangle, .cycle_steps = -2});
  refused({.kind = Kind::snapshot, .total_steps = 10});
  refused({.kind = Kind::snapshot, .total_steps = 10, .cycles = 11});
  refused({.kind = Kind::snapshot, .total_steps = 10, .cycles = -1});
  refused({.kind = Kind::snapshot, .total_steps = 10, .cycle_steps = 5, .cycles = 2});
  refused({.kind = Kind::cosine, .total_steps = 10, .cycles = 2});
  refused({.kind = Kind::cosine, .total_steps = 10, .code_form = true});
  refused({.kind = Kind::constant, .total_steps = 10, .cycle_steps = 2});

  // A warm-up would shift or cut the first cycle.
  refused({.kind = Kind::sawtooth, .total_steps = 10, .warmup_steps = 1, .cycle_steps = 2});
  refused({.kind = Kind::triangle, .total_steps = 10, .warmup_steps = 1, .cycle_steps = 2});
  refused({.kind = Kind::snapshot, .total_steps = 10, .warmup_steps = 1, .cycles = 2});
  const Schedule s = sawtooth(0.1, 0, 3);
  CHECK_THROWS_AS(s.is_cycle_end(-1), ArgumentError);
  CHECK_THROWS_AS(s.cycle_ends_before(-1), ArgumentError);
  CHECK_THROWS_AS(s.lr(-1), ArgumentError);
}

TEST_CASE("schedule tail: a triangle after any schedule is FGE's after its pretraining") {
  // 20 steps of cosine, then cycles of 8 from 0.05 down to 0.0005 and up again: facts 5.4.
  const Schedule schedule(
      {.kind = ScheduleKind::cosine,
       .lr = 0.1,
       .total_steps = 40,
       .tail = ScheduleTail{
           .start_step = 20, .lr = 0.0005, .cycle_steps = 8, .high_lr = 0.05, .triangle = true}});
  const Schedule cosine({.kind = ScheduleKind::cosine, .lr = 0.1, .total_steps = 40});
  for (std::int64_t t = 0; t < 20; ++t) CHECK(schedule.lr(t) == cosine.lr(t));
  const double rates[] = {0.037625, 0.02525, 0.012875, 0.0005, 0.012875, 0.02525, 0.037625, 0.05, 0.037625};
  for (std::int64_t i = 0; i < 9; ++i) CHECK(schedule.lr(20 + i) == doctest::Approx(rates[i]).epsilon(1e-13));
  CHECK(schedule.has_cycles());
  std::vector<std::int64_t> ends;
  for (std::int64_t t = 0; t < 40; ++t)
    if (schedule.is_cycle_end(t)) ends.push_back(t);
  CHECK(ends == std::vector<std::int64_t>{23, 31, 39});
  CHECK(schedule.lr(23) == 0.0005);
  CHECK(schedule.cycle_ends_before(32) == 2);
  const auto odd = [] {
    return Schedule(
        {.total_steps = 40, .tail = ScheduleTail{.cycle_steps = 7, .high_lr = 1, .triangle = true}});
  };
  CHECK_THROWS_WITH_AS(odd(), doctest::Contains("even"), ArgumentError);
}

}  // namespace basin::optim
