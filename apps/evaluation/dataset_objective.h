// DatasetObjective: the loss of a model over a fixed set of examples, with its gradient and Hessian.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "apps/evaluation/evaluation.h"
#include "autograd/ops/ops.h"
#include "data/loading/kept_batches.h"
#include "nn/module.h"
#include "optim/objective.h"
#include "optim/parameter_vector.h"

namespace basin::apps {

/// The loss whose mean a DatasetObjective is.
struct DatasetLoss {
  CrossEntropyOptions cross_entropy = {};
  double weight_decay =
      0;  // adds weight_decay |w|^2 / 2 to what is differentiated, as optim::evaluate() does
  /// eval: normalisation by the running statistics, no dropout. train: normalisation by the batch's own, each
  /// pass a batch; the running statistics stay as they are.
  nn::Mode mode = nn::Mode::eval;
  bool frozen_statistics = false;  // train mode normalises by the running statistics, as the run trained
  std::uint64_t seed = 0;          // of dropout in train mode: pass number i = 0, 1, ... draws at (seed, i)
};

/// L(w) = 1/N sum_i l(model(x_i), y_i) over all N examples of a source, each as it looks in epoch 0: the
/// optim::Objective that analysis asks, where training asks that of a step's batch. It goes through the
/// source in its order, passes.batch_size examples a pass, and sums the passes' gradients in f64 in that
/// order, so that neither loader workers nor threads show in the bits. In eval mode the cut into passes
/// shows by rounding alone; in train mode a pass is what the layers normalise over, and part of what is
/// computed. Activations have the weights' dtype, whatever passes.dtype: derivatives of the second order, and
/// differences between losses that are near each other, ask for all their digits.
///
///     DatasetObjective loss(model, w, data.train, {.batch_size = 500}, {.mode = nn::Mode::train});
///     const optim::Evaluation here = loss({});                 // loss and gradient at w
///     const Tensor Hg = loss.hessian_vector(here.gradient);
///
/// Nothing of the model changes: neither weights nor running statistics nor counters, also when an exception
/// ends a call in the middle.
class DatasetObjective {
 public:
  /// Model and w must outlive this, and w hold parameters of the model. Errors: ArgumentError for a source
  /// without examples, or a batch size below 1.
  DatasetObjective(nn::Module& model, const optim::ParameterVector& w,
                   std::shared_ptr<const data::ExampleSource> source, const EvaluationOptions& passes = {},
                   const DatasetLoss& loss = {});

  /// Loss and gradient at the weights as they are, and H g/|g| where the request asks for it, which costs a
  /// second sweep. Every pass is a repeat, and the gradient that of the loss itself (Request::true_gradient).
  /// Errors: ArgumentError for a part of the rows; those of optim::evaluate(); what the model, the source or
  /// passes.watch throws.
  optim::Evaluation operator()(const optim::Request& request) const;

  /// Loss and right answers, from forward passes; no gradient.
  optim::Evaluation forward() const;
  /// The loss of forward().
  double loss() const { return forward().loss; }
  /// What weight decay adds to the loss that is differentiated: weight_decay |w|^2 / 2, of the weights that
  /// decay.
  double penalty() const;

  /// From the next whole pass on the batches stay in memory, as loaded, where their images take at most
  /// `bytes` bytes: for many passes over the same examples. No bits change.
  void keep_batches(std::int64_t bytes = std::int64_t{1} << 30);

  /// H v, with H the Hessian of what operator() differentiates: v and the result flat, {d}. Costs about two
  /// gradients. Errors: as operator()'s; v not like w.
  Tensor hessian_vector(const Tensor& v) const;

  /// G v, G the generalised Gauss-Newton matrix 1/N sum_i J_i^T H_i J_i: J_i the Jacobian of example i's
  /// logits, H_i the Hessian of its loss with respect to them (diag(p) - p p^T). For cross-entropy G is the
  /// Fisher information too, and has no negative eigenvalues. The penalty's Hessian is added, as above.
  Tensor gauss_newton_vector(const Tensor& v) const;

  /// F v, F the empirical Fisher information 1/N sum_i g_i g_i^T, g_i the gradient of example i's loss under
  /// its label as given. The penalty's Hessian is added, as above.
  Tensor fisher_vector(const Tensor& v) const;

  std::int64_t examples() const { return source_->size(); }

 private:
  /// pass(logits, batch) for each batch, in order; the batch is where the weights are.
  using Pass = std::function<void(const Variable& logits, const data::Batch& batch)>;
  void sweep(const Pass& pass) const;
  /// The mean over all examples of vector(logits, batch), {d} of each pass, summed in f64 and given in w's
  /// dtype.
  Tensor mean_of(const std::function<Tensor(const Variable& logits, const data::Batch& batch)>& vector) const;
  void add_decay(const Tensor& x, Tensor& y) const;

  nn::Module& model_;
  const optim::ParameterVector& w_;
  std::shared_ptr<const data::ExampleSource> source_;
  std::shared_ptr<data::KeptBatches> batches_;
  EvaluationOptions passes_;
  DatasetLoss loss_;
};

}  // namespace basin::apps
