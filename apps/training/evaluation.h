// How well a model does on a data set.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "apps/runs/finite.h"
#include "core/tensor.h"
#include "data/loading/source.h"
#include "nn/module.h"

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

/// Runs the model in eval mode over the whole source, in order and without augmentation draws of its own.
/// Each example counts once; the result does not depend on batch size, workers or threads. `each_batch` is
/// called after every batch with the rows done, and may throw to stop. Ties between logits go to the lower
/// class.
Tally evaluate(nn::Module& model, std::shared_ptr<const data::ExampleSource> source, std::int64_t classes,
               std::int64_t batch_size, int workers, Dtype dtype,
               const std::function<void(std::int64_t rows)>& each_batch = {});

/// What a model says of each example of a source, in order.
struct Predictions {
  Tensor probabilities{};              // f64 {N,K}: softmax of the logits, in f64
  std::vector<std::int64_t> labels{};  // N
};

/// The probabilities behind evaluate(), under the same conditions. Memory: 8 N K bytes.
Predictions predict(nn::Module& model, std::shared_ptr<const data::ExampleSource> source,
                    std::int64_t classes, std::int64_t batch_size, int workers, Dtype dtype,
                    const std::function<void(std::int64_t rows)>& each_batch = {});

/// Counts as evaluate() does; an example's loss is -log of its label's probability. Errors: ArgumentError
/// unless probabilities are f64 {N,K}, with N labels in [0, K).
Tally tally_of(const Tensor& probabilities, const std::vector<std::int64_t>& labels);

}  // namespace basin::apps
