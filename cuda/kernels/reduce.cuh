// Sums and extrema of x {outer, n, inner} over its middle axis: a few numbers at a time are joined in the
// type that they are computed in, the rest in f64. `Join` is a functors::Reduce.
#pragma once

#include "core/functors/reduce.h"
#include "cuda/kernels/channels.cuh"
#include "cuda/kernels/rows.cuh"

namespace basin::cuda {

/// Where the results go: one of these.
struct Reduced {
  float* f32 = nullptr;
  double* f64 = nullptr;
  bfloat16* bf16 = nullptr;

  __device__ void set(std::int64_t i, double number) const {
    if (f32 != nullptr)
      f32[i] = static_cast<float>(number);
    else if (f64 != nullptr)
      f64[i] = number;
    else
      bf16[i] = static_cast<bfloat16>(number);
  }
  template <class F>
  void for_each_pointer(F f) const {
    f(f32), f(f64), f(bf16);
  }
};

/// inner = 1: out[a, part] = `chunk` numbers of x[a, :], joined; {outer, parts}.
template <class Join, class T, int width>
__global__ void __launch_bounds__(kThreads)
    reduce_rows_kernel(Join join, const T* x, std::int64_t outer, std::int64_t n, std::int64_t chunk,
                       std::int64_t parts, bool packed, Reduced out) {
  using N = Compute<T>;
  constexpr int group = pack_width<T>;
  Rows<width>::each(outer * parts, [=](std::int64_t row, bool counts) {
    const std::int64_t begin = row % parts * chunk, end = begin + chunk < n ? begin + chunk : n;
    const T* from = x + row / parts * n;
    double all = Join::neutral;
    for (std::int64_t j = begin + Rows<width>::lane() * group; j < end; j += width * group) {
      N few = static_cast<N>(Join::neutral);
      if (j + group <= end) {
        const Pack<T, group> p = load_group<group>(from + j, packed);
        for (int k = 0; k < group; ++k) few = join(few, static_cast<N>(p.number[k]));
      } else {
        for (std::int64_t k = j; k < end; ++k) few = join(few, static_cast<N>(from[k]));
      }
      all = join(all, static_cast<double>(few));
    }
    all = Rows<width>::joined(all, join);
    if (counts && Rows<width>::lane() == 0) out.set(row, all);
  });
}

/// inner > 1: out[a, part, b] = x[a, :, b] joined over the rows that the part has; {outer, parts, inner}. The
/// tiles are those of x[a].
template <class Join, class T, int group>
__global__ void __launch_bounds__(kThreads, 4)
    reduce_tiles_kernel(Join join, const T* x, std::int64_t outer, ChannelTiles tiles, Reduced out) {
  using N = Compute<T>;
  constexpr int at_once = kSumRows;
  struct Numbers;
  double* shared = shared_array<Numbers, double, group * kThreads>();
  const std::int64_t blocks = tiles.tiles * tiles.parts;
  for (std::int64_t block = blockIdx.x; block < outer * blocks; block += gridDim.x) {
    const ChannelPlace at(tiles, group, block % blocks);
    const std::int64_t a = block / blocks;
    double all[group];
    for (int k = 0; k < group; ++k) all[k] = Join::neutral;
    const T* from = x + a * tiles.rows * tiles.channels + at.channel;
    for (std::int64_t row = at.first; row < tiles.rows && !at.idle; row += at_once * at.step) {
      Pack<T, group> read[at_once] = {};
      unrolled<at_once>([&](int u) {
        if (row + u * at.step < tiles.rows)
          read[u] = load_group<group>(from + (row + u * at.step) * tiles.channels, tiles.packed);
      });
      for (int k = 0; k < group; ++k) {
        N few = static_cast<N>(Join::neutral);
        unrolled<at_once>([&](int u) {
          if (row + u * at.step < tiles.rows) few = join(few, static_cast<N>(read[u].number[k]));
        });
        all[k] = join(all[k], static_cast<double>(few));
      }
    }
    join_rows(shared, all, tiles.width, kThreads / tiles.width, join);
    if (at.row == 0 && !at.idle)
      for (int k = 0; k < group; ++k)
        out.set((a * tiles.parts + at.part) * tiles.channels + at.channel + k, all[k]);
  }
}

/// out[a, b] = x[a, :, b] joined, by one thread; for short axes, and for many results.
template <class Join, class T>
__global__ void __launch_bounds__(kThreads)
    reduce_each_kernel(Join join, const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner,
                       Reduced out) {
  using N = Compute<T>;
  constexpr int at_once = 4;
  for (std::int64_t i = thread_index(); i < outer * inner; i += thread_count()) {
    const T* from = x + i / inner * n * inner + i % inner;
    double all = Join::neutral;
    for (std::int64_t j = 0; j < n; j += at_once) {
      N few = static_cast<N>(Join::neutral);
      for (int u = 0; u < at_once; ++u)
        if (j + u < n) few = join(few, static_cast<N>(from[(j + u) * inner]));
      all = join(all, static_cast<double>(few));
    }
    out.set(i, all);
  }
}

}  // namespace basin::cuda
