// The parts of the table of ops, and makers of their inputs.
#pragma once

#include <utility>

#include "autograd/check/op_case.h"
#include "autograd/ops/ops.h"
#include "core/random.h"

namespace basin {

/// Draws the inputs of one row; the same every time.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : random_(seed, Stream::probe) {}

  Tensor normal(const Shape& shape);
  Tensor between(const Shape& shape, double low, double high);
  /// Magnitudes in [low, high], signs at random: away from a kink at 0.
  Tensor both_signs(const Shape& shape, double low, double high);
  /// All different: the multiples of `step` around `offset`, in random order.
  Tensor distinct(const Shape& shape, double step, double offset = 0);

 private:
  template <class Draw>
  Tensor filled(const Shape& shape, Draw draw);
  Random random_;
};

/// t where the numbers of x are: rows are computed on every device.
inline Tensor beside(const Variable& x, const Tensor& t) { return t.to(x.value().device()); }

std::vector<OpCase> arithmetic_cases();
std::vector<OpCase> function_cases();
std::vector<OpCase> reduction_cases();
std::vector<OpCase> shaping_cases();
std::vector<OpCase> product_cases();  // matrix products, convolution, pooling
std::vector<OpCase> normalization_cases();
std::vector<OpCase> loss_cases();

}  // namespace basin
