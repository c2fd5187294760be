// Gather and scatter. Where several numbers meet in one place they are added in the order of the index, by
// one thread: no atomics, the CPU's bits. An index outside of what it points into gives 0, adds nothing, and
// is told to the host.
#pragma once

#include "cuda/kernels/index_check.cuh"
#include "cuda/kernels/pack.cuh"
#include "cuda/kernels/walk.cuh"

namespace basin::cuda {

/// A tensor {before, extent, after} that is indexed along the middle by m entries; after: of the units that
/// the kernel moves.
struct Indexed {
  std::int64_t before, extent, after, m;
  Divisor by_after, by_m;
};

/// y[a, j, b] = x[a, index[j], b].
template <class T>
__global__ void __launch_bounds__(kThreads, kResident)
    gather_kernel(IndexCheck entries, Indexed s, const T* x, const std::int64_t* index, T* y) {
  const std::int64_t n = s.before * s.m * s.after;
  for (std::int64_t i = thread_index(); i < n; i += thread_count()) {
    std::int64_t b = i;
    std::int64_t j = s.by_after.divide(b);
    const std::int64_t a = s.by_m.divide(j);
    const std::int64_t from = index[j];
    y[i] = entries.holds(from) ? x[(a * s.extent + from) * s.after + b] : T{};
  }
}

/// Chains the entries of one value: next[j] is the first place behind j whose entry is index[j], m if there
/// is none; first[j] is 1 where no place before j has the entry, else 0.
template <class I>
__global__ void __launch_bounds__(kThreads, kResident)
    chain_kernel(const I* index, std::int64_t m, std::int64_t* next, std::int64_t* first) {
  for (std::int64_t j = thread_index(); j < m; j += thread_count()) {
    const I own = index[j];
    std::int64_t k = j + 1;
    while (k < m && index[k] != own) ++k;
    next[j] = k;
    k = j - 1;
    while (k >= 0 && index[k] != own) --k;
    first[j] = k < 0;
  }
}

/// y[a, index[j], b] += x[a, j, b] in the order of j: a thread for the first place of each chain and w
/// numbers b adds up the chain. after of `s` counts packs of w.
template <int w, class T>
__global__ void __launch_bounds__(kThreads, kResident)
    scatter_add_kernel(IndexCheck entries, Indexed s, const T* x, const std::int64_t* index,
                       const std::int64_t* next, const std::int64_t* first, T* y) {
  const std::int64_t n = s.before * s.m * s.after;
  for (std::int64_t i = thread_index(); i < n; i += thread_count()) {
    std::int64_t b = i;
    std::int64_t j = s.by_after.divide(b);
    const std::int64_t a = s.by_m.divide(j);
    if (first[j] == 0) continue;
    if (!entries.holds(index[j])) continue;
    T* to = y + ((a * s.extent + index[j]) * s.after + b) * w;
    const Pack<T, w> before = load_pack<w>(to);
    Pack<Compute<T>, w> sum;
    for (int k = 0; k < w; ++k) sum.number[k] = before.number[k];
    for (; j < s.m; j = next[j]) {
      const Pack<T, w> more = load_pack<w>(x + ((a * s.m + j) * s.after + b) * w);
      for (int k = 0; k < w; ++k) sum.number[k] += static_cast<Compute<T>>(more.number[k]);
    }
    Pack<T, w> after;
    for (int k = 0; k < w; ++k) after.number[k] = static_cast<T>(sum.number[k]);
    store_pack(to, after);
  }
}

/// y[r, j] = x[r, index[r, j]], rows of m entries over rows of `extent` numbers.
template <class T>
__global__ void __launch_bounds__(kThreads, kResident)
    gather_last_kernel(IndexCheck entries, const T* x, const std::int64_t* index, Divisor by_m, T* y,
                       std::int64_t n) {
  for (std::int64_t i = thread_index(); i < n; i += thread_count()) {
    std::int64_t j = i;
    const std::int64_t from = index[i];
    y[i] = entries.holds(from) ? x[by_m.divide(j) * entries.extent + from] : T{};
  }
}

/// y[r, index[r, j]] += x[r, j] in the order of j: the thread of the first j of an entry in its row adds up
/// all that are alike.
template <class T>
__global__ void __launch_bounds__(kThreads, kResident)
    scatter_add_last_kernel(IndexCheck entries, const T* x, const std::int64_t* index, std::int64_t m,
                            Divisor by_m, T* y, std::int64_t n) {
  for (std::int64_t i = thread_index(); i < n; i += thread_count()) {
    std::int64_t j = i;
    const std::int64_t r = by_m.divide(j), row = i - j;
    if (!entries.holds(index[i])) continue;
    std::int64_t k = 0;
    while (index[row + k] != index[i]) ++k;
    if (k < j) continue;
    T* to = y + r * entries.extent + index[i];
    Compute<T> sum = *to;
    for (; k < m; ++k)
      if (index[row + k] == index[i]) sum += static_cast<Compute<T>>(x[row + k]);
    *to = static_cast<T>(sum);
  }
}

}  // namespace basin::cuda
