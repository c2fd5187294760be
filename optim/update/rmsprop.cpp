// RMSProp (Tieleman and Hinton 2012), in the forms of TensorFlow and of PyTorch.
#include <cmath>

#include "optim/update/rule_support.h"

namespace basin::optim {

RmsProp::RmsProp(const ParameterVector& w, const RmsPropOptions& options)
    : options_(options), square_(zeros_like(w)), step_(Tensor::zeros({}, Dtype::i64)) {
  check_factor("rmsprop", "alpha", options.alpha);
  check_eps("rmsprop", options.eps, w.dtype());
  check_factor("rmsprop", "momentum", options.momentum);
  check_weight_decay("rmsprop", options.weight_decay);
  if (options.eps_inside_root) square_.fill(1);
  if (options.momentum > 0) velocity_ = zeros_like(w);
}

void RmsProp::step(ParameterVector& w, const Tensor& direction, const StepInfo& now) {
  const bool has_momentum = options_.momentum > 0;
  const RmsPropStep s{.alpha = options_.alpha,
                      .eps = options_.eps,
                      .momentum = options_.momentum,
                      .weight_decay = options_.weight_decay,
                      .eps_inside_root = options_.eps_inside_root};
  Tensor values = target(w, now.lr);
  backend_of(values, Work::optimizer)
      ->update(s, numbers_of(now, step_),
               {direction, mask_of(w), values, {&square_, has_momentum ? &velocity_ : nullptr}});
  count(now, step_);
}

std::vector<Tensor*> RmsProp::state() {
  return velocity_.defined() ? std::vector<Tensor*>{&square_, &velocity_} : std::vector<Tensor*>{&square_};
}

UpdateRule::Bounds RmsProp::after(const Bounds& before, double direction, double lr) const {
  const RmsPropOptions& o = options_;
  Bounds then;
  const double d = direction + o.weight_decay * before.weight;
  const double square = o.alpha * before.state[0] + d * d;
  const double eps = rounded(o.eps, square_.dtype());
  double v = d / (o.eps_inside_root ? std::sqrt(eps) : eps);
  then.state = {square};
  if (velocity_.defined()) {
    v += o.momentum * before.state[1];
    then.state.push_back(v);
  }
  then.weight = before.weight + lr * v;
  then.peak = d + square + v + then.weight;
  return then;
}

void RmsProp::describe(Inventory& it) {
  it.buffer("square", square_);
  if (velocity_.defined()) it.buffer("momentum", velocity_);
  it.buffer("step", step_);
}

}  // namespace basin::optim
