#include "apps/lab/sharpness/flatness.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/curvature/linear_operator.h"
#include "core/error.h"
#include "core/ops.h"
#include "optim/perturbation.h"

namespace basin::apps {
namespace {

using optim::Climb, optim::Evaluation, optim::ParameterVector, optim::Perturbation;

constexpr std::uint64_t kStarts = 1, kRises = 2;  // purposes of random vectors

/// What such a vector looks like.
LinearOperator like(const ParameterVector& w) {
  return {.dim = w.size(), .dtype = w.dtype(), .device = w.values().device()};
}

/// e scaled to radius 1, as a vector: argmax g . e over |T^-1 e|_p <= 1. Zeros where there is none.
Tensor steepest(const LossAround& l, const optim::Ascent& ball, const Tensor& g) {
  const Climb climb = ball(l.w, g, 1);
  return climb ? climb.vector * climb.scale : Tensor::zeros(g.shape(), g.dtype(), g.device());
}

/// f() at w + e.
template <class F>
auto at(const LossAround& l, const Climb& e, const F& f) {
  if (!e) return f();
  const Perturbation away(l.w, e.vector, e.scale);
  return f();
}

/// What is found at w + e: the value there, and the vector along which to climb on.
struct Look {
  double value;
  Tensor uphill;
};

/// e_1 = argmax uphill . e, e_{k+1} = argmax uphill(w + e_k) . e, `steps` times.
Peak search_ball(const LossAround& l, const optim::Ascent& ball, double rho, const Search& search,
                 Tensor uphill, const std::function<Look(const Climb& e, bool last)>& look) {
  if (search.steps < 1)
    throw ArgumentError("[flatness] a search needs at least one step, got ", search.steps);
  if (search.start > 0)
    uphill = Probes{search.seed, kStarts}.normals(like(l.w), static_cast<std::uint64_t>(search.start));
  Peak peak;
  peak.value = -std::numeric_limits<double>::infinity();
  for (std::int64_t step = 0; step < search.steps; ++step) {
    const Climb e = ball(l.w, uphill, rho);  // none where there is no way up: w itself
    const Look there = look(e, step + 1 == search.steps);
    peak.way.push_back(there.value);
    // A value that is not a number is no maximum, and must not be hidden by one.
    if (!(there.value <= peak.value)) peak.value = there.value;
    if (!std::isfinite(there.value)) break;
    uphill = there.uphill;
  }
  return peak;
}

}  // namespace

Peak zeroth_order(const LossAround& l, const optim::Ascent& ball, double rho, const Search& search) {
  const Evaluation here = l.gradient();
  std::int64_t gradients = 1;
  Peak peak = search_ball(l, ball, rho, search, here.gradient, [&](const Climb& e, bool last) -> Look {
    if (last) return {at(l, e, l.loss) - here.loss, {}};
    ++gradients;
    const Evaluation there = at(l, e, l.gradient);
    return {there.loss - here.loss, there.gradient};
  });
  peak.gradients = gradients;
  return peak;
}

Peak first_order(const LossAround& l, const optim::Ascent& ball, double rho, const Search& search) {
  std::int64_t gradients = 0, products = 0;
  // |T g|_q = g . a with a = argmax g . e over the unit ball, and its gradient is H a: a's own change counts
  // nothing to first order (the envelope theorem).
  const auto look = [&](const Climb& e, bool last) -> Look {
    ++gradients;
    const Tensor g = at(l, e, [&] { return l.gradient().gradient; });
    const Tensor a = steepest(l, ball, g);
    const double steepness = rho * dot(g, a).value();
    if (last) return {steepness, {}};
    ++products;
    return {steepness, at(l, e, [&] { return l.hessian_vector(a); })};
  };
  const Tensor uphill = look({}, /*last=*/false).uphill;
  Peak peak = search_ball(l, ball, rho, search, uphill, look);
  peak.gradients = gradients;
  peak.products = products;
  return peak;
}

double random_rise(const LossAround& l, const optim::Ascent& ball, double rho, double loss_here,
                   std::uint64_t seed, std::int64_t draw) {
  const double p = ball.options().p;
  const bool cube = std::isinf(p);
  if (p != 2 && !cube)
    throw ArgumentError("[flatness] random perturbations are known for p = 2 and infinity, not for ", p);
  const Probes rises{seed, kRises};
  const auto number = static_cast<std::uint64_t>(draw);
  const Tensor x = cube ? rises.uniforms(like(l.w), number) : rises.normals(like(l.w), number);
  // T's diagonal: the cube's corner |argmax 1 . e| is T itself.
  optim::AscentOptions corner = ball.options();
  corner.p = std::numeric_limits<double>::infinity();
  const Tensor scale = steepest(l, optim::Ascent("sharpness", corner),
                                Tensor::full({l.w.size()}, 1.0, l.w.dtype(), l.w.values().device()));
  const double deviation = cube ? rho : rho / std::sqrt(static_cast<double>(l.w.size()));
  const Perturbation away(l.w, binary(BinaryOp::mul, x, scale), deviation);
  return l.loss() - loss_here;
}

}  // namespace basin::apps
