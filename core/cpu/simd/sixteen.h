// Sixteen<V>: sixteen f32 numbers in as many registers as the instruction set needs, for the register tiles
// of the matrix and convolution kernels. Because it is always sixteen, packed layouts and the order of every
// sum are the same for every instruction set.
#pragma once

#include "core/cpu/simd/lanes.h"

namespace basin::cpu {

/// Everything is inlined by force: a tile lives in registers only if no call stands between.
template <class V>
struct Sixteen {
  using F = typename V::F;
  static constexpr int kParts = 16 / V::width;
  static constexpr int kRegisters = V::registers / kParts;  // of the CPU, in units of this type
  F v[kParts];

  [[gnu::always_inline]] static Sixteen zero() { return broadcast(0.0f); }
  [[gnu::always_inline]] static Sixteen load(const float* p) {
    Sixteen x;
    for (int i = 0; i < kParts; ++i) x.v[i] = Lanes<V>::load(p + i * V::width).v;
    return x;
  }
  /// The first `lanes`, 0 to 16, and zeros behind them.
  [[gnu::always_inline]] static Sixteen load(const float* p, int lanes) {
    Sixteen x;
    for (int i = 0; i < kParts; ++i) x.v[i] = V::load(p + i * V::width, lanes - i * V::width, F{});
    return x;
  }
  [[gnu::always_inline]] static Sixteen broadcast(float number) {
    const F all = Lanes<V>(number).v;
    Sixteen x;
    for (int i = 0; i < kParts; ++i) x.v[i] = all;
    return x;
  }
  [[gnu::always_inline]] void store(float* p) const {
    for (int i = 0; i < kParts; ++i) Lanes<V>::of(v[i]).store(p + i * V::width);
  }
  [[gnu::always_inline]] void store(float* p, int lanes) const {
    for (int i = 0; i < kParts; ++i) V::store(p + i * V::width, lanes - i * V::width, v[i]);
  }
  [[gnu::always_inline]] void add_product(const Sixteen& a, const Sixteen& b) {
    for (int i = 0; i < kParts; ++i) v[i] = V::fma(a.v[i], b.v[i], v[i]);
  }
  [[gnu::always_inline]] void add(const Sixteen& a) {
    for (int i = 0; i < kParts; ++i) v[i] = v[i] + a.v[i];
  }
};

}  // namespace basin::cpu
