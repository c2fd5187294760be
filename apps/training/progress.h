// Progress of a training run: one repainted line on a terminal, a plain line now and then elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "apps/cli/terminal.h"
#include "apps/options/period.h"
#include "apps/runs/records.h"

namespace basin::apps {

/// How long the run is.
struct ProgressPlan {
  std::int64_t epochs = 1;
  std::int64_t steps_per_epoch = 1;
  std::int64_t total_steps = 1;  // of all epochs: the last may be short
  std::int64_t first_step = 0;   // steps made before this call, on a resumed run
};

class Progress {
 public:
  Progress(Terminal& terminal, const ProgressPlan& plan, Clock clock = steady_clock());

  /// After each step. Repaints at most ten times a second, or logs a line every --log-every.
  void step(const StepRecord& record);
  /// Removes the line (also before an error is reported).
  void clear();

 private:
  std::string line(const StepRecord& record, int width, bool bar) const;

  Terminal& terminal_;
  ProgressPlan plan_;
  Clock clock_;
  PeriodicTimer log_timer_;
  EpochSums sums_;           // of the epoch, for the means shown
  std::int64_t epoch_ = 0;   // that sums_ belongs to
  std::int64_t first_step_;  // of this call
  double begin_;             // of this call, seconds
  double painted_ = -1;      // time of the last repaint
};

/// Fields of a line, joined by two spaces, the least important dropped until the line fits `width` columns.
/// Each is a text and its rank: fields of a higher rank go first.
std::string fitted(const std::vector<std::pair<std::string, int>>& fields, int width);

/// A bar of `width` columns, `fraction` of it filled: heavy and light lines, or # and - in ASCII.
std::string bar(double fraction, int width, bool unicode);

}  // namespace basin::apps
