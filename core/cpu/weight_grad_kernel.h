// The register tile of the direct weight gradient. Included by isa_*.cpp only (see gemm_kernel.h).
#pragma once

#include "core/cpu/conv_kernel.h"

namespace basin::cpu {
namespace {

// kTaps taps x kChannels channels of x against one panel of dy, summed over all pixels of the call in
// registers and then added to dw: the long sum over a batch is a sum of short ones, which keeps its rounding
// error small.
template <class V, int kTaps, int kChannels, int kBlocks>
void weight_grad_tile(const TapWeightGrad& t, const float* x, const Index* tap, float* dw, Index dw_tap) {
  V acc[kTaps * kChannels][kBlocks];
  clear(acc);
  for (Index image = 0; image < t.images; ++image) {
    const float* dy = t.dy + image * t.dy_image;
    for (Index row = 0; row < t.rows; ++row) {
      const float* in[kTaps];
#pragma GCC unroll 4
      for (int i = 0; i < kTaps; ++i) in[i] = x + image * t.x_image + row * t.x_row + tap[i];
      for (Index col = 0; col < t.cols; ++col, dy += kLanes)
        outer_step(
            acc, dy, t.dy_block, [&](int i) __attribute__((always_inline)) {
              return in[i / kChannels][col * kLanes + i % kChannels];
            });
    }
  }
#pragma GCC unroll 32
  for (int i = 0; i < kTaps * kChannels; ++i) {
    float* sum = dw + i / kChannels * dw_tap + i % kChannels * kBlocks * kLanes;
#pragma GCC unroll 2
    for (int v = 0; v < kBlocks; ++v) {
      acc[i][v].add(V::load(sum + v * kLanes));
      acc[i][v].store(sum + v * kLanes);
    }
  }
}

using WeightGradTile = void (*)(const TapWeightGrad&, const float*, const Index*, float*, Index);

template <class V, int kTaps, int kBlocks, int... kChannel>
constexpr Table<WeightGradTile, sizeof...(kChannel)> weight_grad_tiles(
    std::integer_sequence<int, kChannel...>) {
  return {{weight_grad_tile<V, kTaps, kChannel + 1, kBlocks>...}};
}

template <class V, int kBlocks>
void weight_grad_panel(const TapWeightGrad& t) {
  constexpr int kHigh = kTile<V, kBlocks>;  // (tap, channel) pairs in a tile
  static constexpr auto kOne = weight_grad_tiles<V, 1, kBlocks>(std::make_integer_sequence<int, kHigh>{});
  const float* x = t.x;
  float* dw = t.dw;
  const Index tiles = t.taps * ((t.channels + kLanes - 1) / kLanes);
  Shares shares_x(t.next_x, tiles), shares_dy(t.next_dy, tiles);
  for (Index block = 0; block < t.channels; block += kLanes, x += t.x_block) {
    const Index depth = smaller(kLanes, t.channels - block), dw_tap = depth * kBlocks * kLanes;
    Index tap = 0;
    if constexpr (kHigh >= 3) {  // few channels: three taps at a time fill the registers
      static constexpr auto kThree =
          weight_grad_tiles<V, 3, kBlocks>(std::make_integer_sequence<int, kHigh / 3>{});
      if (3 * depth <= kHigh)
        for (; tap + 3 <= t.taps; tap += 3)
          kThree.at[depth - 1](t, x, t.tap + tap, dw + tap * dw_tap, dw_tap);
    }
    const Index parts = (depth + kHigh - 1) / kHigh;
    for (; tap < t.taps; ++tap) {
      shares_x.next();
      shares_dy.next();
      for (Index part = 0; part < parts; ++part) {
        const Index c = depth * part / parts, next = depth * (part + 1) / parts;
        kOne.at[next - c - 1](t, x + c, t.tap + tap, dw + tap * dw_tap + c * kBlocks * kLanes, dw_tap);
      }
    }
    dw += t.taps * dw_tap;
  }
}

template <class V>
void weight_grad_block(const TapWeightGrad& t) {
  if (t.lanes <= kLanes)
    weight_grad_panel<V, 1>(t);
  else if constexpr (kMaxBlocks<V> == 2)
    weight_grad_panel<V, 2>(t);
}

}  // namespace
}  // namespace basin::cpu
