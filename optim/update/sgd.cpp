// Stochastic gradient descent (Sutskever et al. 2013, in the form of PyTorch).
#include "optim/update/rule_support.h"

namespace basin::optim {

Sgd::Sgd(const ParameterVector& w, const SgdOptions& options)
    : options_(options), step_(Tensor::zeros({}, Dtype::i64)) {
  check_factor("sgd", "momentum", options.momentum);
  if (!(options.dampening >= 0 && options.dampening <= 1))
    throw ArgumentError("[sgd] dampening must be in [0, 1], got ", options.dampening);
  check_weight_decay("sgd", options.weight_decay);
  if (options.dampening > 0 && options.momentum == 0)
    throw ArgumentError(
        "[sgd] dampening acts on the momentum buffer: set momentum above 0, or dampening to 0");
  if (options.nesterov && (options.momentum == 0 || options.dampening > 0))
    throw ArgumentError("[sgd] nesterov needs momentum above 0 and dampening 0, got momentum ",
                        options.momentum, ", dampening ", options.dampening);
  if (options.momentum > 0) velocity_ = zeros_like(w);
}

void Sgd::step(ParameterVector& w, const Tensor& direction, const StepInfo& now) {
  const bool has_momentum = options_.momentum > 0;
  const SgdStep s{.momentum = options_.momentum,
                  .dampening = options_.dampening,
                  .weight_decay = options_.weight_decay,
                  .nesterov = options_.nesterov};
  Tensor values = target(w, now.lr);
  backend_of(values, Work::optimizer)
      ->update(s, numbers_of(now, step_),
               {direction, mask_of(w), values, {has_momentum ? &velocity_ : nullptr}});
  count(now, step_);
}

std::vector<Tensor*> Sgd::state() {
  return velocity_.defined() ? std::vector<Tensor*>{&velocity_} : std::vector<Tensor*>{};
}

UpdateRule::Bounds Sgd::after(const Bounds& before, double direction, double lr) const {
  Bounds then;
  const double d = direction + options_.weight_decay * before.weight;
  double v = d;
  if (velocity_.defined()) {
    v = options_.momentum * before.state[0] + d;
    then.state = {v};
  }
  then.weight = before.weight + lr * (d + v);
  then.peak = d + v + then.weight;
  return then;
}

void Sgd::describe(Inventory& it) {
  if (velocity_.defined()) it.buffer("momentum", velocity_);
  it.buffer("step", step_);
}

}  // namespace basin::optim
