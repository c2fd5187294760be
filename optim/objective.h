// The contract between a model's loss and the rules that minimise it: a typed request, an evaluation.
#pragma once

#include <cstdint>
#include <functional>

#include "autograd/variable.h"
#include "core/scalar.h"

namespace basin::optim {

class ParameterVector;

/// Which look at the step's batch this is. `repeat` means: same batch, same random draws (dropout,
/// augmentation), batch statistics used but running statistics held.
enum class Pass { first, repeat };

struct Request {
  Pass pass = Pass::first;
  /// Ask for the gradient of the loss that this pass computes, also of a model that trains along another on
  /// purpose (Shake-Shake, ShakeDrop). A rule sets it where it climbs along the gradient or compares it with
  /// others, not where it only descends along it (google-research/sam: the first pass).
  bool true_gradient = false;
  /// Ask for grad |grad L| too (GAM's exact form); costs a second differentiation.
  bool norm_gradient = false;
  /// The micro-batch: rows [begin, end) of the step's batch; all of them if end is -1.
  std::int64_t begin = 0, end = -1;
};

/// The loss at the current weights and its gradient.
struct Evaluation {
  Scalar loss = 0;
  Tensor gradient = {};       // flat, {d}; the receiver's: nobody writes to it afterwards
  Tensor norm_gradient = {};  // grad |grad L| = H g/|g|, {d}, where the request asks for it; 0 where g = 0
  Scalar correct = 0;         // rows whose largest logit is the label, where the objective classifies
  std::int64_t rows = 0;
};

/// Computes the loss of the step's batch at the weights as they are now. It reads the weights and never
/// writes to them.
using Objective = std::function<Evaluation(const Request&)>;

struct EvaluateOptions {
  bool norm_gradient = false;  // as in the Request
  double weight_decay = 0;     // the objective is L + weight_decay |w|^2 / 2, over the weights that decay
};

/// Differentiates a scalar loss with respect to w: what an objective usually ends with. Consumes the history
/// of `loss`. A parameter that the loss does not depend on has gradient zero. Evaluation::loss is L alone,
/// without the penalty of weight_decay.
/// Errors: loss undefined, not a scalar, or not computed from any weight of w (one made without recording, or
/// of a module whose parameters are not those of w); weight_decay negative or not finite; a weight written to
/// since it was used.
Evaluation evaluate(const Variable& loss, const ParameterVector& w, const EvaluateOptions& options = {});

/// H v at the weights as they are, H the Hessian of `loss` with respect to w (weight decay not in it), by
/// differentiating twice: v and the result are flat, {d}. Consumes the history of `loss` unless keep_graph.
/// Errors: as evaluate()'s; v not like w.
Tensor hessian_vector_product(const Variable& loss, const ParameterVector& w, const Tensor& v,
                              bool keep_graph = false);

/// The objective over `rows` rows, evaluated in micro-batches of m rows (the last may be smaller): losses and
/// gradients are means weighted by rows. Only the memory of one micro-batch is in use at a time; layers that
/// look across a batch see a micro-batch. A rule on top of it makes ONE perturbation from the whole batch's
/// gradient, then sweeps the micro-batches again (for one perturbation per micro-batch: MicroBatches).
/// Refuses norm_gradient, which is no mean over parts.
/// Errors: rows or m below 1.
Objective accumulated(const Objective& objective, std::int64_t rows, std::int64_t m);

}  // namespace basin::optim
