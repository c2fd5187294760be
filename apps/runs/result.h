// RunResult: what a training run comes to, as result.json has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/runs/records.h"
#include "core/io/json.h"

namespace basin::apps {

/// Weights that a run reports: its last ones, the same with recalibrated statistics, an average, an ensemble.
struct Variant {
  std::string name{};       // "last", "last, recalibrated", "swa", "ema", "ensemble"
  std::string what{};       // in words: "after epochs 16, 17, ..., 20: 5 models"
  std::int64_t models = 1;  // that are in it
  double test_loss = 0, test_accuracy = 0;
  std::optional<double> validation_loss{}, validation_accuracy{};
  std::string weights{};  // the file; empty where there is none
  std::string weights_sha256{};
  std::string failure{};  // why its figures are no finite numbers and it has no file; empty if they are
  Json details = Json::Object{};  // of how it was made: recalibration, members
};
Json to_json(const Variant& variant);

/// What a run comes to. `last` is the headline; `best` stands beside it, marked as chosen on the validation
/// images, or on the test images where there are none; a run whose losses are all NaN has no best epoch.
struct RunResult {
  EpochRecord last{};
  std::optional<EpochRecord> best{};
  std::int64_t parameters = 0;
  double seconds = 0;     // of all calls together
  std::string weights{};  // "final.safetensors"; empty if the last weights gave no finite loss
  std::string weights_sha256{};
  std::vector<Variant> variants{};  // the last weights first
};

Json to_json(const RunResult& result);

/// The newest epoch that was evaluated; none where --eval-every has not come to one yet.
std::optional<EpochRecord> last_evaluated(const std::vector<EpochRecord>& epochs);
/// The epoch with the highest validation accuracy, or test accuracy where there is none, among those that
/// were evaluated to finite losses; the first of equals. None if there is no such epoch.
std::optional<EpochRecord> best_of(const std::vector<EpochRecord>& epochs);

}  // namespace basin::apps
