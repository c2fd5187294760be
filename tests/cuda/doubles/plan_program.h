// What a plan of cuDNN computes, read from its JSON, that is from what cuDNN itself understood; and how the
// double computes it: by the CPU backend.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fake {

/// A tensor of a plan. Extents and strides are {N,C,H,W} of x and y, {K,C,R,S} of w.
struct PlanTensor {
  std::string type;  // FLOAT, DOUBLE, BFLOAT16
  std::array<std::int64_t, 4> extents{}, strides{};

  std::int64_t elements() const { return extents[0] * extents[1] * extents[2] * extents[3]; }
  std::size_t bytes() const;
  /// Channels-last without gaps: {N,H,W,C} or KRSC.
  bool channels_last() const;
};

struct PlanStep {
  enum class Kind { forward, input_grad, weight_grad } kind = Kind::forward;
  std::int64_t x = 0, w = 0, y = 0;  // ids
  std::array<std::int64_t, 2> pads{}, strides{1, 1};
  std::int64_t groups = 1;
};

struct PlanProgram {
  std::map<std::int64_t, PlanTensor> tensors;
  std::vector<PlanStep> steps;

  /// Computes it with these memories of the tensors.
  void run(const std::map<std::int64_t, std::byte*>& memories) const;
};

/// Errors: std::runtime_error for what the double doesn't compute and what a card would compute wrongly: an
/// operation that is no convolution, a dilation, a filter that is not KRSC, an x or y that is not
/// channels-last.
PlanProgram program_of(const std::string& plan_json);

}  // namespace fake
