#include "nn/recalibration.h"

#include <algorithm>

#include "autograd/recording.h"
#include "core/ops.h"

namespace basin::nn {

bool needs_recalibration(Module& model) {
  const Entries all = entries_of(model);
  return std::any_of(all.buffers.begin(), all.buffers.end(),
                     [](const NamedBuffer& b) { return b.kind == BufferKind::statistics; });
}

Recalibration::Recalibration(Module& model, const RecalibrationOptions& options)
    : model_(model), options_(options), has_statistics_(needs_recalibration(model)) {}

void Recalibration::add(const Tensor& images) {
  if (!has_statistics_) return;
  if (images.rank() < 1 || images.elements() == 0)
    throw ArgumentError("[recalibration] a batch without images, shape ", images.shape());
  pending_.clear();
  Context ctx{.statistics = Statistics::collect,
              .collector = this,
              .seed = options_.seed,
              .step = options_.step + batches_,
              .dropout = options_.dropout};
  {
    const NoRecording off;
    model_(Variable(images), ctx);
  }
  // All of the batch or nothing of it.
  for (const BatchStatistics& batch : pending_) expect_usable(batch);
  for (const BatchStatistics& batch : pending_) merge(batch, images.size(0));
  images_ += images.size(0);
  ++batches_;
}

void Recalibration::expect_usable(const BatchStatistics& batch) const {
  if (batch.values == 1 && options_.mode != RecalibrationMode::pooled)
    throw ArgumentError("[recalibration] ", name_of(batch),
                        " met one value a channel, which has no unbiased variance; use larger batches, leave "
                        "out the last one, or take the pooled mode");
  if (!all_finite(batch.mean) || !all_finite(batch.var))
    throw NumericalError("[recalibration] ", name_of(batch), ": mean or variance of batch ", batches_ + 1,
                         " is not finite; look for infinite weights or images");
}

void Recalibration::merge(const BatchStatistics& batch, std::int64_t images) {
  auto layer = std::find_if(layers_.begin(), layers_.end(),
                            [&](const Layer& l) { return l.running_mean == batch.running_mean; });
  if (layer == layers_.end()) {
    const auto channels = static_cast<std::size_t>(batch.mean.elements());
    layer = layers_.insert(layer, {.running_mean = batch.running_mean,
                                   .running_var = batch.running_var,
                                   .dtype = batch.mean.dtype(),
                                   .device = batch.mean.device(),
                                   .mean = std::vector<double>(channels),
                                   .var = std::vector<double>(channels)});
  }
  const bool pooled = options_.mode == RecalibrationMode::pooled;
  const auto values = static_cast<double>(batch.values);
  const double unbiased = pooled ? 1 : values / (values - 1);
  const double weight = pooled                                                ? values
                        : options_.mode == RecalibrationMode::sample_weighted ? static_cast<double>(images)
                                                                              : 1;
  layer->weight += weight;
  const double t = weight / layer->weight;
  const std::vector<double> mean = batch.mean.to(Device{}).to_vector<double>();
  const std::vector<double> var = batch.var.to(Device{}).to_vector<double>();
  for (std::size_t c = 0; c < mean.size(); ++c) {
    const double apart = mean[c] - layer->mean[c];
    layer->mean[c] += t * apart;
    layer->var[c] += t * (unbiased * var[c] - layer->var[c]);
    if (pooled) layer->var[c] += t * (1 - t) * apart * apart;
  }
}

std::int64_t Recalibration::finish() {
  if (!has_statistics_) return 0;
  if (batches_ == 0)
    throw ArgumentError("[recalibration] no batch to take statistics from; call add(images) before finish()");
  std::vector<Tensor> made;
  for (const Layer& layer : layers_) {
    made.push_back(Tensor::from(layer.mean).to(layer.dtype).to(layer.device));
    made.push_back(Tensor::from(layer.var).to(layer.dtype).to(layer.device));
  }
  std::size_t next = 0;
  for (const Layer& layer : layers_) {
    *layer.running_mean = made[next++];
    *layer.running_var = made[next++];
  }
  return images_;
}

std::string Recalibration::name_of(const BatchStatistics& batch) const {
  for (const NamedBuffer& b : entries_of(model_).buffers)
    if (b.buffer == batch.running_mean && b.name.rfind('.') != std::string::npos)
      return b.name.substr(0, b.name.rfind('.'));
  return "a normalisation layer";
}

}  // namespace basin::nn
