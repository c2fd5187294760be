// How a kernel finds the places of one index in several tensors of unlike layout.
#pragma once

#include "cuda/kernels/device.cuh"

namespace basin::cuda {

/// Divides by a number that the host knows. Below 2^31 by a multiplication: Granlund and Montgomery 1994,
/// figure 4.1, with n + t not above 2^32.
class Divisor {
 public:
  Divisor() = default;
  explicit Divisor(std::int64_t by) : by_(by) {
    if (by >> 31 != 0) return;
    while ((std::int64_t{1} << shift_) < by) ++shift_;
    const std::uint64_t excess = (std::uint64_t{1} << shift_) - static_cast<std::uint64_t>(by);
    magic_ = static_cast<std::uint32_t>((excess << 32) / static_cast<std::uint64_t>(by) + 1);
  }

  /// n / by for n >= 0; n becomes the remainder.
  __device__ std::int64_t divide(std::int64_t& n) const {
    const std::int64_t quotient = (n | by_) >> 31 == 0 ? small(static_cast<std::uint32_t>(n)) : n / by_;
    n -= quotient * by_;
    return quotient;
  }

 private:
  __device__ std::uint32_t small(std::uint32_t n) const {
    const auto high = static_cast<std::uint32_t>(static_cast<std::uint64_t>(n) * magic_ >> 32);
    return (high + n) >> shift_;
  }

  std::int64_t by_ = 1;
  std::uint32_t magic_ = 1, shift_ = 0;
};

/// The places of an index in k tensors.
template <int k>
struct Places {
  std::int64_t at[k];
};

/// A walk through k tensors in the order of the first, the innermost axis first: the axes' extents, and the
/// steps that they make in each tensor; a step of 0 stays. Made by walk_of() (cuda/kernels/walk_of.h), which
/// joins axes: two tensors of one shape have one axis, whatever their rank.
template <int k>
struct Walk {
  static constexpr int kAxes = 8;

  int axes = 1;
  bool packs = false;  // a pack of numbers lies within the innermost axis, and is aligned in each tensor
  Divisor extent[kAxes];
  std::int64_t step[kAxes][k] = {};

  __device__ Places<k> places(std::int64_t index) const {
    Places<k> p{};
    for (int axis = 0; axis < kAxes; ++axis) {
      if (axis >= axes) continue;
      std::int64_t here = index;
      if (axis + 1 < axes) index = extent[axis].divide(here);
      for (int i = 0; i < k; ++i) p.at[i] += here * step[axis][i];
    }
    return p;
  }
};

}  // namespace basin::cuda
