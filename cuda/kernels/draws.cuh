// Random numbers on the card: those that core/random.h's Random draws at the same address, in its order, as
// the formulas of core/functors/draws.h take them.
#pragma once

#include "core/functors/draws.h"
#include "core/functors/philox.h"
#include "cuda/kernels/pack.cuh"

namespace basin::cuda {

/// Random(seed, stream, step, layer), of a step that may live on the card.
struct AddressThere {
  std::uint64_t seed;
  std::uint32_t stream;
  Number step;
  std::uint64_t layer;

  __device__ functors::PhiloxAddress place() const {
    return {seed, stream, static_cast<std::uint64_t>(step.value()), layer};
  }
  template <class F>
  void for_each_pointer(F f) const {
    step.for_each_pointer(f);
  }
};

/// Random from the `next`-th uniform() on: two to a block.
struct UniformFrom {
  functors::PhiloxAddress place;
  std::int64_t next;

  __device__ double uniform() {
    const functors::PhiloxCounter word = place.block(static_cast<std::uint32_t>(next / 2));
    return next++ % 2 == 0 ? functors::unit_interval(word[0], word[1])
                           : functors::unit_interval(word[2], word[3]);
  }
};

/// y[row, i] = the formula's row of image i, whose uniform()s begin behind those of the images before it.
template <class Formula, class T>
__global__ void __launch_bounds__(kThreads, kResident)
    factors_kernel(AddressThere at, Formula formula, T* y, std::int64_t n) {
  const functors::PhiloxAddress place = at.place();
  for (std::int64_t i = thread_index(); i < n; i += thread_count()) {
    UniformFrom random{place, i * (Formula::kDraws / 2)};
    T row[Formula::kRows];
    formula(random, row);
    for (int r = 0; r < Formula::kRows; ++r) y[r * n + i] = row[r];
  }
}

/// y_i = the mask's number for the i-th bits().
template <class T>
__global__ void __launch_bounds__(kThreads, kResident)
    mask_kernel(AddressThere at, DropoutMask mask, T* y, std::int64_t n) {
  const functors::PhiloxAddress place = at.place();
  const bool packs = aligned(y);
  for (std::int64_t k = thread_index(); 4 * k < n; k += thread_count()) {
    const functors::PhiloxCounter word = place.block(static_cast<std::uint32_t>(k));
    Pack<T, 4> four;
    for (int j = 0; j < 4; ++j) four.number[j] = mask.of<T>(word[static_cast<std::size_t>(j)]);
    if (packs && 4 * k + 4 <= n) {
      store_pack(y + 4 * k, four);
    } else {
      for (int j = 0; j < 4; ++j)
        if (4 * k + j < n) y[4 * k + j] = four.number[j];
    }
  }
}

}  // namespace basin::cuda
