// How a number of one element type becomes one of another, once for all backends.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "core/functors/host_device.h"

namespace basin::functors {

/// x as To. To an integer type: cut towards zero, clamped to its range, NaN to 0. From and to bf16 by f32.
template <class To, class From>
BASIN_BOTH inline To convert(From x) {
  using Limits = std::numeric_limits<To>;
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (!std::is_arithmetic_v<From>) {
    return convert<To>(static_cast<float>(x));
  } else if constexpr (!std::is_arithmetic_v<To>) {
    return To(static_cast<float>(x));
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    if (!(x == x)) return 0;
    // 2^63 is the least double above every i64; below it the cut number fits.
    if (x >= static_cast<From>(std::uint64_t{1} << Limits::digits)) return Limits::max();
    return x <= static_cast<From>(Limits::min()) ? Limits::min() : static_cast<To>(x);
  } else if constexpr (std::is_same_v<To, std::uint8_t>) {
    return static_cast<To>(x < From(0) ? From(0) : (x > From(255) ? From(255) : x));
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace basin::functors
