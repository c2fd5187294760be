// KeptBatches: the examples of a source batch by batch, as often as they are asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "data/loading/loader.h"

namespace basin::data {

/// Passes over all examples of a source in order, batch_size at a time, each as it looks in epoch 0. Where
/// their images take at most `kept_bytes` bytes the first whole pass keeps the batches, and the later ones
/// decode and normalise nothing. The bits are the same either way.
class KeptBatches {
 public:
  KeptBatches(std::shared_ptr<const ExampleSource> source, std::int64_t batch_size, int workers = 0,
              Device device = {}, std::int64_t kept_bytes = 0);

  /// Examples in a pass.
  std::int64_t size() const { return source_->size(); }
  /// use(batch) for each batch; it writes to none. Errors: those of Loader; what `use` throws.
  void each(const std::function<void(const Batch&)>& use);

 private:
  std::shared_ptr<const ExampleSource> source_;
  LoaderOptions options_;
  bool keep_;
  std::vector<Batch> kept_{};
};

}  // namespace basin::data
