#include "optim/gradient/gradient_rule.h"

#include <cmath>

#include "core/ops.h"
#include "optim/geometry.h"

namespace basin::optim {

bool StepReport::enter(const Evaluation& pass) {
  if (!pass.gradient.defined())
    throw ArgumentError("[objective] the evaluation of pass ", passes, " has no gradient");
  const double size = norm(pass.gradient);  // finite only if every entry is
  if (passes == 0) {
    loss = pass.loss;
    gradient_norm = size;
    correct = pass.correct;
    rows = pass.rows;
  } else {
    perturbed_loss = pass.loss;
    perturbed_norm = size;
  }
  const bool products = !pass.norm_gradient.defined() || all_finite(pass.norm_gradient);
  if (!std::isfinite(pass.loss) || !std::isfinite(size) || !products) {
    finite = false;
    failed_pass = passes;
  }
  ++passes;
  return finite;
}

Direction GradientRule::direction(const Objective& objective, ParameterVector& w, const StepInfo& now) {
  const auto expect_like_weights = [&w](const char* what, const Tensor& x) {
    if (x.defined() && (x.elements() != w.size() || x.dtype() != w.dtype()))
      throw ArgumentError("[objective] its ", what, " is ", x.dtype(), " ", x.shape(), ", the weights are ",
                          w.dtype(), " ", w.values().shape(),
                          ": evaluate the loss with the same ParameterVector");
  };
  return form(
      [&](const Request& request) {
        Evaluation e = objective(request);
        expect_like_weights("gradient", e.gradient);
        expect_like_weights("norm_gradient", e.norm_gradient);
        return e;
      },
      w, now);
}

Direction along(const Tensor& vector, const Tensor& g, StepReport report) {
  const bool same = vector.raw() == g.raw();
  report.direction_norm = same ? report.gradient_norm : double(norm(vector));
  report.finite = std::isfinite(report.direction_norm);
  if (!report.finite) return {{}, report};
  if (report.gradient_norm > 0 && report.direction_norm > 0)
    report.cosine = same ? 1 : cosine(g, report.gradient_norm, vector, report.direction_norm);
  return {vector, report};
}

Direction clipped(Direction direction, double max_norm) {
  if (!(max_norm > 0)) throw ArgumentError("[clip] max_norm must be above 0, got ", max_norm);
  StepReport& report = direction.report;
  if (!report.finite || report.direction_norm <= max_norm) return direction;
  report.clipped = max_norm / report.direction_norm;
  direction.vector = unary(UnaryOp::mul_scalar, direction.vector, report.clipped);
  report.direction_norm = max_norm;
  return direction;
}

Direction Plain::form(const Objective& objective, ParameterVector&, const StepInfo&) {
  StepReport report;
  const Evaluation here = objective({.pass = Pass::first});
  if (!report.enter(here)) return {{}, report};
  return along(here.gradient, here.gradient, report);
}

}  // namespace basin::optim
