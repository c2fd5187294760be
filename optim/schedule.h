// Learning-rate schedules: pure functions of the global step, so that there is no scheduler state to save.
#pragma once

#include <cstdint>
#include <vector>

namespace basin::optim {

enum class ScheduleKind { constant, step, cosine, linear };

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::constant;
  double lr = 0.1;                            // the peak
  double min_lr = 0;                          // cosine and linear end here; the others have no end: 0
  std::int64_t total_steps = 1;               // of the run
  std::int64_t warmup_steps = 0;              // linear from lr/warmup_steps in step 0 up to lr
  std::vector<std::int64_t> milestones = {};  // step: lr *= gamma from each of these steps on
  double gamma = 0.1;                         // step
};

/// With T = total_steps, W = warmup_steps: in the warm-up, t < W, lr (t + 1) / W for every kind. Then
///   constant  lr
///   step      lr gamma^(number of milestones <= t)
///   linear    (1 - s) lr + s min_lr,  s = (t - W) / (T - W)
///   cosine    c lr + (1 - c) min_lr,  c = (1 + cos(pi s)) / 2   (Loshchilov and Hutter 2017, eq. (5))
/// so that step W has lr exactly, and step T, the first after the run, min_lr exactly; later steps stay
/// there.
class Schedule {
 public:
  /// Errors: an option out of range; milestones missing, not rising, or inside the warm-up; milestones or
  /// min_lr given to a kind that does not use them.
  explicit Schedule(const ScheduleOptions& options);
  /// Learning rate of step t = 0, 1, ... Errors: t negative.
  double lr(std::int64_t t) const;

 private:
  ScheduleOptions options_;
};

}  // namespace basin::optim
