// What layers draw, one list: a formula for each kind of number, of one element or of one image.
#pragma once

#include <cmath>
#include <cstdint>
#include <variant>

#include "core/functors/host_device.h"

namespace basin {

namespace functors {

/// A uniform number u in [0, 1), moved to [low, high): low + (high - low) u, where that rounds up to high the
/// number before it.
BASIN_BOTH inline double between(double u, double low, double high) {
  const double value = low + (high - low) * u;
  return value < high ? value : std::nextafter(high, low);
}

}  // namespace functors

/// Dropout's mask: an element is 0 if its 32 bits are below p 2^32, else 1 / (1 - p).
struct DropoutMask {
  explicit DropoutMask(double p) : threshold(static_cast<std::uint64_t>(p * 0x1p32)), kept(1 / (1 - p)) {}

  static constexpr int kRows = 1, kDraws = 1;  // numbers of an element, and the draws of 32 bits for them

  template <class T>
  BASIN_BOTH T of(std::uint32_t bits) const {
    return bits < threshold ? T(0) : static_cast<T>(kept);
  }
  template <class T, class Numbers>
  void operator()(Numbers& random, T* row) const {
    row[0] = of<T>(random.bits());
  }

  std::uint64_t threshold;
  double kept;
};

/// Shake-Shake's factors of an image: a, b, 1 - a, 1 - b, a and b uniform on [0, 1).
struct ShakeShakeFactors {
  static constexpr int kRows = 4, kDraws = 4;

  template <class T, class Numbers>
  BASIN_BOTH void operator()(Numbers& random, T* row) const {
    for (int pass = 0; pass < 2; ++pass) {
      const double share = random.uniform();
      row[pass] = static_cast<T>(share);
      row[2 + pass] = static_cast<T>(1 - share);
    }
  }
};

/// ShakeDrop's factors of an image, forward and backward: 1 and 1 with probability `keep`, else alpha and
/// beta, uniform on their intervals.
struct ShakeDropFactors {
  static constexpr int kRows = 2, kDraws = 6;

  template <class T, class Numbers>
  BASIN_BOTH void operator()(Numbers& random, T* row) const {
    const bool kept = random.uniform() < keep;
    const double alpha = functors::between(random.uniform(), alpha_low, alpha_high);
    const double beta = functors::between(random.uniform(), beta_low, beta_high);
    row[0] = static_cast<T>(kept ? 1 : alpha);
    row[1] = static_cast<T>(kept ? 1 : beta);
  }

  double keep, alpha_low, alpha_high, beta_low, beta_high;
};

/// Any of them. One that is added here has its kernels on every backend.
using DrawFormula = std::variant<DropoutMask, ShakeShakeFactors, ShakeDropFactors>;

}  // namespace basin
