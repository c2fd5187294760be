// Calibration and Confusion: whether a model is right as often as it says, and what it takes for what.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/evaluation/evaluation.h"

namespace basin::apps {

/// Examples whose confidence, the largest probability, lies in one interval of equal width. Means over them;
/// NaN where there are none.
struct ConfidenceBin {
  double low = 0, high = 0;  // (low, high]
  std::int64_t rows = 0, correct = 0;
  double confidence_sum = 0;

  double accuracy() const { return ratio(static_cast<double>(correct), static_cast<double>(rows)); }
  double confidence() const { return ratio(confidence_sum, static_cast<double>(rows)); }
};

struct Calibration {
  std::vector<ConfidenceBin> bins{};
  /// The expected calibration error (Guo et al. 2017): sum_b n_b / N |accuracy_b - confidence_b|.
  double expected_error = 0;
  double brier = 0;  // mean over examples of sum_k (p_k - [k = label])^2
};

/// Errors: ArgumentError for fewer than one bin, or no example.
Calibration calibration_of(const Predictions& predictions, int bins = 15);

/// counts[label * K + class of the largest probability]; ties go to the lower class, as evaluate() counts.
std::vector<std::int64_t> confusion_of(const Predictions& predictions);

/// Where in these counts of K classes the mistakes stand, places label * K + prediction of counts above 0 off
/// the diagonal: the most frequent first, equal ones in their order, at most `most`.
std::vector<std::size_t> frequent_mistakes(const std::vector<std::int64_t>& counts, std::size_t classes,
                                           std::size_t most = 10);

}  // namespace basin::apps
