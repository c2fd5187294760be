// The formulas of the schedules. schedule_options.cpp checks what goes into them.
#include "optim/schedule/schedule.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "core/error.h"

namespace basin::optim {
namespace {

double ratio(std::int64_t a, std::int64_t b) { return static_cast<double>(a) / static_cast<double>(b); }

/// high where peak = 1 and low where peak = 0, exactly.
double mix(double peak, double high, double low) { return peak * high + (1 - peak) * low; }

/// The share of the start that is left at s = 0 ... 1.
double left(Anneal shape, double s) {
  return shape == Anneal::linear ? 1 - s : (1 + std::cos(std::numbers::pi * s)) / 2;
}

double sawtooth(std::int64_t t, std::int64_t cycle, double high, double low) {
  return mix(1 - ratio(t % cycle + 1, cycle), high, low);
}

/// `shift` is 1 in the paper's form, 0 in the code's.
double triangle(std::int64_t t, std::int64_t cycle, std::int64_t shift, double high, double low) {
  const std::int64_t i = t % cycle + shift;
  return mix(ratio(std::abs(cycle - 2 * i), cycle), high, low);
}

std::int64_t sawtooth_ends(std::int64_t t, std::int64_t cycle) { return t / cycle; }
std::int64_t triangle_ends(std::int64_t t, std::int64_t cycle) { return (t + cycle / 2) / cycle; }

/// In whole numbers, so that the bends lie at the epochs where 2 e = D and 10 e = 9 D.
double swa(std::int64_t t, const ScheduleOptions& o) {
  const std::int64_t span = o.span_epochs;
  const std::int64_t fallen = std::clamp<std::int64_t>(10 * (t / o.steps_per_epoch) - 5 * span, 0, 4 * span);
  return mix(1 - ratio(fallen, 4 * span), o.lr, o.min_lr);
}

/// The number of the M cycles that end before step t < T; it is also the index of the cycle that t lies in.
/// Cycle k begins at floor(k T / M), which is <= t where k T < (t + 1) M.
std::int64_t snapshot_index(std::int64_t t, const ScheduleOptions& o) {
  return ((t + 1) * o.cycles - 1) / o.total_steps;
}

double snapshot(std::int64_t t, const ScheduleOptions& o) {
  t = std::min(t, o.total_steps - 1);
  const std::int64_t k = snapshot_index(t, o);
  const std::int64_t begin = k * o.total_steps / o.cycles;
  const std::int64_t length = (k + 1) * o.total_steps / o.cycles - begin;
  return mix(left(Anneal::cosine, ratio(t - begin + (o.code_form ? 1 : 0), length)), o.lr, o.min_lr);
}

double one_cycle(std::int64_t t, const ScheduleOptions& o) {
  const OneCycle& c = o.one_cycle;
  const double first = o.lr / c.div_factor, last = first / c.final_div_factor;
  if (t >= o.total_steps - 1) return last;
  const double step = static_cast<double>(t);
  const double top = c.pct_start * static_cast<double>(o.total_steps) - 1;
  if (step <= top) return mix(left(c.anneal, step / top), first, o.lr);
  return mix(left(c.anneal, (step - top) / (static_cast<double>(o.total_steps - 1) - top)), o.lr, last);
}

void check_step(std::int64_t t) {
  if (t < 0) throw ArgumentError("[schedule] steps count from 0, got ", t);
}

}  // namespace

double Schedule::base_lr(std::int64_t t) const {
  const ScheduleOptions& o = options_;
  if (t < o.warmup_steps) return o.lr * static_cast<double>(t + 1) / static_cast<double>(o.warmup_steps);
  switch (o.kind) {
    case ScheduleKind::constant:
      return o.lr;
    case ScheduleKind::step: {
      double lr = o.lr;
      for (std::int64_t m : o.milestones)
        if (m <= t) lr *= o.gamma;
      return lr;
    }
    case ScheduleKind::cosine:
    case ScheduleKind::linear: {
      if (t >= o.total_steps) return o.min_lr;
      const Anneal shape = o.kind == ScheduleKind::linear ? Anneal::linear : Anneal::cosine;
      return mix(left(shape, ratio(t - o.warmup_steps, o.total_steps - o.warmup_steps)), o.lr, o.min_lr);
    }
    case ScheduleKind::swa:
      return swa(t, o);
    case ScheduleKind::sawtooth:
      return sawtooth(t, o.cycle_steps, o.lr, o.min_lr);
    case ScheduleKind::triangle:
      return triangle(t, o.cycle_steps, o.code_form ? 0 : 1, o.lr, o.min_lr);
    case ScheduleKind::snapshot:
      return snapshot(t, o);
    case ScheduleKind::one_cycle:
      return one_cycle(t, o);
  }
  throw ArgumentError("[schedule] unknown kind");
}

double Schedule::lr(std::int64_t t) const {
  check_step(t);
  if (!options_.tail || t < options_.tail->start_step) return base_lr(t);
  const ScheduleTail& tail = *options_.tail;
  const std::int64_t start = tail_cycles_start();
  if (t < start)
    return mix(left(tail.anneal, ratio(t - tail.start_step, tail.anneal_steps)), base_lr(tail.start_step),
               tail.lr);
  if (tail.cycle_steps == 0) return tail.lr;
  return tail.triangle ? triangle(t - start, tail.cycle_steps, 1, tail.high_lr, tail.lr)
                       : sawtooth(t - start, tail.cycle_steps, tail.high_lr, tail.lr);
}

std::int64_t Schedule::base_ends_before(std::int64_t t) const {
  const ScheduleOptions& o = options_;
  if (o.kind == ScheduleKind::sawtooth) return sawtooth_ends(t, o.cycle_steps);
  if (o.kind == ScheduleKind::triangle) return triangle_ends(t, o.cycle_steps);
  if (o.kind == ScheduleKind::snapshot) return t < o.total_steps ? snapshot_index(t, o) : o.cycles;
  return 0;
}

std::int64_t Schedule::cycle_ends_before(std::int64_t t) const {
  check_step(t);
  if (!options_.tail || t <= options_.tail->start_step) return base_ends_before(t);
  const ScheduleTail& tail = *options_.tail;
  const std::int64_t start = tail_cycles_start();
  std::int64_t ends = base_ends_before(tail.start_step);
  if (tail.cycle_steps > 0 && t > start)
    ends += tail.triangle ? triangle_ends(t - start, tail.cycle_steps)
                          : sawtooth_ends(t - start, tail.cycle_steps);
  return ends;
}

bool Schedule::is_cycle_end(std::int64_t t) const { return cycle_ends_before(t + 1) != cycle_ends_before(t); }

bool Schedule::has_cycles() const {
  const ScheduleOptions& o = options_;
  return o.kind == ScheduleKind::sawtooth || o.kind == ScheduleKind::triangle ||
         o.kind == ScheduleKind::snapshot || (o.tail && o.tail->cycle_steps > 0);
}

}  // namespace basin::optim
