#include "optim/update/update_rule.h"

#include <cmath>
#include <limits>
#include <string>

#include "core/ops.h"
#include "optim/buffer_guard.h"

namespace basin::optim {
namespace {

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
    const double bound = known ? known_[i].bound : norm(x).value();
    if (i == 0)
      b.weight = bound;
    else
      b.state.push_back(bound);
  }
  return b;
}

Scalar UpdateRule::apply(ParameterVector& w, const Tensor& direction, const StepInfo& now,
                         const std::optional<Scalar>& direction_norm, const Scalar& wanted) {
  if (!possibly(wanted)) return false;
  const double lr = now.lr;
  check_step(name(), w, direction, lr);
  std::vector<Tensor*> vectors = state();
  for (const Tensor* x : vectors) check_alike(name(), "state", *x, w);
  vectors.insert(vectors.begin(), &w.values());

  if (!w.values().device().is_host() || !wanted.known()) return step_elsewhere(w, direction, now, wanted);
  const double size = direction_norm ? *direction_norm : norm(direction);
  const double room = roomy(w.dtype());
  Bounds then = after(bounds(vectors, false), size, lr);
  if (!(then.peak <= room)) then = after(bounds(vectors, true), size, lr);
  if (!(then.peak <= room)) {
    known_.clear();
    step_with_care(w, direction, now, size);
    return true;
  }
  step(w, direction, now);
  known_.clear();
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const Tensor& x = *vectors[i];
    known_.push_back({x, x.version(), i == 0 ? then.weight : then.state[i - 1]});
  }
  return true;
}

Scalar UpdateRule::step_elsewhere(ParameterVector& w, const Tensor& direction, const StepInfo& now,
                                  const Scalar& wanted) {
  std::vector<NamedBuffer> numbers = on_device(entries_of(*this).buffers);
  numbers.insert(numbers.begin(), {"w", &w.values()});
  BufferGuard before(numbers);
  step(w, direction, now);
  const Scalar made = both(wanted, before.finite());
  before.settle(made);
  return made;
}

void UpdateRule::withdraw() {
  for (const NamedBuffer& b : entries_of(*this).buffers)
    if (b.name == "step") increment(*b.buffer, -1);
}

void UpdateRule::step_with_care(ParameterVector& w, const Tensor& direction, const StepInfo& now,
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
  step(w, direction, now);
  if (const std::string bad = first_not_finite(); !bad.empty())
    refuse("'", bad, "' would not be finite after it (|direction| ", direction_norm, ", lr ", now.lr, ")");
  before.keep();
}

}  // namespace basin::optim
