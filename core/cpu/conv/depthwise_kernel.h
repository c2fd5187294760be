// Depthwise convolution: sixteen channels side by side, every lane on its own. Included by kernels_*.cpp only
// (see gemm_kernel.h).
#pragma once

#include "core/cpu/conv/peak_kernel.h"
#include "core/cpu/conv/weight_grad_kernel.h"

namespace basin::cpu {
namespace {

template <class V, int kCols>
void depthwise_tile(const TapConv& t, const float* x, float* y) {
  V acc[kCols][1];
  clear(acc);
  for (Index tap = 0; tap < t.taps; ++tap) {
    const V w = V::load(t.w + tap * kLanes);
    const float* in = x + t.tap[tap];
#pragma GCC unroll 32
    for (int i = 0; i < kCols; ++i) acc[i][0].add_product(V::load(in + i * kLanes), w);
  }
  store(
      acc,
      static_cast<int>(t.lanes), [&](int i) __attribute__((always_inline)) { return y + i * t.y_pixel; });
}

template <class V, int... kCol>
constexpr Table<ConvTile, sizeof...(kCol)> depthwise_tiles(std::integer_sequence<int, kCol...>) {
  return {{depthwise_tile<V, kCol + 1>...}};
}

template <class V>
void depthwise_block(const TapConv& t) {
  static constexpr auto kTiles = depthwise_tiles<V>(std::make_integer_sequence<int, kTile<V, 1>>{});
  Shares shares(t.next, t.rows * t.cols / kTile<V, 1> + 1);
  walk(t, kTiles, shares, 1, 0, t.rows);
}

// kTaps taps at once: independent sums hide the latency of the addition.
template <class V, int kTaps>
void depthwise_weight_grad_tile(const TapWeightGrad& t, const Index* tap, float* dw) {
  V acc[kTaps][1];
  clear(acc);
  for (Index image = 0; image < t.images; ++image) {
    const float* dy = t.dy + image * t.dy_image;
    for (Index row = 0; row < t.rows; ++row) {
      const float* in = t.x + image * t.x_image + row * t.x_row;
      for (Index col = 0; col < t.cols; ++col, in += kLanes, dy += kLanes) {
        const V grad = V::load(dy);
#pragma GCC unroll 4
        for (int i = 0; i < kTaps; ++i) acc[i][0].add_product(V::load(in + tap[i]), grad);
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < kTaps; ++i) {
    acc[i][0].add(V::load(dw + i * kLanes));
    acc[i][0].store(dw + i * kLanes);
  }
}

template <class V>
void depthwise_weight_grad_block(const TapWeightGrad& t) {
  constexpr Index kTaps = V::kRegisters >= 8 ? 4 : 2;
  Shares shares_x(t.next_x, 1), shares_dy(t.next_dy, 1);
  shares_x.next();
  shares_dy.next();
  Index tap = 0;
  for (; tap + kTaps <= t.taps; tap += kTaps)
    depthwise_weight_grad_tile<V, kTaps>(t, t.tap + tap, t.dw + tap * kLanes);
  for (; tap < t.taps; ++tap) depthwise_weight_grad_tile<V, 1>(t, t.tap + tap, t.dw + tap * kLanes);
}

/// Of an instruction set with lanes V.
template <class V>
constexpr Kernels make_kernels() {
  using Block = Sixteen<V>;
  return {.panel = kMaxBlocks<Block> * kLanes,
          .pack_panels = pack_panels<Block, Lanes<V>>,
          .transpose = transpose_copy<V>,
          .affine_rows = affine_rows<Lanes<V>>,
          .gemm = gemm_block<Block>,
          .pack_image = pack_image<Block, Lanes<V>>,
          .conv = conv_block<Block>,
          .conv_weight_grad = weight_grad_block<Block>,
          .depthwise = depthwise_block<Block>,
          .depthwise_weight_grad = depthwise_weight_grad_block<Block>,
          .multiply_add_chains = multiply_add_chains<Block>};
}

}  // namespace
}  // namespace basin::cpu
