// Weight averages: SWA's mean, the exponential moving average, LAWA's mean of the latest. They look at the
// weights after a step and never touch them.
#pragma once

#include <cstdint>

#include "autograd/inventory.h"
#include "core/scalar.h"
#include "optim/parameter_vector.h"

namespace basin::optim {

/// mean <- mean + weight (x - mean), in place. A mean that equals x stays what it is, and weight = 1/(n+1)
/// makes the mean of n values that of n + 1. Errors: ArgumentError unless both are alike; NumericalError
/// where x - mean is not finite: what is infinite once stays so. The mean then keeps its bits; on a device,
/// which nobody waits for, that is all that happens. It keeps them too where `wanted` does not hold.
void move_towards(Tensor& mean, const Tensor& x, double weight, const Scalar& wanted = true);

/// How the decay of an exponential moving average begins, n the number of weights that are in it: early on
/// the full decay d would hold on to the first weights for 1/(1-d) steps.
enum class EmaWarmup {
  none,   // d
  ratio,  // min(d, (1 + n) / (10 + n))
  mean,   // min(d, n / (n + 1)): the plain mean until d is reached
};

struct EmaOptions {
  double decay = 0.999;  // d, in [0, 1]
  EmaWarmup warmup = EmaWarmup::none;
};

/// A running average a of weights w_1, w_2, ..., one vector like w:
///
///     a <- w_1,  then  a <- a + (1 - d_n) (w - a)    with n weights in it before
///     mean  d_n = n / (n + 1): a is the mean of all (Izmailov et al. 2018, "Averaging Weights Leads to
///           Wider Optima and Better Generalization", algorithm 1)
///     ema   d_n = d, or as the warm-up says
///     lawa  a is the mean of the `window` latest (Kaddour 2022, "Stop Wasting My Time! Saving Days of
///           ImageNet and BERT Training with Latest Weight Averaging"), summed anew from the oldest on
///
/// The first weights are copied: no zero start, no bias to correct. Only parameters are averaged; the running
/// statistics of the average are estimated afterwards (stand_in.h). Memory: {d}, and another {d} during
/// collect(). LAWA: {window, d} more.
class WeightAverage {
 public:
  static WeightAverage mean();
  /// Errors: ArgumentError for a decay outside [0, 1].
  static WeightAverage ema(const EmaOptions& options = {});
  /// Errors: ArgumentError for a window below 1.
  static WeightAverage lawa(std::int64_t window = 6);

  // A copy would share the numbers.
  WeightAverage(const WeightAverage&) = delete;
  WeightAverage& operator=(const WeightAverage&) = delete;
  WeightAverage(WeightAverage&&) = default;
  WeightAverage& operator=(WeightAverage&&) = default;

  /// "swa", "ema" or "lawa".
  const char* name() const { return !latest_.empty() ? "lawa" : is_mean_ ? "swa" : "ema"; }
  /// Takes the weights in as they are now. Errors: ArgumentError if they are not like those before;
  /// NumericalError if they are not finite; the average is then as it was.
  ///
  /// `wanted` may be a condition on a device, which nobody waits for: the values then stay what they are
  /// where it does not hold. What lives on the host is as if it held, n() and the first values: who reads
  /// later that it did not puts these back (buffer_guard.h).
  void collect(const ParameterVector& w, const Scalar& wanted = true);
  /// How many weights have entered the average.
  std::int64_t n() const { return n_.data<std::int64_t>()[0]; }
  /// How many are in it: n(), of LAWA at most the window.
  std::int64_t held() const;
  /// The average, {d}; another handle on it changes with the next collect(). Errors: ArgumentError if nothing
  /// is in it.
  const Tensor& values() const;
  /// d_n: the weight of the average when the weights after the n-th enter; 0 for n = 0. Of swa and ema.
  double decay_at(std::int64_t n) const;

  /// State for checkpoints: "values" {d}, undefined until the first collect(), and "n" i64 {}; of LAWA also
  /// "latest.0" {d}, ..., undefined until they are there. A copy of it continues with the same bits.
  void describe(Inventory& it);

 private:
  WeightAverage(bool is_mean, const EmaOptions& options, std::int64_t window = 0);
  void keep_latest(const Tensor& now, const Scalar& wanted);

  bool is_mean_;
  EmaOptions ema_;
  Tensor values_;   // {d}
  Tensor n_;        // i64 {}, on the host
  Tensors latest_;  // of LAWA, {d} each: the weights that entered as number k stand at k modulo the window
};

}  // namespace basin::optim
