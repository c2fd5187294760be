// CurveTraining: a curve's bends trained on the images of a run, step by step, so that it can go on later.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/lab/curve/curve_fit.h"
#include "apps/lab/subject.h"

namespace basin::apps {

/// How a curve is trained; the defaults are those of the authors' PreResNet-164, but for the length.
struct CurveTrainingConfig {
  std::int64_t epochs = 30;
  std::int64_t steps = 0;  // in place of the epochs; 0: by epochs
  double lr = 0.03;        // of curve_rate(), by the epoch that a step is in (its step, with `steps`)
  double momentum = 0.9;
  double weight_decay = 5e-4;    // of the point on the curve
  std::string augment = "none";  // a list as --augment has it
  std::uint64_t seed = 0;        // of the t, the order of images, augmentation and dropout
};

/// What happened.
struct CurveTrainingRecord {
  std::int64_t steps = 0, images = 0;
  std::vector<double> epoch_losses{};  // means over the steps of an epoch, each at its own t, without decay
};

/// Each step draws one t, puts phi(t) into the subject's model and takes the gradient of its batch's loss
/// there: cross-entropy as the subject's loss has it, batch normalisation by the batch, whose running
/// statistics stay (no t could use them), and (weight_decay/2) |phi(t)|^2. The training images come in
/// epochs, shuffled and augmented, as in training.
///
/// State is saved in `file` after each epoch, at the end, and when an exception ends a call; a call that
/// finds it goes on from there and ends with the same bits. Errors: NumericalError for a loss or gradient
/// that is not finite, naming the step and t; CheckpointError for a file of another curve; those of
/// load_run_data() and check_batches(); OutputError; what the watch throws. The model's weights are then
/// those of some t.
CurveTrainingRecord train_curve(CurveFit& fit, Subject& subject, const CurveTrainingConfig& config,
                                const std::string& file, const data::Watch& watch = {});

}  // namespace basin::apps
