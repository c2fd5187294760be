#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace basin::optim {
namespace {

bool has_end(ScheduleKind kind) { return kind == ScheduleKind::cosine || kind == ScheduleKind::linear; }

void check_milestones(const ScheduleOptions& o) {
  if (o.kind != ScheduleKind::step) {
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

}  // namespace

Schedule::Schedule(const ScheduleOptions& options) : options_(options) {
  const ScheduleOptions& o = options_;
  if (!(o.lr >= 0) || !std::isfinite(o.lr))
    throw ArgumentError("[schedule] lr must be finite and at least 0, got ", o.lr);
  if (!(o.min_lr >= 0 && o.min_lr <= o.lr))
    throw ArgumentError("[schedule] min_lr must be between 0 and lr (", o.lr, "), got ", o.min_lr);
  if (o.min_lr != 0 && !has_end(o.kind))
    throw ArgumentError("[schedule] min_lr belongs to the cosine and linear schedules, got ", o.min_lr);
  if (o.total_steps < 1)
    throw ArgumentError("[schedule] total_steps must be at least 1, got ", o.total_steps);
  if (o.warmup_steps < 0 || o.warmup_steps > o.total_steps)
    throw ArgumentError("[schedule] warmup_steps must be between 0 and total_steps (", o.total_steps,
                        "), got ", o.warmup_steps);
  if (!(o.gamma > 0) || !std::isfinite(o.gamma))
    throw ArgumentError("[schedule] gamma must be finite and above 0, got ", o.gamma);
  check_milestones(o);
}

double Schedule::lr(std::int64_t t) const {
  const ScheduleOptions& o = options_;
  if (t < 0) throw ArgumentError("[schedule] steps count from 0, got ", t);
  if (t < o.warmup_steps) return o.lr * static_cast<double>(t + 1) / static_cast<double>(o.warmup_steps);

  if (o.kind == ScheduleKind::constant) return o.lr;
  if (o.kind == ScheduleKind::step) {
    double lr = o.lr;
    for (std::int64_t m : o.milestones)
      if (m <= t) lr *= o.gamma;
    return lr;
  }
  if (t >= o.total_steps) return o.min_lr;
  const double s =
      static_cast<double>(t - o.warmup_steps) / static_cast<double>(o.total_steps - o.warmup_steps);
  const double peak = o.kind == ScheduleKind::linear ? 1 - s : (1 + std::cos(std::numbers::pi * s)) / 2;
  return peak * o.lr + (1 - peak) * o.min_lr;  // lr exactly where peak = 1
}

}  // namespace basin::optim
