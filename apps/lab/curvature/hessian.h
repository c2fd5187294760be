// The spectrum of a Subject's Hessian: what `basin hessian` asks, and how it is found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/cli/long_work.h"
#include "apps/lab/answer.h"
#include "apps/lab/curvature/curvature.h"
#include "autograd/curvature/density.h"
#include "autograd/curvature/trace.h"

namespace basin::apps {

enum class EigenMethod { lanczos, power };
enum class TraceMethod { hutchinson, hutchpp };

struct HessianConfig {
  CurvatureKind kind = CurvatureKind::hessian;
  std::int64_t top = 5;  // eigenvalues from each end that is asked for; 0: none
  Which which = Which::largest;
  EigenMethod method = EigenMethod::lanczos;
  double tolerance = 1e-3;  // of a residual, relative to the largest |eigenvalue|
  std::int64_t basis = 0;   // vectors held; 0: 2 top + 30
  std::int64_t most_products = 500;
  bool trace = true;
  TraceMethod trace_method = TraceMethod::hutchinson;
  double trace_error = 0.03;          // standard error, relative to the trace
  std::int64_t trace_products = 100;  // at most; of Hutch++ exactly
  bool density = true;
  std::int64_t density_steps = 50, density_starts = 2;
  double density_width = 0;  // 0: 1 % of the spectrum's width
  Grouping groups = Grouping::none;
};

/// Adds the group "What is found".
void add(OptionTable& table, HessianConfig& config);
/// Errors: UsageError for options that do not go together.
void check(const HessianConfig& config);
/// What of it decides the numbers.
Json question_of(const HessianConfig& config, std::uint64_t seed);

/// Of a mean: value and standard error, and how many probes it took.
Json to_json(const Estimate& estimate);

/// What is found of the operator A of a subject, as JSON: "loss" and "gradient_norm" at w; "parameters";
/// "top", pairs of "value" and "residual" by falling value; "trace" and "squared_diagonal", estimates;
/// "density", the measures of each start; "groups"; and "products", how many it took in all, those that an
/// interrupted call had made included. Eigenvectors go to eigenvectors.safetensors of the answer. Goes on
/// where an earlier call was interrupted, to the same bytes. Errors: NumericalError; OutputError;
/// InterruptedError.
Json find_spectrum(const HessianConfig& config, std::uint64_t seed, Subject& subject, const Answer& answer,
                   const LongWork& work);

/// Its figures: the top eigenvalues and the groups as tables, the density as a plot.
std::vector<Figure> figures_of_spectrum(const Json& result);
/// The density's curve. Errors: JsonError for a result without one.
DensityCurve density_curve(const Json& result);

}  // namespace basin::apps
