#include "apps/training/epoch_curvature.h"

#include <limits>

#include "apps/evaluation/dataset_objective.h"
#include "autograd/curvature/lanczos.h"
#include "autograd/curvature/trace.h"
#include "core/error.h"
#include "data/loading/chosen.h"

namespace basin::apps {

EpochCurvature measure_curvature(nn::Module& model, const optim::ParameterVector& w,
                                 std::shared_ptr<const data::ExampleSource> source, std::int64_t images,
                                 const EvaluationOptions& options) {
  const DatasetObjective loss(model, w, data::drawn(std::move(source), images, 0), options);
  const LinearOperator hessian{.dim = w.size(),
                               .apply = [&loss](const Tensor& v) { return loss.hessian_vector(v); },
                               .dtype = w.dtype(),
                               .device = w.values().device()};
  try {
    const EigenPairs top =
        lanczos_eigenpairs(hessian, {.tolerance = 0.01, .most_products = 200}, {.purpose = 1});
    const Estimate trace =
        hutchinson_trace(hessian, {.tolerance = 0.05, .least = 10, .most = 50}, {.purpose = 2});
    return {top.pairs.front().value, trace.value, trace.standard_error};
  } catch (const NumericalError&) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return {nan, nan, nan};
  }
}

}  // namespace basin::apps
