// The update rules, one list: a rule is a step (its numbers, in f64, that stay) and the step's formula, for
// one weight. Formula<T> holds what no weight changes, as T, the dtype of the weights; its call takes L = T
// or a vector of T: the gradient g, `on` (1 where weight decay applies, else 0), the weight and the rule's
// state, which it updates; it returns the new weight. See formula.h for what L brings.
#pragma once

#include <cmath>
#include <cstdint>
#include <variant>

#include "core/functors/unary.h"

namespace basin {

/// What changes from step to step, for every rule.
struct UpdateTime {
  double lr = 0;
  std::int64_t made = 0;  // steps made before: Adam's bias correction, and SGD's buffer that starts as d
};

/// PyTorch's SGD: d = g + weight_decay w; v = momentum v + (1-dampening) d (first: v = d);
/// w <- w - lr (nesterov ? d + momentum v : v). State: v, null without momentum (w <- w - lr d).
struct SgdStep {
  double momentum, dampening, weight_decay;
  bool nesterov;

  static constexpr std::size_t kStates = 1;

  template <class T>
  struct Formula {
    T lr, momentum, fresh, decay;
    bool nesterov, first;

    BASIN_BOTH Formula(const SgdStep& s, const UpdateTime& now)
        : lr(static_cast<T>(now.lr)),
          momentum(static_cast<T>(s.momentum)),
          fresh(static_cast<T>(1 - s.dampening)),
          decay(static_cast<T>(s.weight_decay)),
          nesterov(s.nesterov),
          first(now.made == 0) {}

    template <class L>
    BASIN_BOTH L operator()(L g, L on, L w, L& velocity) const {
      L d = g;
      if (decay != 0) d = d + L(decay) * on * w;
      if (momentum != 0) {
        velocity = first ? d : L(momentum) * velocity + L(fresh) * d;
        d = nesterov ? d + L(momentum) * velocity : velocity;
      }
      return w - L(lr) * d;
    }
  };
};

/// Adam and AdamW: d = g + coupled_decay w; w <- w - lr decoupled_decay w; m = beta1 m + (1-beta1) d;
/// v = beta2 v + (1-beta2) d^2; w <- w - lr / (1-beta1^t) m / (sqrt(v / (1-beta2^t)) + eps), t = made + 1.
/// State: m, v.
struct AdamStep {
  double beta1, beta2, eps;
  double coupled_decay;    // Adam
  double decoupled_decay;  // AdamW

  static constexpr std::size_t kStates = 2;

  template <class T>
  struct Formula {
    T beta1, beta2, fresh1, fresh2;
    T rate;                        // lr / (1 - beta1^t)
    T root_scale;                  // 1 / sqrt(1 - beta2^t)
    T eps, coupled_decay, shrink;  // shrink: lr * decoupled_decay

    BASIN_BOTH Formula(const AdamStep& s, const UpdateTime& now)
        : beta1(static_cast<T>(s.beta1)),
          beta2(static_cast<T>(s.beta2)),
          fresh1(static_cast<T>(1 - s.beta1)),
          fresh2(static_cast<T>(1 - s.beta2)),
          rate(static_cast<T>(now.lr / (1 - std::pow(s.beta1, static_cast<double>(now.made + 1))))),
          root_scale(static_cast<T>(1 / std::sqrt(1 - std::pow(s.beta2, static_cast<double>(now.made + 1))))),
          eps(static_cast<T>(s.eps)),
          coupled_decay(static_cast<T>(s.coupled_decay)),
          shrink(static_cast<T>(now.lr * s.decoupled_decay)) {}

    template <class L>
    BASIN_BOTH L operator()(L g, L on, L w, L& mean, L& square) const {
      using std::sqrt;
      L d = g;
      if (coupled_decay != 0) d = d + L(coupled_decay) * on * w;
      if (shrink != 0) w = w - L(shrink) * on * w;
      mean = L(beta1) * mean + L(fresh1) * d;
      square = L(beta2) * square + L(fresh2) * d * d;
      return w - L(rate) * mean / (sqrt(square) * L(root_scale) + L(eps));
    }
  };
};

/// RMSProp: d = g + weight_decay w; s = alpha s + (1-alpha) d^2; u = d / sqrt(s + eps) (or d / (sqrt(s) +
/// eps)); v = momentum v + u; w <- w - lr v. State: s; v, null without momentum (w <- w - lr u).
struct RmsPropStep {
  double alpha, eps, momentum;
  double weight_decay;
  bool eps_inside_root;  // sqrt(s + eps) rather than sqrt(s) + eps

  static constexpr std::size_t kStates = 2;

  template <class T>
  struct Formula {
    T lr, alpha, fresh, eps, momentum, decay;
    bool eps_inside_root;

    BASIN_BOTH Formula(const RmsPropStep& s, const UpdateTime& now)
        : lr(static_cast<T>(now.lr)),
          alpha(static_cast<T>(s.alpha)),
          fresh(static_cast<T>(1 - s.alpha)),
          eps(static_cast<T>(s.eps)),
          momentum(static_cast<T>(s.momentum)),
          decay(static_cast<T>(s.weight_decay)),
          eps_inside_root(s.eps_inside_root) {}

    template <class L>
    BASIN_BOTH L operator()(L g, L on, L w, L& square, L& velocity) const {
      using std::sqrt;
      L d = g;
      if (decay != 0) d = d + L(decay) * on * w;
      square = L(alpha) * square + L(fresh) * d * d;
      d = d / (eps_inside_root ? sqrt(square + L(eps)) : sqrt(square) + L(eps));
      if (momentum != 0) {
        velocity = L(momentum) * velocity + d;
        d = velocity;
      }
      return w - L(lr) * d;
    }
  };
};

/// Lion: u = sign(beta1 m + (1-beta1) g), 0 for 0; w <- w - lr (u + weight_decay w); m = beta2 m + (1-beta2)
/// g. State: m.
struct LionStep {
  double beta1, beta2;
  double weight_decay;

  static constexpr std::size_t kStates = 1;

  template <class T>
  struct Formula {
    T lr, beta1, beta2, fresh1, fresh2, decay;

    BASIN_BOTH Formula(const LionStep& s, const UpdateTime& now)
        : lr(static_cast<T>(now.lr)),
          beta1(static_cast<T>(s.beta1)),
          beta2(static_cast<T>(s.beta2)),
          fresh1(static_cast<T>(1 - s.beta1)),
          fresh2(static_cast<T>(1 - s.beta2)),
          decay(static_cast<T>(s.weight_decay)) {}

    template <class L>
    BASIN_BOTH L operator()(L g, L on, L w, L& mean) const {
      L d = functors::Unary<UnaryOp::sign>{}(L(beta1) * mean + L(fresh1) * g);
      mean = L(beta2) * mean + L(fresh2) * g;
      if (decay != 0) d = d + L(decay) * on * w;
      return w - L(lr) * d;
    }
  };
};

/// One step of any rule. A rule that is added here has its kernels on every backend.
using UpdateStep = std::variant<SgdStep, AdamStep, RmsPropStep, LionStep>;

}  // namespace basin
