// Context: everything a forward pass depends on besides weights and input. Nothing is a hidden flag of a
// module. It names no device: what a pass makes, its draws too, it makes where its input is.
#pragma once

#include <cstdint>

#include "autograd/ops/ops.h"

namespace basin::nn {

class Trace;

enum class Mode { train, eval };
/// What train-mode normalisation layers do with the statistics of the batch, which normalise:
/// move their running ones, leave those alone (a repeated pass over the same batch, such as SAM's second), or
/// leave those alone and hand the batch's to Context::collector (nn/recalibration.h). With `running` they
/// normalise by the running statistics instead and leave them alone, in train mode too: constants, through
/// which derivatives flow as through any scale and shift (fine-tuning as in Foret et al. 2021).
enum class Statistics { update, hold, collect, running };

/// The statistics of one batch at one normalisation layer.
struct BatchStatistics {
  Tensor*
      running_mean;  // the layer's own handles: where numbers estimated from these belong, and its identity
  Tensor* running_var;
  Tensor mean, var;  // {C}, var biased
  Index values;      // that each of them was computed from
};

class StatisticsCollector {
 public:
  virtual ~StatisticsCollector() = default;
  /// Called once for each run of a layer, in forward order.
  virtual void collect(const BatchStatistics& batch) = 0;
};

struct Context {
  Mode mode = Mode::train;
  Statistics statistics = Statistics::update;
  StatisticsCollector* collector = nullptr;  // with Statistics::collect
  /// Address of this pass's random draws: a repeat pass with the same (seed, step) meets the same masks. Of a
  /// step that is being recorded the number lives on the device (optim::StepInfo::number()), so that later
  /// steps draw their own.
  std::uint64_t seed = 0;
  Scalar step = 0;
  /// Dropout and shake layers draw in train mode unless this is off; then they do what they do in eval mode.
  bool dropout = true;
  /// Shake layers, which in training multiply by one number in the forward pass and by another in the
  /// backward pass, take the first for both: the gradient is that of the loss of this pass. For gradients
  /// that are climbed along or compared with others; the draws are the same either way (nn/shake.h).
  bool true_gradient = false;
  /// Records layers and shapes when set (nn/trace.h).
  Trace* trace = nullptr;

  bool training() const { return mode == Mode::train; }
  /// The next layer's draws. Layers are counted in forward order, so make a fresh Context for each pass.
  DrawAddress next_draw() { return {seed, step, layer_++}; }

  static Context evaluation() { return {.mode = Mode::eval}; }

  std::uint64_t layer_ = 0;
};

}  // namespace basin::nn
