// StandIn: other weights in a model for a while, an average for its evaluation.
#pragma once

#include <vector>

#include "autograd/inventory.h"
#include "optim/parameter_vector.h"

namespace basin::optim {

/// For its life the model holds `values` as weights; the destructor puts its own weights and all buffers back
/// bit for bit, also when an exception passes through. Training goes on as if nothing had happened.
///
/// Statistics belong to the weights they were estimated with, so the stand-in has none: its statistics are
/// undefined, and neither eval mode nor save_weights() takes them, until they are estimated (recalibration)
/// or given:
///
///     const std::vector<NamedBuffer> buffers = entries_of(model).buffers;
///     Tensors statistics;
///     {
///       StandIn average(w, buffers, swa.values());
///       ... recalibrate the model ...
///       statistics = average.statistics();
///       ... evaluate it, save it ...
///     }
///     StandIn again(w, buffers, swa.values(), statistics);
///
/// The other buffers keep their numbers; what is written to them meanwhile is forgotten. Perturbations and
/// stand-ins of one w nest, and end in the reverse order of their beginning, as scopes do. Memory: {d}.
class StandIn {
 public:
  /// The model must not move while this lives. Errors: ArgumentError, and nothing is changed, if `values` is
  /// not like w ({d}, its dtype and device).
  StandIn(ParameterVector& w, const std::vector<NamedBuffer>& buffers, const Tensor& values);
  /// With statistics of these weights, in the order of the buffers; they are copied. Errors: also if they do
  /// not fit the model's.
  StandIn(ParameterVector& w, const std::vector<NamedBuffer>& buffers, const Tensor& values,
          const Tensors& statistics);
  ~StandIn();
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

  /// Copies of the statistics that the model holds now, undefined where they have not been estimated.
  Tensors statistics() const;

 private:
  struct Kept {
    Tensor* buffer;
    BufferKind kind;
    Tensor own;
  };
  void enter(const std::vector<NamedBuffer>& buffers, const Tensor& values, const Tensors* statistics);

  ParameterVector& w_;
  Tensor weights_;
  std::vector<Kept> kept_;
};

}  // namespace basin::optim
