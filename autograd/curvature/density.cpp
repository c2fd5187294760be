#include "autograd/curvature/density.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/curvature/trace.h"
#include "core/error.h"

namespace basin {

Quadrature lanczos_quadrature(const LinearOperator& a, const Tensor& start, Index steps) {
  if (steps < 1) throw ArgumentError("[lanczos_quadrature] ", steps, " steps");
  Lanczos process(a, start, Probes{});
  while (process.size() < steps && !process.exhausted()) {
    process.step();
    if (process.since_breakdown() >= 0) break;
  }
  const Ritz ritz = process.ritz();
  Quadrature q{.nodes = ritz.values};
  for (const std::vector<double>& s : ritz.vectors) q.weights.push_back(s.front() * s.front());
  q.low = ritz.values.front() - ritz.residuals.front();
  q.high = ritz.values.back() + ritz.residuals.back();
  return q;
}

DensityCurve smoothed_density(const std::vector<Quadrature>& measures, Index points, double sigma) {
  if (measures.empty() || points < 2)
    throw ArgumentError("[smoothed_density] ", measures.size(), " measures at ", points, " points");
  double low = measures.front().low, high = measures.front().high;
  for (const Quadrature& q : measures) {
    low = std::min(low, q.low);
    high = std::max(high, q.high);
  }
  const double width = high > low ? high - low : std::max(std::abs(high), 1.0);
  DensityCurve curve{.sigma = sigma > 0 ? sigma : width / 100};
  const double from = low - 4 * curve.sigma, to = high + 4 * curve.sigma;
  const double height = 1 / (curve.sigma * std::sqrt(2 * std::numbers::pi));
  for (Index i = 0; i < points; ++i) {
    const double x = from + (to - from) * static_cast<double>(i) / static_cast<double>(points - 1);
    std::vector<double> each;
    for (const Quadrature& q : measures) {
      double sum = 0;
      for (std::size_t k = 0; k < q.nodes.size(); ++k) {
        const double z = (x - q.nodes[k]) / curve.sigma;
        sum += q.weights[k] * height * std::exp(-z * z / 2);
      }
      each.push_back(sum);
    }
    const Estimate e = estimate_of(each);
    curve.x.push_back(x);
    curve.density.push_back(e.value);
    curve.standard_error.push_back(e.standard_error);
  }
  return curve;
}

}  // namespace basin
