#include "optim/update/update_rule.h"

#include <cmath>
#include <limits>
#include <string>

#include "core/ops.h"
#include "optim/buffer_guard.h"

namespace basin::optim {
namespace {

/// Checks that `value` lies in [0, 1), as the factor of a running mean must.
void check_factor(const char* rule, const char* option, double value) {
  if (!(value >= 0 && value < 1))
    throw ArgumentError("[", rule, "] ", option, " must be in [0, 1), got ", value);
}

/// x as a number of that dtype.
double rounded(double x, Dtype dtype) { return dtype == Dtype::f32 ? static_cast<float>(x) : x; }

void check_eps(const char* rule, double value, Dtype dtype) {
  const double eps = rounded(value, dtype);
  if (!(eps > 0) || !std::isfinite(eps))
    throw ArgumentError("[", rule, "] eps must be finite and above 0 in the weights' ", dtype, ", got ",
                        value);
}

void check_weight_decay(const char* rule, double value) {
  if (!(value >= 0) || !std::isfinite(value))
    throw ArgumentError("[", rule, "] weight_decay must be finite and at least 0, got ", value);
}

/// Checks that a tensor has the size, dtype and device of the weights.
void check_alike(const char* rule, const char* what, const Tensor& x, const ParameterVector& w) {
  const Tensor& values = w.values();
  if (x.elements() != w.size() || x.dtype() != w.dtype() || !(x.device() == values.device()))
    throw ArgumentError("[", rule, "] the ", what, " is ", x.dtype(), " ", x.shape(), " on ", x.device(),
                        ", the weights are ", w.dtype(), " ", values.shape(), " on ", values.device());
}

void check_step(const char* rule, const ParameterVector& w, const Tensor& direction, double lr) {
  if (!direction.defined())
    throw ArgumentError("[", rule, "] the direction is undefined: its step was not finite (report.finite), ",
                        "skip it");
  check_alike(rule, "direction", direction, w);
  if (!(lr >= 0) || !std::isfinite(lr))
    throw ArgumentError("[", rule, "] lr must be finite and at least 0, got ", lr);
}

Tensor zeros_like(const ParameterVector& w) {
  return Tensor::zeros({w.size()}, w.dtype(), w.values().device());
}

/// Where the kernel writes. With lr = 0 a copy, because subtracting zero can still change bits: -0 - (-0) =
/// 0.
Tensor target(ParameterVector& w, double lr) { return lr == 0 ? w.values().clone() : w.values(); }

const Tensor* mask_of(const ParameterVector& w) {
  return w.decay_mask().defined() ? &w.decay_mask() : nullptr;
}

/// Below it no rounding reaches infinity: bounds are computed in f64, a step in its own dtype and order.
double roomy(Dtype dtype) {
  return (dtype == Dtype::f32 ? static_cast<double>(std::numeric_limits<float>::max())
                              : std::numeric_limits<double>::max()) /
         16;
}

}  // namespace

bool UpdateRule::Known::holds(const Tensor& now) const {
  return x.defined() && x.shares_storage(now) && x.raw() == now.raw() && x.version() == version;
}

/// |x| bounds every |x_i|, and is NaN or infinite where one of them is.
UpdateRule::Bounds UpdateRule::bounds(const std::vector<Tensor*>& vectors, bool measure) const {
  Bounds b;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const Tensor& x = *vectors[i];
    const bool known = !measure && i < known_.size() && known_[i].holds(x);
    const double bound = known ? known_[i].bound : double(norm(x));
    if (i == 0)
      b.weight = bound;
    else
      b.state.push_back(bound);
  }
  return b;
}

void UpdateRule::apply(ParameterVector& w, const Tensor& direction, double lr, double direction_norm) {
  check_step(name(), w, direction, lr);
  std::vector<Tensor*> vectors = state();
  for (const Tensor* x : vectors) check_alike(name(), "state", *x, w);
  vectors.insert(vectors.begin(), &w.values());

  const double size = direction_norm >= 0 ? direction_norm : double(norm(direction));
  const double room = roomy(w.dtype());
  Bounds then = after(bounds(vectors, false), size, lr);
  if (!(then.peak <= room)) then = after(bounds(vectors, true), size, lr);
  if (!(then.peak <= room)) {
    known_.clear();
    step_with_care(w, direction, lr, size);
    return;
  }
  step(w, direction, lr);
  known_.clear();
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const Tensor& x = *vectors[i];
    known_.push_back({x, x.version(), i == 0 ? then.weight : then.state[i - 1]});
  }
}

