#include "apps/training/batch_check.h"

#include <algorithm>
#include <string>

#include "autograd/recording.h"

namespace basin::apps {
namespace {

/// Of the batches of `size` images each, the last perhaps smaller, whether one is a single image.
bool has_single(std::int64_t images, std::int64_t size) { return size == 1 || images % size == 1; }

/// The first layer that sees one value a channel of a single image, by its running mean's name; empty if none
/// does.
std::string lonely_layer(nn::Module& model, const Shape& image, Dtype dtype) {
  struct Watch : nn::StatisticsCollector {
    const Tensor* first = nullptr;
    void collect(const nn::BatchStatistics& batch) override {
      if (batch.values == 1 && !first) first = batch.running_mean;
    }
  } watch;
  Shape one{1};
  for (Index extent : image) one.push_back(extent);
  nn::Context ctx{.statistics = nn::Statistics::collect, .collector = &watch};
  const NoRecording off;
  model(Variable(Tensor::zeros(one, dtype)), ctx);
  for (const NamedBuffer& b : entries_of(model).buffers)
    if (b.buffer == watch.first) return b.name.substr(0, b.name.rfind('.'));
  return {};
}

}  // namespace

void check_batches(const TrainConfig& config, const RunData& data, nn::Module& model) {
  if (config.model.norm_statistics == NormStatistics::frozen) return;
  const std::int64_t images = data.train->size(), size = config.schedule.batch_size;
  const SharpnessConfig& s = config.sharpness;
  const bool micro = s.micro != Micro::none && s.micro_norm == MicroNorm::own;
  const std::int64_t whole = std::min(size, images), last = images % size;
  const bool trains = has_single(images, size),
             in_parts =
                 micro && (has_single(whole, s.micro_size) || (last > 0 && has_single(last, s.micro_size)));
  if (!trains && !in_parts) return;
  const std::string layer = lonely_layer(model, data.set.image, config.device.dtype);
  if (layer.empty()) return;
  const auto refuse = [&](const char* what, const auto&... mend) {
    throw UsageError("[batches] ", what, " is a single image, of which '", layer,
                     "' has one value a channel, which is its own mean: ", mend...);
  };
  const std::string counts = text(images, " images in batches of ", size);
  if (trains)
    refuse(size == 1 || images == 1 ? "every batch" : "the last batch of an epoch",
           "take another --batch-size (", counts, "), or --norm-statistics frozen");
  refuse("a micro-batch", "take another --micro-size (", counts, ", in parts of ", s.micro_size,
         "), or --micro-norm batch");
}

}  // namespace basin::apps
