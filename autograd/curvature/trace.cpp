#include "autograd/curvature/trace.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/ops.h"

namespace basin {

Estimate estimate_of(const std::vector<double>& samples) {
  const auto n = static_cast<double>(samples.size());
  Estimate e{.standard_error = std::numeric_limits<double>::infinity(),
             .samples = static_cast<Index>(samples.size())};
  if (samples.empty()) return e;
  for (const double x : samples) e.value += x / n;
  if (samples.size() < 2) return e;
  double squares = 0;
  for (const double x : samples) squares += (x - e.value) * (x - e.value);
  e.standard_error = std::sqrt(squares / (n - 1) / n);
  return e;
}

bool StoppingRule::reached(const Estimate& e) const {
  if (e.samples >= most) return true;
  return e.samples >= least && e.standard_error <= tolerance * std::abs(e.value);
}

Tensor probed_diagonal(const LinearOperator& a, const Probes& probes, std::uint64_t i) {
  const Tensor v = probes.signs(a, i);
  return v * a.apply(v);
}

Estimate hutchinson_trace(const LinearOperator& a, const StoppingRule& rule, const Probes& probes) {
  std::vector<double> samples;
  for (;;) {
    const Tensor v = probes.signs(a, samples.size());
    samples.push_back(dot(v, a.apply(v)));
    const Estimate e = estimate_of(samples);
    if (rule.reached(e)) return e;
  }
}

Tensors sketched_range(const LinearOperator& a, Index columns, const Probes& probes) {
  Tensors q;
  for (Index i = 0; i < columns; ++i) {
    Tensor y = a.apply(probes.signs(a, static_cast<std::uint64_t>(i))).clone();
    const double before = norm(y);
    orthogonalise(y, q);
    const double left = norm(y);
    if (!std::isfinite(left)) throw NumericalError("[curvature] a product is not finite");
    if (left <= 64 * spacing(a.dtype) * before) continue;
    q.push_back(unary(UnaryOp::mul_scalar, y, 1 / left));
  }
  return q;
}

double quadratic_form(const LinearOperator& a, const Tensor& q) { return dot(q, a.apply(q)); }

double remainder_sample(const LinearOperator& a, const Tensors& q, const Probes& probes, std::uint64_t i) {
  Tensor g = probes.signs(a, i);
  orthogonalise(g, q);
  return quadratic_form(a, g);
}

Estimate hutchpp_trace(const LinearOperator& a, Index products, const Probes& sketch, const Probes& probes) {
  if (products < 6) throw ArgumentError("[hutchpp_trace] ", products, " products are fewer than 6");
  const Tensors q = sketched_range(a, products / 3, sketch);
  double exact = 0;
  for (const Tensor& column : q) exact += quadratic_form(a, column);
  std::vector<double> samples;
  for (Index i = 0; i < products / 3; ++i)
    samples.push_back(remainder_sample(a, q, probes, static_cast<std::uint64_t>(i)));
  Estimate e = estimate_of(samples);
  e.value += exact;
  return e;
}

}  // namespace basin
