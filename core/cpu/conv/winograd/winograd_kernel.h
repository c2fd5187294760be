// Winograd's convolution for one instruction set: transforms of runs of tiles, and the register tiles of the
// products between them. Included by kernels_*.cpp only (see gemm_kernel.h). V: sixteen lanes
// (simd/sixteen.h), for the products; L: one register of lanes (simd/lanes.h), for the transforms.
#pragma once

#include "core/cpu/conv/weight_grad_kernel.h"
#include "core/cpu/conv/winograd/winograd_points.h"
#include "core/cpu/conv/winograd/winograd_table.h"

namespace basin::cpu {
namespace {

// Calls body(x, v) for every tile, block and register of lanes of a block.
template <class P, class L, class Body>
[[gnu::always_inline]] inline void over_source(const WinogradSource& s, Body body) {
  for (Index row = 0; row < s.down; ++row)
    for (Index col = 0; col < s.across; ++col)
      for (Index block = 0; block < s.blocks; ++block)
        for (Index lane = 0; lane < kLanes; lane += L::width)
          body(s.x + block * s.x_block + row * P::kOutputs * s.x_row + col * P::kOutputs * s.x_pixel + lane,
               s.v + block * s.v_block + (row * s.across + col) * kLanes + lane);
}

template <class P, class L>
void winograd_input(const WinogradSource& s) {
  over_source<P, L>(
      s, [&](const float* x, float* v)
             __attribute__((always_inline)) { transform_input<P, L>(x, s.x_row, v, s.v_point); });
}

template <class P, class L>
void winograd_output_grad(const WinogradSource& s) {
  over_source<P, L>(
      s, [&](const float* x, float* v) __attribute__((always_inline)) {
        transform<L, P::kOutputs, P::kPoints>(
            [](const auto& d, auto& result) __attribute__((always_inline)) { P::output_grad(d, result); },
            [&](int i, int j)
                __attribute__((always_inline)) { return L::load(x + i * s.x_row + j * s.x_pixel); },
            [&](int i, int j, L number)
                __attribute__((always_inline)) { number.store(v + (i * P::kPoints + j) * s.v_point); });
      });
}

template <class P, class L, bool kWhole>
[[gnu::always_inline]] inline void output_tile(const WinogradTarget& t, const float* m, float* y, Index rows,
                                               Index cols, Index lanes) {
  transform<L, P::kPoints, P::kOutputs>(
      [](const auto& z, auto& result) __attribute__((always_inline)) { P::output(z, result); },
      [&](int i, int j)
          __attribute__((always_inline)) { return L::load(m + (i * P::kPoints + j) * t.m_point); },
      [&](int i, int j, L number) __attribute__((always_inline)) {
        float* out = y + i * t.y_row + j * t.y_pixel;
        if constexpr (kWhole)
          number.store(out);
        else if (i < rows && j < cols)
          number.store(out, lanes);
      });
}

template <class P, class L>
void winograd_output(const WinogradTarget& t) {
  constexpr Index n = P::kOutputs;
  for (Index row = 0; row < t.down; ++row) {
    for (Index col = 0; col < t.across; ++col) {
      const Index rows = t.rows - row * n, cols = t.cols - col * n;
      const float* m = t.m + (row * t.across + col) * kLanes;
      float* y = t.y + row * n * t.y_row + col * n * t.y_pixel;
      for (Index c = 0; c < t.channels; c += L::width) {
        const float* from = m + c / kLanes * t.m_block + c % kLanes;
        const Index lanes = smaller(L::width, t.channels - c);
        if (rows >= n && cols >= n && lanes == L::width)
          output_tile<P, L, true>(t, from, y + c, rows, cols, lanes);
        else
          output_tile<P, L, false>(t, from, y + c, rows, cols, lanes);
      }
    }
  }
}

template <class P, class L>
void winograd_weights(const WinogradWeights& w) {
  const Index tap = w.channels * kLanes;
  for (Index c = 0; c < w.channels; ++c)
    for (Index lane = 0; lane < kLanes; lane += L::width)
      transform<L, 3, P::kPoints>(
          [](const auto& z, auto& result) __attribute__((always_inline)) { P::weights(z, result); },
          [&](int i, int j)
              __attribute__((always_inline)) { return L::load(w.w + (i * 3 + j) * tap + c * kLanes + lane); },
          [&](int i, int j, L number) __attribute__((always_inline)) {
            number.store(w.u + (i * P::kPoints + j) * w.u_point + c * w.u_channel + lane);
          });
}

template <class P, class L>
void winograd_weight_grad(const WinogradWeightGrad& g) {
  for (Index c = 0; c < g.channels; ++c)
    for (Index lane = 0; lane < g.lanes; lane += L::width)
      transform<L, P::kPoints, 3>(
          [](const auto& z, auto& result) __attribute__((always_inline)) { P::weight_grad(z, result); },
          [&](int i, int j) __attribute__((always_inline)) {
            const float* s = g.s + (i * P::kPoints + j) * g.s_point + c * g.s_channel + lane;
            L total = L::load(s);
            for (Index k = 1; k < g.sums; ++k) total = total + L::load(s + k * g.s_sum);
            return total;
          },
          [&](int i, int j, L number) __attribute__((always_inline)) {
            number.store(g.dw + (i * 3 + j) * g.dw_tap + c * g.dw_channel + lane,
                         smaller(L::width, g.lanes - lane));
          });
}

// kTiles tiles against one panel of weights, at one point.
template <class V, int kTiles, int kBlocks>
void product_tile(const WinogradProduct& p, const float* v, const float* u, float* m) {
  constexpr Index kUnroll = 4;
  V acc[kTiles][kBlocks];
  clear(acc);
  for (Index c = 0; c < p.channels; c += kLanes, v += p.v_block) {
    const Index depth = smaller(kLanes, p.channels - c);
    const auto step = [&](Index i) __attribute__((always_inline)) {
      outer_step(
          acc, u + i * kBlocks * kLanes,
          kLanes, [&](int tile) __attribute__((always_inline)) { return v[tile * kLanes + i]; });
    };
    Index i = 0;
    for (; i + kUnroll <= depth; i += kUnroll) {
#pragma GCC unroll 4
      for (Index k = 0; k < kUnroll; ++k) step(i + k);
    }
    for (; i < depth; ++i) step(i);
    u += depth * kBlocks * kLanes;
  }
#pragma GCC unroll 32
  for (int tile = 0; tile < kTiles; ++tile)
#pragma GCC unroll 2
    for (int k = 0; k < kBlocks; ++k) acc[tile][k].store(m + k * p.m_block + tile * kLanes);
}

using ProductTile = void (*)(const WinogradProduct&, const float*, const float*, float*);

template <class V, int kBlocks, int... kTiles>
constexpr Table<ProductTile, sizeof...(kTiles)> product_tiles(std::integer_sequence<int, kTiles...>) {
  return {{product_tile<V, kTiles + 1, kBlocks>...}};
}

// One panel at one point; the tiles are divided evenly.
template <class V, int kBlocks>
void product_panel(const WinogradProduct& p, const float* v, const float* u, float* m) {
  constexpr int kMost = kTile<V, kBlocks>;
  static constexpr auto kTiles = product_tiles<V, kBlocks>(std::make_integer_sequence<int, kMost>{});
  const Index parts = (p.tiles + kMost - 1) / kMost;
  for (Index part = 0; part < parts; ++part) {
    const Index tile = p.tiles * part / parts, next = p.tiles * (part + 1) / parts;
    kTiles.at[next - tile - 1](p, v + tile * kLanes, u, m + tile * kLanes);
  }
}

template <class V>
void winograd_product(const WinogradProduct& p) {
  Shares shares(p.next, p.points * p.panels.count());
  Shares target(p.target, p.points * p.panels.count());
  for (Index point = 0; point < p.points; ++point) {
    const float* v = p.v + point * p.v_point;
    for (Index j = 0; j < p.panels.count(); ++j) {
      const float* u = p.u + point * p.u_point + j * p.panels.panel * p.channels;
      float* m = p.m + point * p.m_point + j * p.panels.panel / kLanes * p.m_block;
      shares.next();
      target.next<true>();
      if (p.panels.width(j) == kLanes)
        product_panel<V, 1>(p, v, u, m);
      else if constexpr (kMaxBlocks<V> == 2)
        product_panel<V, 2>(p, v, u, m);
    }
  }
}

// kChannels channels against one panel, summed over all tiles in registers and then added: the long sum over
// a batch is a sum of short ones.
template <class V, int kChannels, int kBlocks>
void sums_tile(const WinogradSums& w, const float* v, const float* d, float* s) {
  V acc[kChannels][kBlocks];
  clear(acc);
  for (Index tile = 0; tile < w.tiles; ++tile, v += kLanes, d += kLanes)
    outer_step(
        acc, d, w.d_block, [&](int i) __attribute__((always_inline)) { return v[i]; });
  if (w.accumulate)
    add_to<V, 1, kChannels, kBlocks>(acc, s, 0);
  else
    store(
        acc, kLanes, [&](int i) __attribute__((always_inline)) { return s + i * kBlocks * kLanes; });
}

using SumsTile = void (*)(const WinogradSums&, const float*, const float*, float*);

template <class V, int kBlocks, int... kChannel>
constexpr Table<SumsTile, sizeof...(kChannel)> sums_tiles(std::integer_sequence<int, kChannel...>) {
  return {{sums_tile<V, kChannel + 1, kBlocks>...}};
}

template <class V, int kBlocks>
void sums_panel(const WinogradSums& w, const float* v, const float* d, float* s) {
  constexpr int kMost = kTile<V, kBlocks>;
  static constexpr auto kTiles = sums_tiles<V, kBlocks>(std::make_integer_sequence<int, kMost>{});
  for (Index block = 0; block < w.channels; block += kLanes, v += w.v_block) {
    const Index depth = smaller(kLanes, w.channels - block), parts = (depth + kMost - 1) / kMost;
    for (Index part = 0; part < parts; ++part) {
      const Index c = depth * part / parts, next = depth * (part + 1) / parts;
      kTiles.at[next - c - 1](w, v + c, d, s + c * kBlocks * kLanes);
    }
    s += depth * kBlocks * kLanes;
  }
}

template <class V>
void winograd_sums(const WinogradSums& w) {
  Shares shares_x(w.next_x, w.points), shares_dy(w.next_dy, w.points);
  for (Index point = 0; point < w.points; ++point) {
    shares_x.next();
    shares_dy.next();
    const float* v = w.v + point * w.v_point;
    for (Index j = 0; j < w.panels.count(); ++j) {
      const float* d = w.d + point * w.d_point + j * w.panels.panel / kLanes * w.d_block;
      float* s = w.s + point * w.s_point + j * w.panels.panel * w.channels;
      if (w.panels.width(j) == kLanes)
        sums_panel<V, 1>(w, v, d, s);
      else if constexpr (kMaxBlocks<V> == 2)
        sums_panel<V, 2>(w, v, d, s);
    }
  }
}

template <class P, class L>
constexpr WinogradTile make_tile() {
  return {P::kOutputs,
          P::kPoints,
          winograd_input<P, L>,
          winograd_output_grad<P, L>,
          winograd_output<P, L>,
          winograd_weights<P, L>,
          winograd_weight_grad<P, L>};
}

/// Of an instruction set with lanes V.
template <class V>
constexpr WinogradKernels make_winograd() {
  return {make_tile<TwoOutputs, Lanes<V>>(), make_tile<FourOutputs, Lanes<V>>(), winograd_product<Sixteen<V>>,
          winograd_sums<Sixteen<V>>};
}

}  // namespace
}  // namespace basin::cpu
