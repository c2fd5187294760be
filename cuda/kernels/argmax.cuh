// The place of the maximum of x {outer, n, inner} along its middle axis: the first of equals; a NaN is the
// maximum.
#pragma once

#include <type_traits>

#include "cuda/kernels/rows.cuh"

namespace basin::cuda {

/// A number and its place in a row.
template <class T>
struct Placed {
  T number;
  std::int64_t place;
};

/// What an element type is compared as, and shuffled.
template <class T>
using Compared = std::conditional_t<std::is_same_v<T, std::uint8_t>, int, Compute<T>>;

/// Whether a comes before b as a maximum.
template <class T>
__device__ bool beats(const Placed<T>& a, const Placed<T>& b) {
  const bool a_nan = a.number != a.number, b_nan = b.number != b.number;
  if (a_nan || b_nan) return a_nan && (!b_nan || a.place < b.place);
  return a.number > b.number || (a.number == b.number && a.place < b.place);
}

template <class T>
__device__ Placed<T> shuffle_xor(Placed<T> a, int far, int width) {
  return {shuffle_xor(a.number, far, width), shuffle_xor(a.place, far, width)};
}

/// inner = 1.
template <class T, int width>
__global__ void __launch_bounds__(kThreads)
    argmax_rows_kernel(const T* x, std::int64_t outer, std::int64_t n, std::int64_t* out) {
  using Here = Placed<Compared<T>>;
  Rows<width>::each(outer, [=](std::int64_t r, bool counts) {
    const T* row = x + r * n;
    Here best{static_cast<Compared<T>>(row[0]), 0};
    for (std::int64_t j = Rows<width>::lane(); j < n; j += width) {
      const Here here{static_cast<Compared<T>>(row[j]), j};
      if (beats(here, best)) best = here;
    }
    best = Rows<width>::joined(best, [](const Here& a, const Here& b) { return beats(a, b) ? a : b; });
    if (counts && Rows<width>::lane() == 0) out[r] = best.place;
  });
}

/// One thread for each result.
template <class T>
__global__ void __launch_bounds__(kThreads) argmax_each_kernel(const T* x, std::int64_t outer, std::int64_t n,
                                                               std::int64_t inner, std::int64_t* out) {
  using Here = Placed<Compared<T>>;
  for (std::int64_t i = thread_index(); i < outer * inner; i += thread_count()) {
    const T* from = x + i / inner * n * inner + i % inner;
    Here best{static_cast<Compared<T>>(from[0]), 0};
    for (std::int64_t j = 1; j < n; ++j) {
      const Here here{static_cast<Compared<T>>(from[j * inner]), j};
      if (beats(here, best)) best = here;
    }
    out[i] = best.place;
  }
}

}  // namespace basin::cuda
