// The range test of learning rates: the loss while the rate rises from step to step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/config/train_config.h"
#include "apps/evaluation/run_data.h"
#include "apps/report/figure.h"

namespace basin::apps {

/// Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3, with the rate rising
/// exponentially as is usual today.
struct RateSearchConfig {
  double low = 1e-6, high = 10;  // 0 < low < high
  std::int64_t steps = 200;      // >= 2
  double smoothing = 0.95;       // of the loss, [0, 1)
  double diverged = 4;           // stops when the smoothed loss is so many times its least so far, > 1
};

/// low (high / low)^(step / (steps - 1)), step = 0, ..., steps - 1.
double rate_of(const RateSearchConfig& config, std::int64_t step);

/// The running mean of losses without a bias towards its start: m_i / (1 - b^(i+1)) with m_i = b m_{i-1} +
/// (1 - b) loss_i, m_{-1} = 0 and b the smoothing.
std::vector<double> smoothed(const std::vector<double>& losses, double smoothing);

struct RateRecord {
  std::vector<double> rates{}, losses{};  // of the steps that were made, each the loss before it
  std::string end{};                      // why there are no more: "the last step", ...
  std::int64_t passes = 0;                // forward-backward passes over a batch
};

/// Trains a network of its own, from the configuration's weights, with its gradient rule and its update rule,
/// at rate_of() in place of the schedule. It ends at the last step, when the loss has diverged, or at a step
/// that is not finite. Nothing but `file` is written: the state after every hundredth step and where an
/// exception ends the call; a call that finds it goes on with the same bits, and removes it at the end.
/// Errors: those of Experiment, of restore_state() for another file, and of the watch.
RateRecord search_rates(const TrainConfig& config, const RunData& data, const RateSearchConfig& search,
                        const std::string& file, const data::Watch& watch = {});

/// What the curve says of a good rate. Both rules look at the smoothed loss up to its minimum.
struct RateSuggestion {
  double minimum = 0;   // the rate of the least smoothed loss
  double least = 0;     // that loss
  double tenth = 0;     // minimum / 10: safely below where the loss begins to rise
  double steepest = 0;  // where the smoothed loss falls fastest over log(rate)
  double slope = 0;     // its fall there in one tenfold of the rate, < 0
};
/// Slopes are those of secants over a tenth of the steps in all. None where the loss never fell by more than
/// a hundredth of what it was at first.
std::optional<RateSuggestion> suggestion_of(const std::vector<double>& rates,
                                            const std::vector<double>& smooth);

}  // namespace basin::apps
