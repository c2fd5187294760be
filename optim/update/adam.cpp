// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019).
#include <cmath>

#include "optim/update/rule_support.h"

namespace basin::optim {

Adam::Adam(const ParameterVector& w, const AdamOptions& options)
    : options_(options), m_(zeros_like(w)), v_(zeros_like(w)), step_(Tensor::zeros({}, Dtype::i64)) {
  check_factor(name(), "beta1", options.beta1);
  check_factor(name(), "beta2", options.beta2);
  check_eps(name(), options.eps, w.dtype());
  check_weight_decay(name(), options.weight_decay);
}

void Adam::step(ParameterVector& w, const Tensor& direction, const StepInfo& now) {
  const AdamStep s{.beta1 = options_.beta1,
                   .beta2 = options_.beta2,
                   .eps = options_.eps,
                   .coupled_decay = options_.decoupled ? 0 : options_.weight_decay,
                   .decoupled_decay = options_.decoupled ? options_.weight_decay : 0};
  Tensor values = target(w, now.lr);
  backend_of(values, Work::optimizer)
      ->update(s, numbers_of(now, step_), {direction, mask_of(w), values, {&m_, &v_}});
  count(now, step_);
}

std::vector<Tensor*> Adam::state() { return {&m_, &v_}; }

UpdateRule::Bounds Adam::after(const Bounds& before, double direction, double lr) const {
  const AdamOptions& o = options_;
  const double t = static_cast<double>(step_.data<std::int64_t>()[0] + 1);
  const double decay = o.weight_decay * before.weight, d = direction + (o.decoupled ? 0 : decay);
  const double m = o.beta1 * before.state[0] + (1 - o.beta1) * d;
  const double v = o.beta2 * before.state[1] + d * d;
  Bounds then;
  then.state = {m, v};
  const double eps = rounded(o.eps, v_.dtype());
  then.weight = before.weight + lr / (1 - std::pow(o.beta1, t)) * m / eps + (o.decoupled ? lr * decay : 0);
  then.peak = d + m + v + then.weight;
  return then;
}

void Adam::describe(Inventory& it) {
  it.buffer("m", m_);
  it.buffer("v", v_);
  it.buffer("step", step_);
}

}  // namespace basin::optim
