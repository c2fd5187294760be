#include "apps/weights/positions.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"

namespace basin::apps {
namespace {

/// Keys's cubic with a = -1/2.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/// What one point of the new grid is made of: weights of the old points from `begin` on.
struct Mixture {
  Index begin = 0;
  std::vector<double> weights{};
};

std::vector<Mixture> mixtures(Index from, Index to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(scale, 1.0), support = 2 * stretch;
  std::vector<Mixture> all;
  for (Index i = 0; i < to; ++i) {
    const double centre = scale * (static_cast<double>(i) + 0.5);
    Mixture m{.begin = std::max<Index>(static_cast<Index>(centre - support + 0.5), 0)};
    const Index end = std::min<Index>(static_cast<Index>(centre + support + 0.5), from);
    double sum = 0;
    for (Index k = m.begin; k < end; ++k) {
      m.weights.push_back(cubic((static_cast<double>(k) - centre + 0.5) / stretch));
      sum += m.weights.back();
    }
    for (double& weight : m.weights) weight /= sum;
    all.push_back(std::move(m));
  }
  return all;
}

}  // namespace

std::optional<Index> position_side(const Shape& positions) {
  if (positions.rank() != 3 || positions[0] != 1 || positions[1] < 2) return {};
  const auto side = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(positions[1] - 1))));
  if (side * side != positions[1] - 1) return {};
  return side;
}

Tensor resized_positions(const Tensor& positions, Index t) {
  const std::optional<Index> side = position_side(positions.shape());
  if (!side || t < 1)
    throw ArgumentError("[positions] ", positions.shape(),
                        " are no class's token and a square of patches, or ", t, " is no number of patches");
  const Index s = *side, dim = positions.size(2);
  if (t == s) return positions;
  const Tensor wide = positions.to(Dtype::f64);
  const double* old = wide.data<double>();
  const std::vector<Mixture> mix = mixtures(s, t);
  std::vector<double> rows(static_cast<std::size_t>(s * t * dim));  // columns resized, rows as they were
  for (Index y = 0; y < s; ++y)
    for (Index x = 0; x < t; ++x)
      for (Index d = 0; d < dim; ++d) {
        const Mixture& m = mix[static_cast<std::size_t>(x)];
        double sum = 0;
        for (std::size_t k = 0; k < m.weights.size(); ++k)
          sum += m.weights[k] * old[(1 + y * s + m.begin + static_cast<Index>(k)) * dim + d];
        rows[static_cast<std::size_t>((y * t + x) * dim + d)] = sum;
      }
  Tensor out = Tensor::empty({1, 1 + t * t, dim}, Dtype::f64);
  double* to = out.mutable_data<double>();
  std::copy(old, old + dim, to);
  for (Index y = 0; y < t; ++y)
    for (Index x = 0; x < t; ++x)
      for (Index d = 0; d < dim; ++d) {
        const Mixture& m = mix[static_cast<std::size_t>(y)];
        double sum = 0;
        for (std::size_t k = 0; k < m.weights.size(); ++k)
          sum += m.weights[k] *
                 rows[static_cast<std::size_t>(((m.begin + static_cast<Index>(k)) * t + x) * dim + d)];
        to[(1 + y * t + x) * dim + d] = sum;
      }
  return out.to(positions.dtype());
}

}  // namespace basin::apps
