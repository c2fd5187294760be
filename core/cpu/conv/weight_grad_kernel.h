// The register tile of the direct weight gradient. Included by kernels_*.cpp only (see gemm_kernel.h).
#pragma once

#include "core/cpu/conv/conv_kernel.h"

namespace basin::cpu {
namespace {

// Adds the sums of a tile to dw: {tap, channel} rows of the panel's width.
template <class V, int kTaps, int kChannels, int kBlocks>
[[gnu::always_inline]] inline void add_to(V (&acc)[kTaps * kChannels][kBlocks], float* dw, Index dw_tap) {
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

// kChannels channels of x at one tap against one panel of dy, summed over all pixels of the call in registers
// and then added to dw: the long sum over a batch is a sum of short ones, which keeps its rounding error
// small.
template <class V, int kChannels, int kBlocks>
void weight_grad_tile(const TapWeightGrad& t, const float* x, float* dw, Index dw_tap) {
  V acc[kChannels][kBlocks];
  clear(acc);
  for (Index image = 0; image < t.images; ++image) {
    const float* dy = t.dy + image * t.dy_image;
    for (Index row = 0; row < t.rows; ++row) {
      const float* in = x + image * t.x_image + row * t.x_row;
      for (Index col = 0; col < t.cols; ++col, in += kLanes, dy += kLanes)
        outer_step(
            acc, dy, t.dy_block, [&](int i) __attribute__((always_inline)) { return in[i]; });
    }
  }
  add_to<V, 1, kChannels, kBlocks>(acc, dw, dw_tap);
}

// One pixel of x against the pixels of dy that meet it through taps kFirst.. of three neighbours.
template <class V, int kChannels, int kBlocks, int kFirst, int kEnd>
[[gnu::always_inline]] inline void three_step(V (&acc)[3 * kChannels][kBlocks], const float* in,
                                              const V (&dy)[3][kBlocks]) {
#pragma GCC unroll 16
  for (int c = 0; c < kChannels; ++c) {
    const V value = V::broadcast(in[c]);
#pragma GCC unroll 4
    for (int tap = kFirst; tap < kEnd; ++tap)
#pragma GCC unroll 2
      for (int v = 0; v < kBlocks; ++v) acc[tap * kChannels + c][v].add_product(value, dy[tap][v]);
  }
}

// The same for three taps that are neighbours in a row: every pixel of x is read once for all of them, as is
// every pixel of dy.
template <class V, int kChannels, int kBlocks>
void weight_grad_three(const TapWeightGrad& t, const float* x, float* dw, Index dw_tap) {
  V acc[3 * kChannels][kBlocks];
  clear(acc);
  for (Index image = 0; image < t.images; ++image) {
    const float* next = t.dy + image * t.dy_image;
    for (Index row = 0; row < t.rows; ++row) {
      const float* in = x + image * t.x_image + row * t.x_row;
      V dy[3][kBlocks];  // of the columns col, col - 1, col - 2, which meet x at col through taps 0, 1, 2
      const auto shift = [&]() __attribute__((always_inline)) {
#pragma GCC unroll 2
        for (int v = 0; v < kBlocks; ++v) {
          dy[2][v] = dy[1][v];
          dy[1][v] = dy[0][v];
          dy[0][v] = V::load(next + v * t.dy_block);
        }
        next += kLanes;
      };
      clear(dy);
      shift();
      three_step<V, kChannels, kBlocks, 0, 1>(acc, in, dy);
      shift();
      three_step<V, kChannels, kBlocks, 0, 2>(acc, in += kLanes, dy);
      for (Index col = 2; col < t.cols; ++col) {
        shift();
        three_step<V, kChannels, kBlocks, 0, 3>(acc, in += kLanes, dy);
      }
      next -= kLanes;
      shift();
      three_step<V, kChannels, kBlocks, 1, 3>(acc, in += kLanes, dy);
      next -= kLanes;
      shift();
      three_step<V, kChannels, kBlocks, 2, 3>(acc, in += kLanes, dy);
    }
  }
  add_to<V, 3, kChannels, kBlocks>(acc, dw, dw_tap);
}

using WeightGradTile = void (*)(const TapWeightGrad&, const float*, float*, Index);

template <class V, int kBlocks, int... kChannel>
constexpr Table<WeightGradTile, sizeof...(kChannel)> weight_grad_tiles(
    std::integer_sequence<int, kChannel...>) {
  return {{weight_grad_tile<V, kChannel + 1, kBlocks>...}};
}

template <class V, int kBlocks, int... kChannel>
constexpr Table<WeightGradTile, sizeof...(kChannel)> weight_grad_threes(
    std::integer_sequence<int, kChannel...>) {
  return {{weight_grad_three<V, kChannel + 1, kBlocks>...}};
}

// Runs the tiles of one tap (or three) over all channels of a block, evenly divided.
template <int kHigh>
void over_channels(const TapWeightGrad& t, const Table<WeightGradTile, kHigh>& tiles, const float* x,
                   Index depth, Index width, float* dw) {
  const Index parts = (depth + kHigh - 1) / kHigh;
  for (Index part = 0; part < parts; ++part) {
    const Index c = depth * part / parts, next = depth * (part + 1) / parts;
    tiles.at[next - c - 1](t, x + c, dw + c * width, depth * width);
  }
}

template <class V, int kBlocks>
void weight_grad_panel(const TapWeightGrad& t) {
  constexpr Index kWidth = kBlocks * kLanes;
  constexpr int kOne = kTile<V, kBlocks>, kThree = V::kRegisters >= 32 ? 8 / kBlocks : 1;
  static constexpr auto kOnes = weight_grad_tiles<V, kBlocks>(std::make_integer_sequence<int, kOne>{});
  static constexpr auto kThrees = weight_grad_threes<V, kBlocks>(std::make_integer_sequence<int, kThree>{});
  const float* x = t.x;
  float* dw = t.dw;
  const Index tiles = t.taps * ((t.channels + kLanes - 1) / kLanes);
  Shares shares_x(t.next_x, tiles), shares_dy(t.next_dy, tiles);
  for (Index block = 0; block < t.channels; block += kLanes, x += t.x_block) {
    const Index depth = smaller(kLanes, t.channels - block);
    for (Index tap = 0; tap < t.taps;) {
      shares_x.next();
      shares_dy.next();
      const bool three = t.cols >= 2 && tap + 2 < t.taps && t.tap[tap + 1] == t.tap[tap] + kLanes &&
                         t.tap[tap + 2] == t.tap[tap] + 2 * kLanes;
      if (three)
        over_channels(t, kThrees, x + t.tap[tap], depth, kWidth, dw);
      else
        over_channels(t, kOnes, x + t.tap[tap], depth, kWidth, dw);
      tap += three ? 3 : 1;
      dw += (three ? 3 : 1) * depth * kWidth;
    }
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
