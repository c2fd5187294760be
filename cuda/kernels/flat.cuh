// Sums and sums of products over flat vectors, and their combination.
#pragma once

#include "cuda/kernels/block_sum.cuh"
#include "cuda/kernels/pack.cuh"

namespace basin::cuda {

/// Blocks of a sum over a vector: as many as a large card holds at once. Which numbers a thread adds up
/// depends on n alone.
inline constexpr std::int64_t kFlatBlocks = 1024;

/// x y in f64, where a product of floats is exact.
struct Product {
  template <class T>
  __device__ double operator()(T x, T y) const {
    return static_cast<double>(x) * static_cast<double>(y);
  }
};
/// 1 where x is infinite or NaN, else 0.
struct NotFinite {
  template <class T>
  __device__ double operator()(T x) const {
    return x - x == T(0) ? 0 : 1;
  }
};

/// part[block] = sum over the block's numbers of f(x_i, ...), in f64. A thread takes packs that lie one grid
/// apart and adds up each place of a pack by itself; unaligned vectors give the same sums.
template <class F, class T, class... More>
__global__ void __launch_bounds__(kThreads, kResident)
    sum_kernel(F f, std::int64_t n, double* part, const T* x, const More*... more) {
  struct Sums;
  constexpr int w = pack_width<T>;
  const bool wide = aligned(x, more...);
  double sums[w] = {};
  for (std::int64_t i = thread_index() * w; i < n; i += thread_count() * w) {
    if (wide && i + w <= n) {
      const auto add = [&](const auto&... pack) {
        for (int j = 0; j < w; ++j) sums[j] += f(pack.number[j]...);
      };
      add(load_pack<w>(x + i), load_pack<w>(more + i)...);
    } else {
      for (int j = 0; j < w; ++j)
        if (i + j < n) sums[j] += f(x[i + j], more[i + j]...);
    }
  }
  for (int j = 1; j < w; ++j) sums[0] += sums[j];
  const double total = block_sum<Sums>(sums[0]);
  if (threadIdx.x == 0) part[blockIdx.x] = total;
}

/// The total itself.
struct Total {
  __device__ double operator()(double total) const { return total; }
};
/// 1 for a count of nothing, else 0.
struct None {
  __device__ double operator()(double count) const { return count == 0 ? 1 : 0; }
};

/// out = f(part_0 + ... + part_{n-1}), by one block.
template <class F>
__global__ void __launch_bounds__(kThreads, kResident)
    finish_sum_kernel(F f, const double* part, std::int64_t n, double* out) {
  struct Sums;
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < n; i += kThreads) sum += part[i];
  sum = block_sum<Sums>(sum);
  if (threadIdx.x == 0) *out = f(sum);
}

/// y <- a x + b y. With b = 0 what y held does not matter; with a = 0, where it lives on the device, what x
/// holds does not.
template <class T>
__global__ void __launch_bounds__(kThreads, kResident)
    axpby_kernel(Number scale, const T* x, Number share, T* y, std::int64_t n) {
  constexpr int w = pack_width<T>;
  const auto a = static_cast<T>(scale.value()), b = static_cast<T>(share.value());
  const bool without_x = scale.there != nullptr && scale.value() == 0, without_y = b == T(0);
  const auto combine = [=](T own, T other) {
    const T from_x = without_x ? T(0) : a * own;
    return without_y ? from_x : without_x ? b * other : from_x + b * other;
  };
  const std::int64_t packs = aligned(x, y) ? n / w : 0;
  for (std::int64_t i = thread_index(); i < packs; i += thread_count()) {
    const Pack<T, w> from = without_x ? spread<w>(T(0)) : load_pack<w>(x + i * w);
    Pack<T, w> to = without_y ? spread<w>(T(0)) : load_pack<w>(y + i * w);
    for (int j = 0; j < w; ++j) to.number[j] = combine(from.number[j], to.number[j]);
    store_pack(y + i * w, to);
  }
  for (std::int64_t i = packs * w + thread_index(); i < n; i += thread_count()) y[i] = combine(x[i], y[i]);
}

}  // namespace basin::cuda
