// CurveFit: the inner points of a curve between two solutions, trained so that the loss along it is low.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "apps/lab/curve/mode_curve.h"
#include "autograd/inventory.h"
#include "optim/parameter_vector.h"
#include "optim/update/update_rule.h"

namespace basin::apps {

/// Minimises E_{t ~ U(0,1)} L(phi(t)) over the inner points ("bends") of a Bezier curve or a chain, whose
/// ends stay (Garipov et al. 2018, eq. (2)), by SGD: a step draws one t and descends along dL/dw_j = c_j(t)
/// grad L(phi(t)) for each bend j. Weight decay belongs in L, of the point on the curve: it is then wd c_j(t)
/// phi(t), not wd w_j.
///
///     CurveFit fit(CurveKind::bezier, a, b, 1);
///     const double t = fit.place(seed, step);
///     w.values().copy_from(fit.curve().at(t));
///     fit.descend(t, gradient at phi(t), lr);
class CurveFit {
 public:
  /// `bends` inner points, at first on the straight line, equally spaced. `a` and `b` are shared. Errors:
  /// ArgumentError for no bends, a line, ends that are not alike, or a momentum out of range.
  CurveFit(CurveKind kind, Tensor a, Tensor b, std::size_t bends, double momentum = 0.9);
  CurveFit(const CurveFit&) = delete;
  CurveFit& operator=(const CurveFit&) = delete;

  /// The curve as it is now; it shares the bends.
  const ModeCurve& curve() const { return *curve_; }
  std::size_t bends() const { return variables_.size(); }

  /// The t of a step: uniform, a function of its address (seed, step).
  static double place(std::uint64_t seed, std::int64_t step);
  /// One step of SGD for the gradient {d} at phi(t). Errors: those of optim::UpdateRule::apply().
  void descend(double t, const Tensor& gradient, double lr);

  /// Bends and momentum, for checkpoints.
  void describe(Inventory& it);

 private:
  Variables variables_;  // the bends, views into values_
  std::unique_ptr<optim::ParameterVector> vector_;
  std::unique_ptr<optim::Sgd> sgd_;
  std::unique_ptr<ModeCurve> curve_;
};

/// The rate of the authors' code at a share p = (steps or epochs begun) / all in (0, 1]: lr up to the half,
/// then falling linearly to lr/100 at 0.9, where it stays.
double curve_rate(double lr, double p);

}  // namespace basin::apps
