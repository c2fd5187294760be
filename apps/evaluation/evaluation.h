// How well a model does on a data set.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "apps/config/train_config.h"
#include "apps/weights/finite.h"
#include "core/tensor.h"
#include "data/loading/source.h"
#include "data/watch.h"
#include "nn/module.h"
#include "nn/recalibration.h"

namespace basin::apps {

/// Sums over examples; the means are the figures that are reported, NaN where there are no examples.
struct Tally {
  std::int64_t rows = 0;
  std::int64_t correct = 0;
  std::int64_t correct5 = 0;  // the label is among the five largest logits
  double loss_sum = 0;        // of cross-entropies without label smoothing
  std::vector<std::int64_t> class_rows{}, class_correct{};

  double loss() const { return ratio(loss_sum, static_cast<double>(rows)); }
  double accuracy() const { return ratio(static_cast<double>(correct), static_cast<double>(rows)); }
  double accuracy5() const { return ratio(static_cast<double>(correct5), static_cast<double>(rows)); }
};

/// How examples go through a model: in batches that workers prepare. Of these only the dtype shows in what
/// comes out of eval mode.
struct EvaluationOptions {
  std::int64_t batch_size = 128;
  int workers = 0;  // 0: the caller prepares batches itself
  /// Of activations: the model's, or bf16 for a model of f32 where its device computes in it.
  Dtype dtype = Dtype::f32;
  data::Watch watch{};  // told after each batch how many examples are done; may throw to stop
};

/// Those of a run, without a watch.
EvaluationOptions evaluation_options(const TrainConfig& config);

/// Runs the model in eval mode over the whole source, in order and without augmentation draws of its own.
/// Each example counts once; the result does not depend on batch size, workers or threads. Ties between
/// logits, of which there are `classes`, go to the lower class.
Tally evaluate(nn::Module& model, std::shared_ptr<const data::ExampleSource> source, std::int64_t classes,
               const EvaluationOptions& options);

/// What a model gives for each example of a source, in order.
struct Logits {
  Tensor numbers{};                    // f64 {N,K}
  std::vector<std::int64_t> labels{};  // N
};

/// The logits behind evaluate(), under the same conditions. Memory: 8 N K bytes.
Logits logits_of(nn::Module& model, std::shared_ptr<const data::ExampleSource> source, std::int64_t classes,
                 const EvaluationOptions& options);

/// What evaluate() gives for these logits, bit for bit.
Tally tally_of(const Logits& logits);

/// softmax of f64 logits {N,K}, row by row: exp(z_k - log sum_j exp z_j).
Tensor probabilities_of(const Tensor& logits);

/// What a model says of each example of a source, in order.
struct Predictions {
  Tensor probabilities{};              // f64 {N,K}: softmax of the logits, in f64
  std::vector<std::int64_t> labels{};  // N
};

/// The probabilities behind evaluate(), under the same conditions. Memory: 8 N K bytes.
Predictions predict(nn::Module& model, std::shared_ptr<const data::ExampleSource> source,
                    std::int64_t classes, const EvaluationOptions& options);

/// Counts as evaluate() does; an example's loss is -log of its label's probability. Errors: ArgumentError
/// unless probabilities are f64 {N,K}, with N labels in [0, K).
Tally tally_of(const Tensor& probabilities, const std::vector<std::int64_t>& labels);

/// Estimates the model's running statistics by one pass over the training images, as epoch number `epoch` (0,
/// 1, ...) of a run of that seed would bring them, augmented, but each picture by itself (no mixing) and
/// without dropout. Returns how many they were, 0 for a model without statistics. Errors:
/// those of nn::Recalibration.
std::int64_t recalibrate(nn::Module& model, std::shared_ptr<const data::ExampleSource> train,
                         std::uint64_t seed, std::int64_t epoch, nn::RecalibrationMode mode,
                         const EvaluationOptions& options);

}  // namespace basin::apps
