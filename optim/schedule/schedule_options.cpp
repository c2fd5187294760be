// What a schedule accepts: Schedule's constructor.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "optim/schedule/schedule.h"

namespace basin::optim {
namespace {

using Kind = ScheduleKind;

/// A rate or factor that is a number >= 0.
bool is_rate(double x) { return x >= 0 && std::isfinite(x); }

bool takes_warmup(Kind kind) {
  return kind == Kind::constant || kind == Kind::step || kind == Kind::cosine || kind == Kind::linear ||
         kind == Kind::swa;
}

bool takes_min_lr(Kind kind) {
  return kind != Kind::constant && kind != Kind::step && kind != Kind::one_cycle;
}

void check_common(const ScheduleOptions& o) {
  if (!is_rate(o.lr)) throw ArgumentError("[schedule] lr must be finite and at least 0, got ", o.lr);
  if (!(o.min_lr >= 0 && o.min_lr <= o.lr))
    throw ArgumentError("[schedule] min_lr must be between 0 and lr (", o.lr, "), got ", o.min_lr);
  if (o.min_lr != 0 && !takes_min_lr(o.kind))
    throw ArgumentError("[schedule] constant, step and one_cycle have no min_lr, got ", o.min_lr);
  if (o.total_steps < 1)
    throw ArgumentError("[schedule] total_steps must be at least 1, got ", o.total_steps);
  if (o.warmup_steps < 0 || o.warmup_steps > o.total_steps)
    throw ArgumentError("[schedule] warmup_steps must be between 0 and total_steps (", o.total_steps,
                        "), got ", o.warmup_steps);
  if (o.warmup_steps > 0 && !takes_warmup(o.kind))
    throw ArgumentError("[schedule] warm-up goes with constant, step, cosine, linear and swa; the cycles of ",
                        "the other schedules begin at step 0: set warmup_steps to 0, got ", o.warmup_steps);
}

void check_milestones(const ScheduleOptions& o) {
  if (!(o.gamma > 0) || !std::isfinite(o.gamma))
    throw ArgumentError("[schedule] gamma must be finite and above 0, got ", o.gamma);
  if (o.kind != Kind::step) {
    if (!o.milestones.empty()) throw ArgumentError("[schedule] milestones belong to the step schedule");
    return;
  }
  if (o.milestones.empty())
    throw ArgumentError("[schedule] the step schedule needs milestones (steps at which lr is multiplied)");
  std::int64_t before = std::max<std::int64_t>(o.warmup_steps, 1) - 1;
  for (std::int64_t m : o.milestones) {
    if (m <= before)
      throw ArgumentError("[schedule] milestones must rise and lie at or after the warm-up's end (step ",
                          o.warmup_steps, ") and after step 0, got ", m);
    before = m;
  }
}

void check_swa(const ScheduleOptions& o) {
  if (o.kind != Kind::swa) {
    if (o.steps_per_epoch != 0 || o.span_epochs != 0)
      throw ArgumentError("[schedule] steps_per_epoch and span_epochs belong to the swa schedule");
    return;
  }
  if (o.steps_per_epoch < 1 || o.span_epochs < 1)
    throw ArgumentError(
        "[schedule] the swa schedule needs steps_per_epoch and span_epochs of at least 1, got ",
        o.steps_per_epoch, " and ", o.span_epochs);
  const std::int64_t held_steps = (o.span_epochs / 2 + 1) * o.steps_per_epoch;  // epochs 0 to D / 2
  if (o.warmup_steps > held_steps)
    throw ArgumentError("[schedule] the warm-up must end before the swa schedule begins to fall (step ",
                        held_steps, "), got warmup_steps ", o.warmup_steps);
}

void check_cycles(const ScheduleOptions& o) {
  const bool sawtooth = o.kind == Kind::sawtooth, triangle = o.kind == Kind::triangle,
             snapshot = o.kind == Kind::snapshot;
  if (!sawtooth && !triangle && o.cycle_steps != 0)
    throw ArgumentError("[schedule] cycle_steps belongs to the sawtooth and triangle schedules",
                        snapshot ? " (snapshot takes cycles, their number)" : "", ", got ", o.cycle_steps);
  if (!snapshot && o.cycles != 0)
    throw ArgumentError("[schedule] cycles belongs to the snapshot schedule, got ", o.cycles);
  if (!triangle && !snapshot && o.code_form)
    throw ArgumentError("[schedule] code_form belongs to the triangle and snapshot schedules");
  if (sawtooth && o.cycle_steps < 1)
    throw ArgumentError("[schedule] the sawtooth schedule needs cycle_steps of at least 1, got ",
                        o.cycle_steps);
  if (triangle && (o.cycle_steps < 2 || o.cycle_steps % 2 != 0))
    throw ArgumentError("[schedule] the triangle schedule needs cycle_steps, even and at least 2, got ",
                        o.cycle_steps);
  if (snapshot && (o.cycles < 1 || o.cycles > o.total_steps))
    throw ArgumentError("[schedule] the snapshot schedule needs cycles between 1 and total_steps (",
                        o.total_steps, "), got ", o.cycles);
}

void check_one_cycle(const ScheduleOptions& o) {
  const OneCycle& c = o.one_cycle;
  if (o.kind != Kind::one_cycle) {
    if (c != OneCycle{})
      throw ArgumentError("[schedule] pct_start, div_factor and final_div_factor belong to one_cycle");
    return;
  }
  if (!(c.pct_start > 0 && c.pct_start < 1))
    throw ArgumentError("[schedule] pct_start must be between 0 and 1, got ", c.pct_start);
  if (!(c.pct_start * static_cast<double>(o.total_steps) > 1))
    throw ArgumentError("[schedule] one_cycle needs more than one step to rise: pct_start (", c.pct_start,
                        ") times total_steps (", o.total_steps, ") must be above 1");
  if (!(c.div_factor >= 1) || !std::isfinite(c.div_factor))
    throw ArgumentError("[schedule] div_factor must be finite and at least 1, got ", c.div_factor);
  if (!(c.final_div_factor >= 1) || !std::isfinite(c.final_div_factor))
    throw ArgumentError("[schedule] final_div_factor must be finite and at least 1, got ",
                        c.final_div_factor);
}

void check_tail(const ScheduleOptions& o) {
  if (!o.tail) return;
  const ScheduleTail& tail = *o.tail;
  if (tail.start_step < o.warmup_steps || tail.start_step >= o.total_steps)
    throw ArgumentError("[schedule] the tail must start after the warm-up (step ", o.warmup_steps,
                        ") and within the run (", o.total_steps, " steps), got start_step ", tail.start_step);
  if (!is_rate(tail.lr))
    throw ArgumentError("[schedule] the tail's lr must be finite and at least 0, got ", tail.lr);
  if (tail.anneal_steps < 0)
    throw ArgumentError("[schedule] the tail's anneal_steps must be at least 0, got ", tail.anneal_steps);
  if (tail.cycle_steps < 0)
    throw ArgumentError("[schedule] the tail's cycle_steps must be at least 0, got ", tail.cycle_steps);
  if (tail.cycle_steps == 0 && tail.high_lr != 0)
    throw ArgumentError("[schedule] the tail's high_lr needs cycle_steps above 0, got high_lr ",
                        tail.high_lr);
  if (tail.triangle && (tail.cycle_steps < 2 || tail.cycle_steps % 2 != 0))
    throw ArgumentError("[schedule] the tail's triangle needs cycle_steps, even and at least 2, got ",
                        tail.cycle_steps);
  if (tail.cycle_steps > 0 && !(tail.high_lr >= tail.lr && is_rate(tail.high_lr)))
    throw ArgumentError(
        "[schedule] the tail's cycles fall from high_lr to lr: high_lr must be finite and at ", "least ",
        tail.lr, ", got ", tail.high_lr);
}

}  // namespace

Schedule::Schedule(const ScheduleOptions& options) : options_(options) {
  check_common(options);
  check_milestones(options);
  check_swa(options);
  check_cycles(options);
  check_one_cycle(options);
  check_tail(options);
}

}  // namespace basin::optim
