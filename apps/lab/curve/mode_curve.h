// ModeCurve: a path through weight space between two solutions, and how high the loss rises along it.
#pragma once

#include <utility>
#include <vector>

#include "core/tensor.h"

namespace basin::apps {

/// Garipov et al. 2018, "Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs", section 3: with K
/// points w_0, ..., w_{K-1}, phi(t) = sum_j c_j(t) w_j for t in [0, 1].
///   line    (1-t) w_0 + t w_1; K = 2
///   bezier  c_j(t) = C(K-1,j) t^j (1-t)^(K-1-j)
///   chain   c_j(t) = max(0, 1 - |t (K-1) - j|): straight pieces from each point to the next
enum class CurveKind { line, bezier, chain };

/// c_0(t), ..., c_{K-1}(t). They sum to 1; t = 0 and t = 1 give the ends alone. Errors: ArgumentError for
/// fewer than two points, a line of other than two, or t outside [0, 1].
std::vector<double> coefficients(CurveKind kind, std::size_t points, double t);

/// sum_j c_j parts_j, a new tensor; parts with c_j = 0 do not count, so that c = (1, 0, ...) gives the first
/// bit for bit.
Tensor combined(const std::vector<double>& c, const Tensors& parts);

/// The points of a curve, {d} each and of one dtype and device; their numbers are shared, not copied.
class ModeCurve {
 public:
  /// Errors: ArgumentError for points that are not alike, or too few of them.
  ModeCurve(CurveKind kind, Tensors points);

  CurveKind kind() const { return kind_; }
  const Tensors& points() const { return points_; }

  /// phi(t), {d}, a new tensor; the first and the last point bit for bit at t = 0 and 1.
  Tensor at(double t) const;

 private:
  CurveKind kind_;
  Tensors points_;
};

/// `count` equally spaced numbers from 0 to 1.
std::vector<double> equally_spaced(int count);

/// The lengths of the pieces of a curve between the rising `t`, one fewer than these: the integral of
/// |phi'(t)|, over all parameters. |phi'|^2 is a quadratic form in the scalar products of w_j - w_0, which
/// are taken once; the integral is exact for lines and chains, and for Bezier curves Gauss-Legendre's with
/// five points on each of eight parts of a piece.
std::vector<double> lengths(const ModeCurve& curve, const std::vector<double>& t);

/// Of numbers v_i at rising t_i along a curve, how far they rise above its ends. NaN counts as infinite.
struct Barrier {
  double highest = 0, at = 0;  // max_i v_i, and its t
  double lowest = 0;
  double mean = 0;  // along the curve: sum of (v_i + v_{i+1})/2 by length, over the length
  /// highest - max(v_0, v_n): above the worse end.
  double over_ends = 0;
  /// highest - (v_0 + v_n)/2: the error barrier of Frankle et al. 2020, "Linear Mode Connectivity and the
  /// Lottery Ticket Hypothesis".
  double over_mean = 0;
  /// max_i [v_i - ((1-t_i) v_0 + t_i v_n)]: the barrier of Entezari et al. 2022, "The Role of Permutation
  /// Invariance in Linear Mode Connectivity of Neural Networks".
  double over_line = 0;
};

/// `piece` are the lengths between the t. Errors: ArgumentError for counts that do not go together.
Barrier barrier_of(const std::vector<double>& t, const std::vector<double>& values,
                   const std::vector<double>& piece);

}  // namespace basin::apps
