#include "apps/evaluation/calibration.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace basin::apps {
namespace {

/// One row of the probabilities after the other: visit(label, probabilities, the first of the largest).
template <class Visit>
void each_row(const Predictions& predictions, Visit visit) {
  const Tensor& p = predictions.probabilities;
  const auto classes = static_cast<std::size_t>(p.shape()[1]);
  const double* row = p.data<double>();
  for (const std::int64_t label : predictions.labels) {
    const std::size_t best = static_cast<std::size_t>(std::max_element(row, row + classes) - row);
    visit(static_cast<std::size_t>(label), row, best);
    row += classes;
  }
}

}  // namespace

Calibration calibration_of(const Predictions& predictions, int bins) {
  if (bins < 1 || predictions.labels.empty())
    throw ArgumentError("[calibration] ", bins, " intervals over ", predictions.labels.size(), " examples");
  Calibration result;
  for (int b = 0; b < bins; ++b)
    result.bins.push_back({.low = static_cast<double>(b) / bins, .high = static_cast<double>(b + 1) / bins});
  const auto classes = static_cast<std::size_t>(predictions.probabilities.shape()[1]);
  const auto rows = static_cast<double>(predictions.labels.size());
  double squares = 0;
  each_row(predictions, [&](std::size_t label, const double* p, std::size_t best) {
    const int place = static_cast<int>(std::ceil(p[best] * bins)) - 1;
    ConfidenceBin& bin = result.bins[static_cast<std::size_t>(std::clamp(place, 0, bins - 1))];
    ++bin.rows;
    bin.correct += best == label;
    bin.confidence_sum += p[best];
    for (std::size_t k = 0; k < classes; ++k) {
      const double wanted = k == label ? 1 : 0;
      squares += (p[k] - wanted) * (p[k] - wanted);
    }
  });
  for (const ConfidenceBin& bin : result.bins)
    if (bin.rows > 0)
      result.expected_error +=
          static_cast<double>(bin.rows) / rows * std::abs(bin.accuracy() - bin.confidence());
  result.brier = squares / rows;
  return result;
}

std::vector<std::int64_t> confusion_of(const Predictions& predictions) {
  const auto classes = static_cast<std::size_t>(predictions.probabilities.shape()[1]);
  std::vector<std::int64_t> counts(classes * classes, 0);
  each_row(predictions,
           [&](std::size_t label, const double*, std::size_t best) { ++counts[label * classes + best]; });
  return counts;
}

std::vector<std::size_t> frequent_mistakes(const std::vector<std::int64_t>& counts, std::size_t classes,
                                           std::size_t most) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (i / classes != i % classes && counts[i] > 0) places.push_back(i);
  std::stable_sort(places.begin(), places.end(),
                   [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  if (places.size() > most) places.resize(most);
  return places;
}

}  // namespace basin::apps
