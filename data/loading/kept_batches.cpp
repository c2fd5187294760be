#include "data/loading/kept_batches.h"

#include <utility>

namespace basin::data {

KeptBatches::KeptBatches(std::shared_ptr<const ExampleSource> source, std::int64_t batch_size, int workers,
                         Device device, std::int64_t kept_bytes)
    : source_(std::move(source)),
      options_(one_pass(batch_size, workers, device)),
      keep_(source_->size() * source_->image_shape().elements() *
                static_cast<std::int64_t>(size_of(Dtype::f32)) <=
            kept_bytes) {}

void KeptBatches::each(const std::function<void(const Batch&)>& use) {
  if (!kept_.empty()) {
    for (const Batch& batch : kept_) use(batch);
    return;
  }
  std::vector<Batch> all;
  Loader loader(source_, options_);
  for (Batch batch; loader.next(batch);) {
    use(batch);
    if (keep_) all.push_back(batch);
  }
  kept_ = std::move(all);
}

}  // namespace basin::data
