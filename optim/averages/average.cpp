#include "optim/averages/average.h"

#include <algorithm>

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

WeightAverage::WeightAverage(bool is_mean, const EmaOptions& options)
    : is_mean_(is_mean), ema_(options), n_(Tensor::zeros({}, Dtype::i64)) {}

WeightAverage WeightAverage::mean() { return WeightAverage(true, {}); }

WeightAverage WeightAverage::ema(const EmaOptions& options) {
  if (!(options.decay >= 0 && options.decay <= 1))
    throw ArgumentError("[ema] decay must be in [0, 1], got ", options.decay);
  return WeightAverage(false, options);
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
  } else {
    const Tensor& before = values();
    if (before.elements() != w.size() || before.dtype() != w.dtype() || !(before.device() == now.device()))
      throw ArgumentError("[", name(), "] the average is ", before.dtype(), " ", before.shape(), " on ",
                          before.device(), ", the weights are ", now.dtype(), " ", now.shape(), " on ",
                          now.device());
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
}

}  // namespace basin::optim
