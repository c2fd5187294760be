// Random numbers on the card: those that core/random.h's Random draws at the same address, in its order.
#pragma once

#include "core/functors/philox.h"
#include "cuda/kernels/pack.cuh"

namespace basin::cuda {

/// Random(seed, stream, epoch, index), of an epoch that may live on the card.
struct RandomAddress {
  std::uint64_t seed;
  std::uint32_t stream;
  Number epoch;
  std::uint64_t index;

  __device__ functors::PhiloxAddress place() const {
    return {seed, stream, static_cast<std::uint64_t>(epoch.value()), index};
  }
  template <class F>
  void for_each_pointer(F f) const {
    epoch.for_each_pointer(f);
  }
};

/// y_i = the i-th uniform().
template <class T>
__global__ void __launch_bounds__(kThreads, kResident)
    uniform_kernel(RandomAddress at, T* y, std::int64_t n) {
  const functors::PhiloxAddress place = at.place();
  for (std::int64_t k = thread_index(); 2 * k < n; k += thread_count()) {
    const functors::PhiloxCounter word = place.block(static_cast<std::uint32_t>(k));
    y[2 * k] = functors::unit_interval(word[0], word[1]);
    if (2 * k + 1 < n) y[2 * k + 1] = functors::unit_interval(word[2], word[3]);
  }
}

/// y_i = 0 where the i-th bits() are below the threshold, else `kept`.
template <class T>
__global__ void __launch_bounds__(kThreads, kResident)
    mask_kernel(RandomAddress at, std::uint64_t threshold, T kept, T* y, std::int64_t n) {
  const functors::PhiloxAddress place = at.place();
  const bool packs = aligned(y);
  for (std::int64_t k = thread_index(); 4 * k < n; k += thread_count()) {
    const functors::PhiloxCounter word = place.block(static_cast<std::uint32_t>(k));
    Pack<T, 4> mask;
    for (int j = 0; j < 4; ++j)
      mask.number[j] = word[static_cast<std::size_t>(j)] < threshold ? T(0.F) : kept;
    if (packs && 4 * k + 4 <= n) {
      store_pack(y + 4 * k, mask);
    } else {
      for (int j = 0; j < 4; ++j)
        if (4 * k + j < n) y[4 * k + j] = mask.number[j];
    }
  }
}

}  // namespace basin::cuda
