#include "optim/averages/average.h"

#include <algorithm>
#include <string>

#include "core/ops.h"

namespace basin::optim {

void move_towards(Tensor& mean, const Tensor& x, double weight, const Scalar& wanted) {
  Tensor difference = x.clone();
  axpby(-1, mean, 1, difference);
  const Scalar finite = all_finite(difference);
  if (!possibly(finite))
    throw NumericalError("[average] what enters the average is not finite, or too far from it to subtract; ",
                         "the average is as it was");
  axpby(select(both(wanted, finite), weight, 0), difference, 1, mean);
}

WeightAverage::WeightAverage(bool is_mean, const EmaOptions& options, std::int64_t window)
    : is_mean_(is_mean),
      ema_(options),
      n_(Tensor::zeros({}, Dtype::i64)),
      latest_(static_cast<std::size_t>(window)) {}

WeightAverage WeightAverage::mean() { return WeightAverage(true, {}); }

WeightAverage WeightAverage::ema(const EmaOptions& options) {
  if (!(options.decay >= 0 && options.decay <= 1))
    throw ArgumentError("[ema] decay must be in [0, 1], got ", options.decay);
  return WeightAverage(false, options);
}

WeightAverage WeightAverage::lawa(std::int64_t window) {
  if (window < 1) throw ArgumentError("[lawa] window must be at least 1, got ", window);
  return WeightAverage(false, {}, window);
}

std::int64_t WeightAverage::held() const {
  return latest_.empty() ? n() : std::min(n(), static_cast<std::int64_t>(latest_.size()));
}

/// Puts the weights in the place of the oldest and sums the mean anew, from the oldest on: what has left
/// leaves no rounding behind.
void WeightAverage::keep_latest(const Tensor& now, const Scalar& wanted) {
  const std::int64_t entered = n(), window = static_cast<std::int64_t>(latest_.size());
  const auto at = [&](std::int64_t k) -> Tensor& { return latest_[static_cast<std::size_t>(k % window)]; };
  const Scalar enters = both(wanted, all_finite(now));
  if (!possibly(enters)) throw NumericalError("[lawa] the weights are not finite; the average is as it was");
  const std::int64_t oldest = std::max<std::int64_t>(0, entered + 1 - window);
  Tensor mean = oldest == entered ? now.clone() : at(oldest).clone();
  for (std::int64_t k = oldest + 1; k <= entered; ++k)
    move_towards(mean, k == entered ? now : at(k), 1 / static_cast<double>(k - oldest + 1));
  if (at(entered).defined())
    assign_if(enters, now, at(entered));
  else
    at(entered) = now.clone();
  assign_if(enters, mean, values_);
}

double WeightAverage::decay_at(std::int64_t n) const {
  const double count = static_cast<double>(n);
  if (n == 0) return 0;
  if (is_mean_) return count / (count + 1);
  switch (ema_.warmup) {
    case EmaWarmup::ratio:
      return std::min(ema_.decay, (1 + count) / (10 + count));
    case EmaWarmup::mean:
      return std::min(ema_.decay, count / (count + 1));
    case EmaWarmup::none:
      break;
  }
  return ema_.decay;
}

void WeightAverage::collect(const ParameterVector& w, const Scalar& wanted) {
  if (!possibly(wanted)) return;
  const Tensor& now = w.values();
  std::int64_t& n = *n_.mutable_data<std::int64_t>();
  if (n == 0) {
    if (!possibly(all_finite(now)))
      throw NumericalError("[", name(), "] the weights are not finite: no average of them");
    values_ = now.clone();
    if (!latest_.empty()) latest_[0] = now.clone();
  } else {
    const Tensor& before = values();
    if (before.elements() != w.size() || before.dtype() != w.dtype() || !(before.device() == now.device()))
      throw ArgumentError("[", name(), "] the average is ", before.dtype(), " ", before.shape(), " on ",
                          before.device(), ", the weights are ", now.dtype(), " ", now.shape(), " on ",
                          now.device());
    if (!latest_.empty()) {
      keep_latest(now, wanted);
      ++n;
      return;
    }
    // Not 1 - n/(n+1), which is 1/(n+1) only nearly.
    const double share = is_mean_ ? 1 / static_cast<double>(n + 1) : 1 - decay_at(n);
    move_towards(values_, now, share, wanted);
  }
  ++n;
}

const Tensor& WeightAverage::values() const {
  if (!values_.defined())
    throw ArgumentError("[", name(), "] nothing has been collected yet; take the weights themselves");
  return values_;
}

void WeightAverage::describe(Inventory& it) {
  it.buffer("values", values_);
  it.buffer("n", n_);
  for (std::size_t i = 0; i < latest_.size(); ++i) it.buffer("latest." + std::to_string(i), latest_[i]);
}

}  // namespace basin::optim
