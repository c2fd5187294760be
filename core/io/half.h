// Half precision in files: numbers of two bytes, widened to f32 without rounding. No tensor computes in them.
#pragma once

#include <bit>
#include <cstdint>

namespace basin {

/// IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. NaNs keep their fraction.
inline float from_half(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31u, fraction = bits & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | fraction << 13);
  if (exponent > 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  const float small = static_cast<float>(fraction) * 0x1p-24f;  // zero or subnormal, exact
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(small) | sign);
}

/// bfloat16: the upper half of an f32.
inline float from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

}  // namespace basin
