// One forward pass as a list of steps, with the batch told apart from the other extents.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "autograd/node.h"
#include "nn/module.h"

namespace basin::nn {

/// The pass is made twice, with batches of these sizes: what differs between the two depends on the batch.
/// (Not 1: ops on one sample may have nothing to do and leave no trace.)
inline constexpr std::array<Index, 2> kBatches{2, 3};

/// The shape of a value in both passes.
struct TapeShape {
  std::array<Shape, 2> pass;

  int rank() const { return pass[0].rank(); }
  /// Whether the axis has the same extent for every batch.
  bool fixed(int axis) const { return pass[0][axis] == pass[1][axis]; }
  /// Whether the axis has one entry for each sample.
  bool per_sample(int axis) const { return pass[0][axis] == kBatches[0] && pass[1][axis] == kBatches[1]; }
  bool operator==(const TapeShape& other) const { return pass == other.pass; }
};

struct TapeInput {
  static constexpr std::size_t kConstant = std::numeric_limits<std::size_t>::max();

  std::size_t step = kConstant;  // that computed it
  TapeShape shape;
  std::array<Tensor, 2> constant;  // its numbers in both passes; undefined if the op does not keep them
};

/// A leaf (no inputs: the image, a parameter) or an op.
struct TapeStep {
  std::array<const Node*, 2> node;  // its record in both passes, alive as long as the tape
  std::vector<TapeInput> inputs;
  TapeShape shape;
  std::size_t uses = 0;  // as an input of other steps

  std::string op() const { return node[0]->op(); }
  bool leaf() const { return node[0]->leaf(); }
};

struct Tape {
  std::vector<TapeStep> steps;  // in the order of computation, the result last
  const Node* image = nullptr;  // the leaf that the samples enter by
  std::array<Variable, 2> result;
};

/// Runs `model` in eval mode on images of shape {batch, sample...}, once for each of kBatches. Errors: the
/// result does not depend on the image; the two passes differ in more than extents.
Tape trace_forward(Module& model, const Shape& sample, Dtype dtype);

}  // namespace basin::nn
