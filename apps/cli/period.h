// PeriodicTimer: a Period on the clock of a run. It says at each step whether the moment has come.
#pragma once

#include <cstdint>
#include <functional>

#include "apps/config/config.h"

namespace basin::apps {

/// Seconds since some fixed moment, never going back.
using Clock = std::function<double()>;
/// The steady clock of the system.
Clock steady_clock();

/// In steps and epochs the moments depend on the step alone, so that a resumed run has those of a straight
/// one: every step t at which another whole period has passed since step 0. In seconds they depend on the
/// clock.
class PeriodicTimer {
 public:
  PeriodicTimer(const Period& period, std::int64_t steps_per_epoch, Clock clock = steady_clock());
  /// To be asked once after each step, with the number of steps made.
  bool due(std::int64_t step);

 private:
  Period period_;
  double interval_;  // in steps
  Clock clock_;
  double last_;  // seconds
};

}  // namespace basin::apps
