// Tensors one behind the other, and a copy that a number decides about.
#pragma once

#include "cuda/kernels/pack.cuh"

namespace basin::cuda {

/// Tensors of a launch, by the place behind each in the result. They travel with the launch's arguments.
template <class T>
struct Parts {
  static constexpr int kMost = 128;
  const T* from[kMost];
  std::int64_t end[kMost];
  int count;

  /// The part that holds the result's number i: the first that ends behind it.
  __device__ int of(std::int64_t i) const {
    int low = 0, high = count - 1;
    while (low < high) {
      const int middle = (low + high) / 2;
      if (end[middle] > i)
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  }
  template <class F>
  void for_each_pointer(F f) const {
    for (int k = 0; k < count; ++k) f(from[k]);
  }
};

/// y = the numbers of all parts, n together.
template <class T>
__global__ void __launch_bounds__(kThreads, kResident)
    concatenate_kernel(Parts<T> parts, std::int64_t n, T* y) {
  for (std::int64_t i = thread_index(); i < n; i += thread_count()) {
    const int k = parts.of(i);
    y[i] = parts.from[k][k == 0 ? i : i - parts.end[k - 1]];
  }
}

/// y <- x if the condition is not 0.
template <class T>
__global__ void __launch_bounds__(kThreads, kResident)
    assign_if_kernel(Number condition, const T* x, T* y, std::int64_t n) {
  if (condition.value() == 0) return;
  constexpr int w = pack_width<T>;
  const std::int64_t packs = aligned(x, y) ? n / w : 0;
  for (std::int64_t i = thread_index(); i < packs; i += thread_count())
    store_pack(y + i * w, load_pack<w>(x + i * w));
  for (std::int64_t i = packs * w + thread_index(); i < n; i += thread_count()) y[i] = x[i];
}

}  // namespace basin::cuda
