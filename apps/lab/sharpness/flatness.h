// Flatness of the zeroth and the first order around weights: how much a loss rises within a ball, and how
// steep it gets there. As the papers of SAM (Foret et al. 2021), ASAM (Kwon et al. 2021) and GAM (Zhang et
// al. 2023) define it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "optim/gradient/ascent.h"
#include "optim/objective.h"
#include "optim/parameter_vector.h"

namespace basin::apps {

/// A loss at the weights as they are, with what is asked of it. H is its Hessian.
struct LossAround {
  optim::ParameterVector& w;
  std::function<double()> loss;
  std::function<optim::Evaluation()> gradient;  // the loss too
  std::function<Tensor(const Tensor& v)> hessian_vector;
};

/// How a maximum over the ball is searched.
struct Search {
  std::int64_t steps = 5;  // of ascent from each start
  std::uint64_t seed = 0;  // of the random starts
  /// 0: from w itself, along its gradient; 1, 2, ...: from a random point of the ball's rim.
  std::int64_t start = 0;
};

/// What a search found.
struct Peak {
  double value = 0;            // the largest of `way`
  std::vector<double> way{};   // after each step; the first is the one-step estimate
  std::int64_t gradients = 0;  // that it took, over all examples
  std::int64_t products = 0;   // with the Hessian
};

/// The ball |T^-1 e|_p <= rho, T diagonal: optim::AscentOptions has p and T. T is that of w, wherever e
/// leads.
///
/// R0(rho) = max over the ball of L(w + e) - L(w), from below: by e_1 = argmax g(w) . e, which is the
/// perturbation of SAM, and then e_{k+1} = argmax g(w + e_k) . e, the generalised power method (Journee et
/// al. 2010), which rises in every step where L is convex. A random start takes a random vector in g(w)'s
/// place. The weights are back, bit for bit, when it returns or throws.
Peak zeroth_order(const LossAround& l, const optim::Ascent& ball, double rho, const Search& search);

/// R1(rho) = rho max over the ball of |T g(w + e)|_q, 1/p + 1/q = 1: for p = 2 and T = 1 rho max |g|, GAM's
/// definition. From below, by e_1 = argmax f(w) . e with f = grad |T g|_q, which is GAM's perturbation, and
/// then e_{k+1} = argmax f(w + e_k) . e. By the mean value theorem R0 <= R1.
Peak first_order(const LossAround& l, const optim::Ascent& ball, double rho, const Search& search);

/// L(w + e) - L(w) for random e: for p = 2 normal with deviation T rho / sqrt(d), so that the mean of
/// |T^-1 e|^2 is rho^2; for p = infinity uniform on [-rho, rho] T. `draw` is which e of the seed's. Errors:
/// ArgumentError for another p.
double random_rise(const LossAround& l, const optim::Ascent& ball, double rho, double loss_here,
                   std::uint64_t seed, std::int64_t draw);

}  // namespace basin::apps