void UpdateRule::step_with_care(ParameterVector& w, const Tensor& direction, double lr,
                                double direction_norm) {
  const auto refuse = [&](const auto&... why) {
    throw NumericalError("[", name(), "] the step is refused: ", why...,
                         "; weights and state are as they were");
  };
  if (!all_finite(direction)) refuse("its direction is not finite");
  std::vector<NamedBuffer> all = entries_of(*this).buffers;
  all.push_back({"w", &w.values()});
  const auto first_not_finite = [&all]() -> std::string {
    for (const NamedBuffer& b : all)
      if (is_floating(b.buffer->dtype()) && !all_finite(*b.buffer)) return b.name;
    return {};
  };
  if (const std::string bad = first_not_finite(); !bad.empty()) refuse("'", bad, "' is not finite before it");
  BufferGuard before(all);
  step(w, direction, lr);
  if (const std::string bad = first_not_finite(); !bad.empty())
    refuse("'", bad, "' would not be finite after it (|direction| ", direction_norm, ", lr ", lr, ")");
  before.keep();
}

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

void Sgd::step(ParameterVector& w, const Tensor& direction, double lr) {
  const bool has_momentum = options_.momentum > 0;
  std::int64_t& step = *step_.mutable_data<std::int64_t>();
  const SgdStep s{.lr = lr,
                  .momentum = options_.momentum,
                  .dampening = options_.dampening,
                  .weight_decay = options_.weight_decay,
                  .nesterov = options_.nesterov,
                  .first = step == 0};
  Tensor values = target(w, lr);
  backend_of(values, Work::optimizer)
      ->update(s, {direction, mask_of(w), values, {has_momentum ? &velocity_ : nullptr}});
  ++step;
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

Adam::Adam(const ParameterVector& w, const AdamOptions& options)
    : options_(options), m_(zeros_like(w)), v_(zeros_like(w)), step_(Tensor::zeros({}, Dtype::i64)) {
  check_factor(name(), "beta1", options.beta1);
  check_factor(name(), "beta2", options.beta2);
  check_eps(name(), options.eps, w.dtype());
  check_weight_decay(name(), options.weight_decay);
}

void Adam::step(ParameterVector& w, const Tensor& direction, double lr) {
  std::int64_t& step = *step_.mutable_data<std::int64_t>();
  const AdamStep s{.lr = lr,
                   .beta1 = options_.beta1,
                   .beta2 = options_.beta2,
                   .eps = options_.eps,
                   .coupled_decay = options_.decoupled ? 0 : options_.weight_decay,
                   .decoupled_decay = options_.decoupled ? options_.weight_decay : 0,
                   .step = step + 1};
  Tensor values = target(w, lr);
  backend_of(values, Work::optimizer)->update(s, {direction, mask_of(w), values, {&m_, &v_}});
  ++step;
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

RmsProp::RmsProp(const ParameterVector& w, const RmsPropOptions& options)
    : options_(options), square_(zeros_like(w)), step_(Tensor::zeros({}, Dtype::i64)) {
  check_factor("rmsprop", "alpha", options.alpha);
  check_eps("rmsprop", options.eps, w.dtype());
  check_factor("rmsprop", "momentum", options.momentum);
  check_weight_decay("rmsprop", options.weight_decay);
  if (options.eps_inside_root) square_.fill(1);
  if (options.momentum > 0) velocity_ = zeros_like(w);
}

void RmsProp::step(ParameterVector& w, const Tensor& direction, double lr) {
  const bool has_momentum = options_.momentum > 0;
  const RmsPropStep s{.lr = lr,
                      .alpha = options_.alpha,
                      .eps = options_.eps,
                      .momentum = options_.momentum,
                      .weight_decay = options_.weight_decay,
                      .eps_inside_root = options_.eps_inside_root};
  Tensor values = target(w, lr);
  backend_of(values, Work::optimizer)
      ->update(s, {direction, mask_of(w), values, {&square_, has_momentum ? &velocity_ : nullptr}});
  ++*step_.mutable_data<std::int64_t>();
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

Lion::Lion(const ParameterVector& w, const LionOptions& options)
    : options_(options), m_(zeros_like(w)), step_(Tensor::zeros({}, Dtype::i64)) {
  check_factor("lion", "beta1", options.beta1);
  check_factor("lion", "beta2", options.beta2);
  check_weight_decay("lion", options.weight_decay);
}

void Lion::step(ParameterVector& w, const Tensor& direction, double lr) {
  const LionStep s{
      .lr = lr, .beta1 = options_.beta1, .beta2 = options_.beta2, .weight_decay = options_.weight_decay};
  Tensor values = target(w, lr);
  backend_of(values, Work::optimizer)->update(s, {direction, mask_of(w), values, {&m_}});
  ++*step_.mutable_data<std::int64_t>();
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
