#include "apps/lab/curve/mode_curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "core/error.h"
#include "core/ops.h"

namespace basin::apps {
namespace {

double binomial(std::size_t n, std::size_t k) {
  double c = 1;
  for (std::size_t i = 1; i <= k; ++i) c = c * static_cast<double>(n - k + i) / static_cast<double>(i);
  return c;
}

double to_the(double x, std::size_t power) {
  double y = 1;
  for (std::size_t i = 0; i < power; ++i) y *= x;
  return y;
}

/// c_j'(t) of a Bezier curve: (K-1) (b_{j-1} - b_j) with the coefficients b of one point fewer.
std::vector<double> bezier_slopes(std::size_t points, double t) {
  const std::vector<double> b =
      points == 2 ? std::vector<double>{1} : coefficients(CurveKind::bezier, points - 1, t);
  std::vector<double> slopes(points, 0.0);
  for (std::size_t j = 0; j < points; ++j)
    slopes[j] = static_cast<double>(points - 1) * ((j > 0 ? b[j - 1] : 0) - (j + 1 < points ? b[j] : 0));
  return slopes;
}

/// The scalar products (w_j - w_0, w_k - w_0).
std::vector<std::vector<double>> products(const Tensors& w) {
  Tensors from_first;
  for (const Tensor& point : w) from_first.push_back(point - w.front());
  std::vector<std::vector<double>> g(w.size(), std::vector<double>(w.size()));
  for (std::size_t j = 0; j < w.size(); ++j)
    for (std::size_t k = j; k < w.size(); ++k) g[j][k] = g[k][j] = dot(from_first[j], from_first[k]);
  return g;
}

/// |sum_j c_j (w_j - w_0)|, which is |sum_j c_j w_j| where the c_j sum to 0.
double norm_of(const std::vector<double>& c, const std::vector<std::vector<double>>& g) {
  double square = 0;
  for (std::size_t j = 0; j < c.size(); ++j)
    for (std::size_t k = 0; k < c.size(); ++k) square += c[j] * c[k] * g[j][k];
  return std::sqrt(std::max(square, 0.0));
}

double bezier_length(const std::vector<std::vector<double>>& g, double from, double to) {
  constexpr int kParts = 8;
  constexpr std::array<double, 5> node = {0, -0.5384693101056831, 0.5384693101056831, -0.9061798459386640,
                                          0.9061798459386640};
  constexpr std::array<double, 5> weight = {0.5688888888888889, 0.4786286704993665, 0.4786286704993665,
                                            0.2369268850561891, 0.2369268850561891};
  double length = 0;
  const double half = (to - from) / (2 * kParts);
  for (int part = 0; part < kParts; ++part)
    for (std::size_t i = 0; i < node.size(); ++i)
      length +=
          half * weight[i] * norm_of(bezier_slopes(g.size(), from + half * (2 * part + 1 + node[i])), g);
  return length;
}

/// Of straight pieces: |phi(t) - phi(s)| from corner to corner.
double chain_length(CurveKind kind, const std::vector<std::vector<double>>& g, double from, double to) {
  std::vector<double> stops = {from};
  for (std::size_t corner = 1; corner + 1 < g.size(); ++corner) {
    const double t = static_cast<double>(corner) / static_cast<double>(g.size() - 1);
    if (from < t && t < to) stops.push_back(t);
  }
  stops.push_back(to);
  double length = 0;
  for (std::size_t i = 0; i + 1 < stops.size(); ++i) {
    std::vector<double> c = coefficients(kind, g.size(), stops[i + 1]);
    const std::vector<double> before = coefficients(kind, g.size(), stops[i]);
    for (std::size_t j = 0; j < c.size(); ++j) c[j] -= before[j];
    length += norm_of(c, g);
  }
  return length;
}

}  // namespace

std::vector<double> coefficients(CurveKind kind, std::size_t points, double t) {
  if (points < 2 || (kind == CurveKind::line && points != 2))
    throw ArgumentError("[curve] a ", kind == CurveKind::line ? "line has 2" : "curve has at least 2",
                        " points, got ", points);
  if (!(t >= 0 && t <= 1)) throw ArgumentError("[curve] t is in [0, 1], got ", t);
  const std::size_t last = points - 1;
  std::vector<double> c(points);
  for (std::size_t j = 0; j < points; ++j)
    c[j] = kind == CurveKind::bezier
               ? binomial(last, j) * to_the(t, j) * to_the(1 - t, last - j)
               : std::max(0.0, 1 - std::abs(t * static_cast<double>(last) - static_cast<double>(j)));
  return c;
}

ModeCurve::ModeCurve(CurveKind kind, Tensors points) : kind_(kind), points_(std::move(points)) {
  coefficients(kind_, points_.size(), 0);
  for (const Tensor& point : points_)
    if (point.rank() != 1 || point.shape() != points_[0].shape() || point.dtype() != points_[0].dtype() ||
        point.device() != points_[0].device())
      throw ArgumentError("[curve] points are flat vectors of one kind, got ", point.dtype(), " ",
                          point.shape(), " beside ", points_[0].dtype(), " ", points_[0].shape());
}

Tensor combined(const std::vector<double>& c, const Tensors& parts) {
  Tensor sum;
  for (std::size_t j = 0; j < c.size(); ++j) {
    if (c[j] == 0) continue;
    if (sum.defined())
      axpby(c[j], parts[j], 1, sum);
    else
      sum = c[j] == 1 ? parts[j].clone() : parts[j] * c[j];
  }
  return sum;
}

Tensor ModeCurve::at(double t) const { return combined(coefficients(kind_, points_.size(), t), points_); }

std::vector<double> equally_spaced(int count) {
  if (count < 2) throw ArgumentError("[curve] at least 2 places from 0 to 1 are needed, got ", count);
  std::vector<double> t;
  for (int i = 0; i < count; ++i) t.push_back(static_cast<double>(i) / (count - 1));
  return t;
}

std::vector<double> lengths(const ModeCurve& curve, const std::vector<double>& t) {
  const std::vector<std::vector<double>> g = products(curve.points());
  std::vector<double> all;
  for (std::size_t i = 0; i + 1 < t.size(); ++i)
    all.push_back(curve.kind() == CurveKind::bezier ? bezier_length(g, t[i], t[i + 1])
                                                    : chain_length(curve.kind(), g, t[i], t[i + 1]));
  return all;
}

Barrier barrier_of(const std::vector<double>& t, const std::vector<double>& values,
                   const std::vector<double>& piece) {
  if (t.size() < 2 || values.size() != t.size() || piece.size() + 1 != t.size())
    throw ArgumentError("[curve] ", values.size(), " values and ", piece.size(), " lengths at ", t.size(),
                        " places");
  std::vector<double> v = values;
  for (double& x : v)
    if (std::isnan(x)) x = std::numeric_limits<double>::infinity();
  const auto top = static_cast<std::size_t>(std::max_element(v.begin(), v.end()) - v.begin());
  Barrier b{.highest = v[top], .at = t[top], .lowest = *std::min_element(v.begin(), v.end())};
  b.over_ends = b.highest - std::max(v.front(), v.back());
  b.over_mean = b.highest - (v.front() + v.back()) / 2;
  b.over_line = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < t.size(); ++i)
    b.over_line = std::max(b.over_line, v[i] - ((1 - t[i]) * v.front() + t[i] * v.back()));
  double sum = 0, whole = 0;
  for (std::size_t i = 0; i < piece.size(); ++i) {
    sum += piece[i] * (v[i] + v[i + 1]) / 2;
    whole += piece[i];
  }
  b.mean = whole > 0 ? sum / whole : v.front();
  return b;
}

}  // namespace basin::apps
