// Formulas of core/functors over tensors that are walked through together, and their plain forms: numbers
// that are put somewhere, converted or copied.
#pragma once

#include <utility>

#include "core/functors/convert.h"
#include "cuda/kernels/pack.cuh"
#include "cuda/kernels/walk.cuh"

namespace basin::cuda {

/// y_i = value.
template <class T>
__global__ void __launch_bounds__(kThreads, kResident) fill_kernel(T value, T* y, std::int64_t n) {
  constexpr int w = pack_width<T>;
  const std::int64_t packs = aligned(y) ? n / w : 0;
  for (std::int64_t i = thread_index(); i < packs; i += thread_count())
    store_pack(y + i * w, spread<w>(value));
  for (std::int64_t i = packs * w + thread_index(); i < n; i += thread_count()) y[i] = value;
}

/// y_i = x_i as another type.
template <class To, class From>
__global__ void __launch_bounds__(kThreads, kResident) cast_kernel(const From* x, To* y, std::int64_t n) {
  constexpr int w = pack_width<To, From>;
  const std::int64_t packs = aligned(x, y) ? n / w : 0;
  for (std::int64_t i = thread_index(); i < packs; i += thread_count()) {
    const Pack<From, w> from = load_pack<w>(x + i * w);
    Pack<To, w> to;
    for (int j = 0; j < w; ++j) to.number[j] = functors::convert<To>(from.number[j]);
    store_pack(y + i * w, to);
  }
  for (std::int64_t i = packs * w + thread_index(); i < n; i += thread_count())
    y[i] = functors::convert<To>(x[i]);
}

/// A pack of y: f of packs of numbers.
template <int w, class F, class Y, class... X>
__device__ __forceinline__ void map_pack(F f, Y* y, const Pack<X, w>&... x) {
  Pack<Y, w> out;
  for (int j = 0; j < w; ++j) out.number[j] = static_cast<Y>(f(static_cast<Compute<X>>(x.number[j])...));
  store_pack(y, out);
}

template <class F, class Y, std::size_t... i, class... X>
__device__ __forceinline__ void map_all(F f, const Walk<1 + sizeof...(X)>& walk, std::int64_t n,
                                        std::index_sequence<i...>, Y* y, const X*... x) {
  constexpr int w = pack_width<Y, X...>;
  const std::int64_t packs = walk.packs ? n / w : 0;
  for (std::int64_t p = thread_index(); p < packs; p += thread_count()) {
    const Places<1 + sizeof...(X)> at = walk.places(p * w);
    map_pack<w>(f, y + at.at[0],
                (walk.step[0][1 + i] == 0 ? spread<w>(x[at.at[1 + i]]) : load_pack<w>(x + at.at[1 + i]))...);
  }
  for (std::int64_t p = packs * w + thread_index(); p < n; p += thread_count()) {
    const Places<1 + sizeof...(X)> at = walk.places(p);
    y[at.at[0]] = static_cast<Y>(f(static_cast<Compute<X>>(x[at.at[1 + i]])...));
  }
}

/// y_i = f(x_i, ...): n numbers of each tensor, y's the first of the walk, in Compute<X>.
template <class F, class Y, class... X>
__global__ void __launch_bounds__(kThreads, kResident)
    map_kernel(F f, Walk<1 + sizeof...(X)> walk, std::int64_t n, Y* y, const X*... x) {
  map_all(f, walk, n, std::index_sequence_for<X...>{}, y, x...);
}

/// x where the condition is not 0, else z.
struct Where {
  template <class T>
  __device__ T operator()(T condition, T x, T z) const {
    return condition != T(0) ? x : z;
  }
};

/// x itself.
struct Same {
  template <class T>
  __device__ T operator()(T x) const {
    return x;
  }
};

}  // namespace basin::cuda
