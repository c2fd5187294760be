#include "apps/config/run_length.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace basin::apps {

std::int64_t RunLength::batches(std::int64_t epoch) const {
  return std::clamp<std::int64_t>(steps - epoch * steps_per_epoch, 0, steps_per_epoch);
}

std::int64_t RunLength::steps_of(double epochs_long) const {
  return std::llround(epochs_long * static_cast<double>(steps_per_epoch));
}

std::int64_t RunLength::first_epoch(double start) const {
  const double epoch = start < 1 ? start * static_cast<double>(epochs) : start;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(epoch - 1e-9)));
}

std::vector<double> RunLength::milestone_epochs(const std::vector<double>& milestones) const {
  const auto below_one = std::count_if(milestones.begin(), milestones.end(), [](double m) { return m < 1; });
  if (below_one != 0 && below_one != std::ssize(milestones)) {
    throw UsageError(
        "--milestones are either all fractions of the run (below 1) or all epochs (1 and above)");
  }
  const auto all = static_cast<double>(epochs);
  std::vector<double> resolved;
  for (const double m : milestones) {
    const double at = m < 1 ? m * all : m;
    if (!resolved.empty() && at <= resolved.back())
      throw UsageError("--milestones must rise: ", m, " does not");
    if (at >= all)
      throw UsageError("--milestones ", m, " is not before the end of the run (", in_words(), ")");
    resolved.push_back(at);
  }
  return resolved;
}

std::string RunLength::in_words() const {
  if (!by_steps) return text("--epochs ", epochs);
  return text("--steps ", steps, ", ", epochs, epochs == 1 ? " epoch" : " epochs");
}

RunLength run_length(const ScheduleConfig& s, std::int64_t images) {
  RunLength length{.epochs = s.epochs, .by_steps = s.steps > 0};
  length.steps_per_epoch = (images + s.batch_size - 1) / s.batch_size;
  length.steps = length.by_steps ? s.steps : s.epochs * length.steps_per_epoch;
  if (length.by_steps && images > 0)
    length.epochs = (s.steps + length.steps_per_epoch - 1) / length.steps_per_epoch;
  return length;
}

}  // namespace basin::apps
