// Learning-rate schedules: pure functions of the global step, so that there is no scheduler state to save.
#pragma once

#include <cstdint>
#include <vector>

namespace basin::optim {

enum class ScheduleKind { constant, step, cosine, linear };

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::constant;
  double lr = 0.1;                       // the peak
  double min_lr = 0;                     // cosine and linear end here
  std::int64_t total_steps = 1;          // of the run
  std::int64_t warmup_steps = 0;         // linear from lr/warmup_steps up to lr
  std::vector<std::int64_t> milestones;  // step: lr *= gamma when a milestone's step is reached
  double gamma = 0.1;
};

class Schedule {
 public:
  /// Errors: an option out of range, milestones not rising.
  explicit Schedule(const ScheduleOptions& options);
  /// Learning rate of step t = 0, 1, ..., total_steps - 1 (a later t continues the end value).
  /// cosine: min + (lr - min)/2 (1 + cos(pi s)); linear: lr + (min - lr) s; s = (t - warmup)/(total -
  /// warmup).
  double lr(std::int64_t t) const;

 private:
  ScheduleOptions options_;
};

}  // namespace basin::optim
