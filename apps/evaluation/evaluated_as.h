// EvaluatedAs: a model with other weights for a while, an average, and statistics of theirs.
#pragma once

#include <optional>

#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/run_data.h"
#include "optim/averages/stand_in.h"

namespace basin::apps {

/// A StandIn whose running statistics are estimated from the training images as epoch number `epoch` would
/// bring them, with augmentation and without dropout; frozen ones stay. No draw of the training is used up.
class EvaluatedAs {
 public:
  /// `w` has the parameters of the model that train. Both must outlive it. Errors: those of recalibrate();
  /// the model is then as it was.
  EvaluatedAs(const TrainConfig& config, const RunData& data, nn::Module& model, optim::ParameterVector& w,
              const Tensor& weights, std::int64_t epoch, const EvaluationOptions& options);
  /// How many images the statistics are of; 0: they were not estimated.
  std::int64_t images() const { return images_; }

 private:
  std::optional<optim::StandIn> stand_;
  std::int64_t images_ = 0;
};

}  // namespace basin::apps
