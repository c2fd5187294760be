// What a run's weights say of the test images: confusion and calibration as an answer.
#pragma once

#include <string>

#include "apps/config/device.h"
#include "apps/evaluation/calibration.h"
#include "apps/report/figure.h"
#include "apps/runs/weights_of_run.h"

namespace basin::apps {

class Terminal;

/// How `basin report` asks a run's last weights.
struct PredictionsConfig {
  std::string data_dir{};  // where the data lie; empty: where the run had them
  DeviceConfig device{};
};

/// Leaves in RUN/lab/predictions the answer to what the run's last weights say of its test images: where it
/// is there for these weights, at once. Errors: those of open_subject(); InterruptedError; OutputError.
void answer_predictions(const std::string& run, const PredictionsConfig& config, Terminal& terminal);

/// Their figures: the confusion matrix (of at most 200 classes), the reliability diagram, its numbers, and
/// the pairs that are mistaken most often. `names` of the classes, as the predictions count them.
std::vector<Figure> prediction_figures(const Predictions& predictions, const std::vector<std::string>& names);

}  // namespace basin::apps
