#include "optim/sam.h"

#include <cmath>

#include "core/ops.h"
#include "optim/perturbation.h"

namespace basin::optim {
namespace {

double largest_number(Dtype dtype) {
  return dispatch_floating(dtype, "sam", []<class T>(T) -> double { return std::numeric_limits<T>::max(); });
}

}  // namespace

Sam::Sam(const SamOptions& options) : rho_(options.rho), p_(options.p) {
  if (!(rho_ >= 0) || !std::isfinite(rho_))
    throw ArgumentError("[sam] rho is a radius, finite and at least 0, got ", rho_);
  if (!(p_ > 1)) throw ArgumentError("[sam] p must be above 1 (2, infinity, or between), got ", p_);
}

Direction Sam::direction(const Objective& objective, ParameterVector& w) {
  StepReport report;
  const Evaluation here = objective({.pass = Pass::first});
  if (!report.enter(here)) return {{}, report};

  const Ascent e = ascent(here.gradient, report.gradient_norm);
  if (!e.vector.defined()) return along(here.gradient, here.gradient, report);

  Perturbation climb(w, e.vector, e.scale);
  const Evaluation there = objective({.pass = Pass::repeat});
  if (!report.enter(there)) return {{}, report};
  return along(there.gradient, here.gradient, report);
}

Sam::Ascent Sam::ascent(const Tensor& g, double g_norm) const {
  if (rho_ == 0 || g_norm == 0) return {};
  if (p_ == 2) {
    const double scale = rho_ / g_norm;
    return scale <= largest_number(g.dtype()) ? Ascent{g, scale} : Ascent{};
  }
  if (std::isinf(p_)) return {unary(UnaryOp::sign, g), rho_};

  // e is the same for g and for g / max|g|, whose powers neither overflow nor vanish all together.
  const Tensor size = unary(UnaryOp::abs, g);
  const Tensor relative = size / reduce(ReduceOp::max, size);
  const Tensor power = unary(UnaryOp::pow_scalar, relative, 1 / (p_ - 1));  // |.|^(q-1)
  return {unary(UnaryOp::sign, g) * power, rho_ / std::pow(dot(power, relative), 1 / p_)};
}

}  // namespace basin::optim
