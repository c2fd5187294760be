// Packing of images and the register tiles of the direct convolution. Included by kernels_*.cpp only (see
// gemm_kernel.h).
#pragma once

#include "core/cpu/conv/gemm_kernel.h"

namespace basin::cpu {
namespace {

// Copies `count` pixels that lie `step` floats apart to consecutive blocks of kLanes.
template <class V>
[[gnu::always_inline]] inline void pack_pixels(const float* in, Index step, Index count, int lanes,
                                               float* out) {
  if (lanes == kLanes) {
    for (Index i = 0; i < count; ++i) V::load(in + i * step).store(out + i * kLanes);
  } else {
    for (Index i = 0; i < count; ++i) V::load(in + i * step, lanes).store(out + i * kLanes);
  }
}

template <class V>
[[gnu::always_inline]] inline void pack_zeros(Index count, float* out) {
  for (Index i = 0; i < count; ++i) V::zero().store(out + i * kLanes);
}

template <class V, class L>
void pack_image(const PackImage& p) {
  const Index row_size = p.phases * p.cols * kLanes;
  for (Index i = 0; i < p.rows; ++i) {
    const Index row = p.row0 + i / p.row_run * p.row_stride + i % p.row_run;
    const bool inside = row >= 0 && row < p.height;
    for (Index c = 0; c < p.channels; c += kLanes) {
      const int lanes = static_cast<int>(smaller(kLanes, p.channels - c));
      float* out = p.out + c / kLanes * p.out_block + i * row_size;
      for (Index f = 0; f < p.phases; ++f, out += p.cols * kLanes) {
        // Columns [first, last) of this phase lie inside the image.
        const Index col = p.col0 + f;
        Index first = col >= 0 ? 0 : (-col + p.phase_stride - 1) / p.phase_stride;
        Index last = p.width > col ? (p.width - col + p.phase_stride - 1) / p.phase_stride : 0;
        first = inside ? smaller(first, p.cols) : 0;
        last = inside ? smaller(last, p.cols) : 0;
        if (last < first) last = first;
        pack_zeros<V>(first, out);
        if (last > first) {
          const float* in = p.in + (row * p.width + col + first * p.phase_stride) * p.pixel + c;
          const Index step = p.phase_stride * p.pixel;
          if (p.affine)
            affine_column<L>({in, step, last - first, lanes, p.affine.from(c), out + first * kLanes, kLanes});
          else
            pack_pixels<V>(in, step, last - first, lanes, out + first * kLanes);
        }
        pack_zeros<V>(p.cols - last, out + last * kLanes);
      }
    }
  }
}

// One channel of kRun taps that are neighbours in a row. A value of x meets kRun outputs, so it is broadcast
// once for all of them: loads, not multiplications, are what a narrow panel would be short of.
template <class V, int kRows, int kCols, int kBlocks, int kRun>
[[gnu::always_inline]] inline void run_step(V (&acc)[kRows * kCols][kBlocks], const float* in, Index x_row,
                                            const float* w, Index w_tap) {
  V weight[kRun][kBlocks];
#pragma GCC unroll 4
  for (int s = 0; s < kRun; ++s)
#pragma GCC unroll 2
    for (int v = 0; v < kBlocks; ++v) weight[s][v] = V::load(w + s * w_tap + v * kLanes);
#pragma GCC unroll 4
  for (int row = 0; row < kRows; ++row)
#pragma GCC unroll 32
    for (int j = 0; j < kCols + kRun - 1; ++j) {
      const V value = V::broadcast(in[row * x_row + j * kLanes]);
#pragma GCC unroll 4
      for (int s = 0; s < kRun; ++s)
        if (j >= s && j - s < kCols)
#pragma GCC unroll 2
          for (int v = 0; v < kBlocks; ++v) acc[row * kCols + j - s][v].add_product(value, weight[s][v]);
    }
}

template <class V, int kRows, int kCols, int kBlocks, int kRun>
[[gnu::always_inline]] inline void run_channels(V (&acc)[kRows * kCols][kBlocks], const float* in,
                                                Index x_row, const float* w, Index depth) {
  constexpr Index kUnroll = kRun == 1 ? 2 : 1;
  const Index w_tap = depth * kBlocks * kLanes;
  Index c = 0;
  for (; c + kUnroll <= depth; c += kUnroll, in += kUnroll, w += kUnroll * kBlocks * kLanes) {
#pragma GCC unroll 2
    for (Index u = 0; u < kUnroll; ++u)
      run_step<V, kRows, kCols, kBlocks, kRun>(acc, in + u, x_row, w + u * kBlocks * kLanes, w_tap);
  }
  if constexpr (kUnroll > 1)
    for (; c < depth; ++c, ++in, w += kBlocks * kLanes)
      run_step<V, kRows, kCols, kBlocks, kRun>(acc, in, x_row, w, w_tap);
}

// The same sums in the same order for a tile that leaves no registers for the weights of several taps: the
// `run` taps are a loop, which also keeps the compiler from holding on to what it has broadcast.
template <class V, int kRows, int kCols, int kBlocks>
[[gnu::always_inline]] inline void run_taps(V (&acc)[kRows * kCols][kBlocks], const float* in, Index x_row,
                                            const float* w, Index depth, Index run) {
  for (Index c = 0; c < depth; ++c) {
#pragma GCC unroll 1
    for (Index s = 0; s < run; ++s)
      run_step<V, kRows, kCols, kBlocks, 1>(acc, in + c + s * kLanes, x_row,
                                            w + (s * depth + c) * kBlocks * kLanes, 0);
  }
}

// kRows x kCols outputs of one panel. x and y: at the tile's first pixel.
template <class V, int kRows, int kCols, int kBlocks>
void conv_tile(const TapConv& t, const float* x, float* y) {
  V acc[kRows * kCols][kBlocks];
  clear(acc);
  // Accumulators and the weights of three taps, and one register for the input.
  constexpr bool kFits = (kRows * kCols + 3) * kBlocks < V::kRegisters;
  const float* w = t.w;
  for (Index block = 0; block < t.channels; block += kLanes, x += t.x_block) {
    const Index depth = smaller(kLanes, t.channels - block);
    for (Index tap = 0; tap < t.taps;) {
      const float* in = x + t.tap[tap];
      Index run = 1;
      while (run < 3 && tap + run < t.taps && t.tap[tap + run] == t.tap[tap] + run * kLanes) ++run;
      if constexpr (!kFits)
        run_taps<V, kRows, kCols, kBlocks>(acc, in, t.x_row, w, depth, run);
      else if (run == 3)
        run_channels<V, kRows, kCols, kBlocks, 3>(acc, in, t.x_row, w, depth);
      else if (run == 2)
        run_channels<V, kRows, kCols, kBlocks, 2>(acc, in, t.x_row, w, depth);
      else
        run_channels<V, kRows, kCols, kBlocks, 1>(acc, in, t.x_row, w, depth);
      tap += run;
      w += run * depth * kBlocks * kLanes;
    }
  }
  store(
      acc, static_cast<int>(t.lanes - (kBlocks - 1) * kLanes), [&](int i) __attribute__((always_inline)) {
        return y + i / kCols * t.y_row + i % kCols * t.y_pixel;
      });
}

using ConvTile = void (*)(const TapConv&, const float*, float*);

template <class V, int kRows, int kBlocks, int... kCol>
constexpr Table<ConvTile, sizeof...(kCol)> conv_tiles(std::integer_sequence<int, kCol...>) {
  return {{conv_tile<V, kRows, kCol + 1, kBlocks>...}};
}

// Walks the outputs in tiles of kRows rows; columns are divided evenly into as few tiles as possible.
template <class Tile, int kWidest>
void walk(const TapConv& t, const Table<Tile, kWidest>& tiles, Shares& shares, Index tile_rows, Index row,
          Index end) {
  const Index parts = (t.cols + kWidest - 1) / kWidest;
  for (; row + tile_rows <= end; row += tile_rows) {
    for (Index part = 0; part < parts; ++part) {
      const Index col = t.cols * part / parts, next = t.cols * (part + 1) / parts;
      shares.next();
      tiles.at[next - col - 1](t, t.x + row * t.x_row + col * kLanes, t.y + row * t.y_row + col * t.y_pixel);
    }
  }
}

template <class V, int kBlocks>
void conv_panel(const TapConv& t) {
  constexpr int kWidest = kTile<V, kBlocks>;
  static constexpr auto kOne = conv_tiles<V, 1, kBlocks>(std::make_integer_sequence<int, kWidest>{});
  static constexpr auto kTwo = conv_tiles<V, 2, kBlocks>(std::make_integer_sequence<int, kWidest / 2>{});
  Shares shares(t.next, t.rows * t.cols / kWidest + 1);
  Index row = 0;
  if constexpr (kWidest >= 4) {
    static constexpr auto kFour = conv_tiles<V, 4, kBlocks>(std::make_integer_sequence<int, kWidest / 4>{});
    if (4 * t.cols <= kWidest) {
      walk(t, kFour, shares, 4, row, t.rows);
      row = t.rows / 4 * 4;
    }
  }
  if (2 * t.cols <= kWidest) {
    walk(t, kTwo, shares, 2, row, t.rows);
    row += (t.rows - row) / 2 * 2;
  }
  walk(t, kOne, shares, 1, row, t.rows);
}

template <class V>
void conv_block(const TapConv& t) {
  if (t.lanes <= kLanes)
    conv_panel<V, 1>(t);
  else if constexpr (kMaxBlocks<V> == 2)
    conv_panel<V, 2>(t);
}

}  // namespace
}  // namespace basin::cpu
