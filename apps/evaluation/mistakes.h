// Calibration and confusion for people and programs, as `basin eval` shows them.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/table.h"
#include "apps/evaluation/calibration.h"
#include "core/io/json.h"

namespace basin::apps {

/// A row for each interval of confidence that has images: "confidence", "images", "mean confidence %",
/// "accuracy %".
Table table_of(const Calibration& calibration);
/// {"expected_error", "brier", "bins": [{"low", "high", "images", "confidence", "accuracy"}, ...]}; an
/// interval without images has the mean "nan".
Json to_json(const Calibration& calibration);

/// The counts of confusion_of() for classes of these names: a row a label, a column a prediction.
Table confusion_table(const std::vector<std::int64_t>& counts, const std::vector<std::string>& names);
/// The pairs of frequent_mistakes(), a row each.
Table mistakes_table(const std::vector<std::int64_t>& counts, const std::vector<std::string>& names,
                     std::size_t most = 10);
/// {"classes": names, "counts": [[...], ...]}, a list a label.
Json confusion_json(const std::vector<std::int64_t>& counts, const std::vector<std::string>& names);

}  // namespace basin::apps
