// The rounding error that an f32 convolution may have, by algorithm: the one table that the tests of its
// kernels share. docs/performance.md, "How exact", has the measured figures.
#pragma once

#include "core/conv_algorithm.h"
#include "tests/core/kernel_testing.h"

namespace kernel_testing {

/// ||got - want|| / ||want|| over the tensor; infinity for a touched border, NaN for a NaN.
inline double relative_error(const Result<float>& got, const std::vector<double>& want) {
  REQUIRE(static_cast<std::size_t>(got.size()) == want.size());
  if (!got.border_intact()) return std::numeric_limits<double>::infinity();
  double difference = 0, norm = 0;
  for (Index i = 0; i < got.size(); ++i) {
    const double value = want[static_cast<std::size_t>(i)], d = static_cast<double>(got[i]) - value;
    difference += d * d;
    norm += value * value;
  }
  return difference == 0 ? 0 : std::sqrt(difference / norm);
}

/// The largest relative L2 errors of 3x3 convolutions allowed on normal-like numbers: of y and dx with 16, 64
/// and 256 channels to sum over, of dw with any.
struct ConvErrors {
  double output[3], weight_grad;
};

/// Those of y and dx grow with the number of terms. The first factor covers dx, whose dy has mean zero while
/// x comes out of a ReLU, and instruction sets that round twice; what it multiplies is the error of y in
/// NumPy. There `direct` sums each tap by itself; the kernels hold one sum over all taps and channels, which
/// doubles or trebles the error and is in its factor. Sums over a batch are sums of short sums, so that those
/// of dw stay.
inline ConvErrors most_errors(basin::ConvAlgorithm algorithm) {
  const auto errors = [](double factor, double a, double b, double c, double weight_grad) {
    return ConvErrors{{factor * a, factor * b, factor * c}, weight_grad};
  };
  switch (algorithm) {
    case basin::ConvAlgorithm::winograd2:
      return errors(1.5, 1.4e-7, 2.4e-7, 4.4e-7, 5e-7);
    case basin::ConvAlgorithm::winograd4:
      return errors(1.5, 8.5e-7, 1.5e-6, 2.8e-6, 2.8e-6);
    default:
      return errors(4, 0.8e-7, 1.2e-7, 2.1e-7, 4e-7);
  }
}

}  // namespace kernel_testing
