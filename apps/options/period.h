// A recurring moment of a run, and a clock that says at each step whether it has come.
#pragma once

#include <cstdint>
#include <functional>

namespace basin::apps {

/// A recurring moment of a run: every `count` steps, epochs (0.1 epochs is allowed) or seconds; never if
/// count is 0.
struct Period {
  enum class Unit { steps, epochs, seconds };
  double count = 0;
  Unit unit = Unit::epochs;
  bool never() const { return count == 0; }
  bool operator==(const Period&) const = default;
};

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
