// Fused ops: a meaning in differentiable ops, and kernels that are merely faster.
#pragma once

#include <functional>

#include "autograd/node.h"

namespace basin {

/// The definition: the op written in differentiable ops. It is differentiated, and its numbers are not read.
using Meaning = std::function<Variable(const Variables& inputs)>;

/// What a backward kernel sees: plain numbers.
struct KernelBackward {
  Tensors inputs;           // as the meaning's
  Tensor output;            // the op's result (undefined unless keep_output)
  Tensor grad;              // cotangent of the output
  std::vector<char> needs;  // per input
};

struct Kernels {
  /// The op's value, already computed by a kernel.
  Tensor value;
  bool keep_output = false;
  /// One cotangent Tensor per input (undefined where not needed). Empty: the meaning is differentiated
  /// instead.
  std::function<Tensors(const KernelBackward&)> backward;
  /// The same cotangents as ops that are recorded: what runs while the sweep records, where that takes less
  /// than to differentiate the meaning. Empty: the meaning is differentiated then.
  std::function<Variables(const Backward&)> recorded = {};
};

/// Records `kernels.value` as the result of op on `inputs`. While the sweep does not record, kernels.backward
/// runs; while it does, kernels.recorded does, or the meaning is recomputed on fresh aliases of the inputs
/// and differentiated. Aliases, because the inputs may depend on one another (x on gamma), and a derivative
/// with respect to the originals would count those paths twice.
Variable fused(Op&& op, const Variables& inputs, Meaning meaning, Kernels kernels);

}  // namespace basin
