#include "apps/evaluation/evaluated_as.h"

#include "nn/recalibration.h"

namespace basin::apps {
namespace {

Tensors statistics_of(const Entries& entries) {
  Tensors all;
  for (const NamedBuffer& b : entries.buffers)
    if (b.kind == BufferKind::statistics) all.push_back(*b.buffer);
  return all;
}

}  // namespace

EvaluatedAs::EvaluatedAs(const TrainConfig& config, const RunData& data, nn::Module& model,
                         optim::ParameterVector& w, const Tensor& weights, std::int64_t epoch,
                         const EvaluationOptions& options) {
  const Entries entries = entries_of(model);
  // Frozen statistics are constants of the network, not estimates that belong to some weights.
  if (config.model.norm_statistics == NormStatistics::frozen) {
    stand_.emplace(w, entries.buffers, weights, statistics_of(entries));
    return;
  }
  stand_.emplace(w, entries.buffers, weights);
  if (nn::needs_recalibration(model))
    images_ = recalibrate(model, data.train, config.run.seed, epoch, config.average.recalibration, options);
}

}  // namespace basin::apps
