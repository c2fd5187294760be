// What the update rules share: checks of their options, and what their kernels are given.
#pragma once

#include <cmath>

#include "core/ops.h"
#include "optim/update/update_rule.h"

namespace basin::optim {

/// Checks that `value` lies in [0, 1), as the factor of a running mean must.
inline void check_factor(const char* rule, const char* option, double value) {
  if (!(value >= 0 && value < 1))
    throw ArgumentError("[", rule, "] ", option, " must be in [0, 1), got ", value);
}

/// x as a number of that dtype.
inline double rounded(double x, Dtype dtype) { return dtype == Dtype::f32 ? static_cast<float>(x) : x; }

inline void check_eps(const char* rule, double value, Dtype dtype) {
  const double eps = rounded(value, dtype);
  if (!(eps > 0) || !std::isfinite(eps))
    throw ArgumentError("[", rule, "] eps must be finite and above 0 in the weights' ", dtype, ", got ",
                        value);
}

inline void check_weight_decay(const char* rule, double value) {
  if (!(value >= 0) || !std::isfinite(value))
    throw ArgumentError("[", rule, "] weight_decay must be finite and at least 0, got ", value);
}

inline Tensor zeros_like(const ParameterVector& w) {
  return Tensor::zeros({w.size()}, w.dtype(), w.values().device());
}

/// Where the kernel writes. With lr = 0 a copy, because subtracting zero can still change bits: -0 - (-0) =
/// 0.
inline Tensor target(ParameterVector& w, double lr) { return lr == 0 ? w.values().clone() : w.values(); }

/// What changes from step to step, of the rule that counts its steps in `made`.
inline UpdateNumbers numbers_of(const StepInfo& now, const Tensor& made) {
  return {now.number([](const StepInfo& t) { return t.lr; }),
          now.number([&made](const StepInfo&) { return static_cast<double>(made.data<std::int64_t>()[0]); })};
}

/// Enters the step in the rule's count.
inline void count(const StepInfo& now, Tensor& made) {
  now.also([&made] { ++*made.mutable_data<std::int64_t>(); });
}

inline const Tensor* mask_of(const ParameterVector& w) {
  return w.decay_mask().defined() ? &w.decay_mask() : nullptr;
}

}  // namespace basin::optim
