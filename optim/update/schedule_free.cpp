#include "optim/update/schedule_free.h"

#include <algorithm>
#include <cmath>

#include "optim/update/rule_support.h"

namespace basin::optim {

ScheduleFree::ScheduleFree(const ParameterVector& w, const ScheduleFreeOptions& options)
    : options_(options),
      z_(w.values().clone()),
      weight_sum_(Tensor::zeros({}, Dtype::f64, w.values().device())),
      lr_max_(Tensor::zeros({}, Dtype::f64, w.values().device())),
      step_(Tensor::zeros({}, Dtype::i64)) {
  if (!(options.beta > 0 && options.beta < 1))
    throw ArgumentError("[", name(),
                        "] beta, between the steps' point and their mean, must be in (0, 1), got ",
                        options.beta);
  check_weight_decay(name(), options.weight_decay);
  if (options.step == FreeStep::sgd) return;
  check_factor(name(), "beta2", options.beta2);
  check_eps(name(), options.eps, w.dtype());
  v_ = zeros_like(w);
}

/// u, and v takes the direction in.
Tensor ScheduleFree::update_of(const ParameterVector& w, const Tensor& direction, const StepInfo& now) {
  Tensor u = direction;
  if (v_.defined()) {
    const double beta2 = options_.beta2;
    axpby(1 - beta2, direction * direction, beta2, v_);
    const Scalar unbias = now.number([this, beta2](const StepInfo&) {
      return 1 / (1 - std::pow(beta2, static_cast<double>(step_.data<std::int64_t>()[0] + 1)));
    });
    u = direction / (unary(UnaryOp::sqrt, v_ * unbias) + options_.eps);
  }
  if (options_.weight_decay == 0) return u;
  const Tensor* mask = mask_of(w);
  return combination(options_.weight_decay, mask ? w.values() * *mask : w.values(), 1, u);
}

void ScheduleFree::step(ParameterVector& w, const Tensor& direction, const StepInfo& now) {
  const Tensor u = update_of(w, direction, now);
  if (now.lr > 0) {
    const Scalar lr = now.number([](const StepInfo&t) { return t.lr; }), moves = lr > 0;
    const Scalar lr_max = max(Scalar(lr_max_), lr), weight = select(moves, lr_max * lr_max, 0);
    const Scalar sum = Scalar(weight_sum_) + weight, c = select(moves, weight / sum, 0);
    Tensor& y = w.values();
    axpby(c, z_, 1 - c, y);
    axpby(lr * (options_.beta * (1 - c) - 1), u, 1, y);
    axpby(-1 * lr, u, 1, z_);
    fill(weight_sum_, sum);
    fill(lr_max_, lr_max);
  }
  count(now, step_);
}

Tensor ScheduleFree::evaluated(const ParameterVector& w) const {
  return combination(1 - 1 / options_.beta, z_, 1 / options_.beta, w.values());
}

std::vector<Tensor*> ScheduleFree::state() {
  return v_.defined() ? std::vector<Tensor*>{&z_, &v_} : std::vector<Tensor*>{&z_};
}

UpdateRule::Bounds ScheduleFree::after(const Bounds& before, double direction, double lr) const {
  const ScheduleFreeOptions& o = options_;
  Bounds then;
  double u = direction, v = 0;
  if (v_.defined()) {
    v = o.beta2 * before.state[1] + direction * direction;
    u = direction / rounded(o.eps, v_.dtype());
  }
  u += o.weight_decay * before.weight;
  const double z = before.state[0] + lr * u;
  then.weight = std::max(before.weight, before.state[0]) + lr * u;
  then.state = {z};
  if (v_.defined()) then.state.push_back(v);
  const double t = static_cast<double>(step_.data<std::int64_t>()[0] + 1);
  const double lr_max = std::max(lr, lr_max_.data<double>()[0]);
  then.peak = u + z + before.weight + then.weight + v / (1 - std::pow(o.beta2, t));
  then.peak += weight_sum_.data<double>()[0] + lr_max * lr_max;
  return then;
}

void ScheduleFree::describe(Inventory& it) {
  it.buffer("z", z_);
  if (v_.defined()) it.buffer("v", v_);
  it.buffer("weight_sum", weight_sum_);
  it.buffer("lr_max", lr_max_);
  it.buffer("step", step_);
}

}  // namespace basin::optim
