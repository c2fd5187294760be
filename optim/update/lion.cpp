// Lion (Chen et al. 2023).
#include "optim/update/rule_support.h"

namespace basin::optim {

Lion::Lion(const ParameterVector& w, const LionOptions& options)
    : options_(options), m_(zeros_like(w)), step_(Tensor::zeros({}, Dtype::i64)) {
  check_factor("lion", "beta1", options.beta1);
  check_factor("lion", "beta2", options.beta2);
  check_weight_decay("lion", options.weight_decay);
}

void Lion::step(ParameterVector& w, const Tensor& direction, const StepInfo& now) {
  const LionStep s{.beta1 = options_.beta1, .beta2 = options_.beta2, .weight_decay = options_.weight_decay};
  Tensor values = target(w, now.lr);
  backend_of(values, Work::optimizer)
      ->update(s, numbers_of(now, step_), {direction, mask_of(w), values, {&m_}});
  count(now, step_);
}

std::vector<Tensor*> Lion::state() { return {&m_}; }

UpdateRule::Bounds Lion::after(const Bounds& before, double direction, double lr) const {
  Bounds then;
  const double m = options_.beta2 * before.state[0] + (1 - options_.beta2) * direction;
  const double u = 1 + options_.weight_decay * before.weight;
  then.state = {m};
  then.weight = before.weight + lr * u;
  then.peak = direction + m + u + then.weight;
  return then;
}

void Lion::describe(Inventory& it) {
  it.buffer("m", m_);
  it.buffer("step", step_);
}

}  // namespace basin::optim
