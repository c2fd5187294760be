// bfloat16: the upper half of a float, 8 bits of exponent and 7 of mantissa. Storage only: arithmetic is
// done in float.
#pragma once

#include <bit>
#include <cstdint>

#include "core/functors/host_device.h"

namespace basin {

/// A number that is stored in 16 bits: 3.14159 is kept as 3.140625. Turns into a float exactly; from a float
/// it takes the nearest, of two equally near ones the even one. What is beyond the largest (3.39e38) becomes
/// infinite; NaN stays NaN.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;
  BASIN_BOTH explicit bfloat16(float x) : bits(rounded(x)) {}
  BASIN_BOTH explicit bfloat16(double x) : bfloat16(static_cast<float>(x)) {}
  BASIN_BOTH operator float() const {  // NOLINT(google-explicit-constructor)
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }

 private:
  BASIN_BOTH static std::uint16_t rounded(float x) {
    const auto u = std::bit_cast<std::uint32_t>(x);
    if ((u & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>(u >> 16 | 0x40U);  // a quiet NaN
    return static_cast<std::uint16_t>((u + 0x7FFFU + (u >> 16 & 1U)) >> 16);
  }
};
static_assert(sizeof(bfloat16) == 2);

}  // namespace basin
