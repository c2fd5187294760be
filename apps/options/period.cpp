// Whole periods passed, counted by division: no state but the clock's.
#include "apps/options/period.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace basin::apps {

Clock steady_clock() {
  return [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
}

PeriodicTimer::PeriodicTimer(const Period& period, std::int64_t steps_per_epoch, Clock clock)
    : period_(period), interval_(period.count), clock_(std::move(clock)), last_(clock_()) {
  if (period.unit == Period::Unit::epochs) {
    interval_ = std::max(1.0, period.count * static_cast<double>(steps_per_epoch));
  }
}

bool PeriodicTimer::due(std::int64_t step) {
  if (period_.never()) return false;
  if (period_.unit == Period::Unit::seconds) {
    const double now = clock_();
    if (now - last_ < period_.count) return false;
    last_ = now;
    return true;
  }
  const auto periods = [&](std::int64_t at) { return std::floor(static_cast<double>(at) / interval_); };
  return periods(step) > periods(step - 1);
}

}  // namespace basin::apps
