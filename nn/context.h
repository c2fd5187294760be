// Context: everything a forward pass depends on besides weights and input. Nothing is a hidden flag of a
// module.
#pragma once

#include <cstdint>

#include "autograd/ops.h"

namespace basin::nn {

class Trace;

enum class Mode { train, eval };
/// Whether train-mode normalisation layers update their running statistics. A repeated pass over the same
/// batch (SAM's second) holds them; the batch's own statistics normalise either way.
enum class Statistics { update, hold };

struct Context {
  Mode mode = Mode::train;
  Statistics statistics = Statistics::update;
  /// Address of this pass's random draws: a repeat pass with the same (seed, step) meets the same masks.
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  /// Records layers and shapes when set (nn/summary.h).
  Trace* trace = nullptr;

  bool training() const { return mode == Mode::train; }
  /// The next layer's draws. Layers are counted in forward order, so make a fresh Context for each pass.
  DropoutAddress next_draw() { return {seed, step, layer_++}; }

  static Context evaluation() { return {.mode = Mode::eval}; }

  std::uint64_t layer_ = 0;
};

}  // namespace basin::nn
