// The curvature of the loss at a moment of training: the curves of a run's Hessian.
#pragma once

#include <cstdint>
#include <memory>

#include "apps/evaluation/evaluation.h"
#include "apps/runs/records.h"
#include "optim/parameter_vector.h"

namespace basin::apps {

/// The largest eigenvalue and the trace of the Hessian of the mean cross-entropy over `images` of the source,
/// drawn by seed 0, in eval mode: of the same loss, by the same random vectors, as `basin hessian RUN` with
/// its defaults. Lanczos until the residual is at most 1 % of the eigenvalue or after 200 products,
/// Hutchinson until the standard error is at most 5 % of the trace or after 50. NaN where the loss is not
/// finite. Nothing of the model changes. Errors: what options.watch throws.
EpochCurvature measure_curvature(nn::Module& model, const optim::ParameterVector& w,
                                 std::shared_ptr<const data::ExampleSource> source, std::int64_t images,
                                 const EvaluationOptions& options);

}  // namespace basin::apps
