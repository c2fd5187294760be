// The transforms of Winograd's convolution: F(2,3) at the points 0, 1, -1, infinity and F(4,3) at 0, 1, -1,
// 2, -2, infinity, in one dimension, and their application to both dimensions of a tile. Included by
// kernels_*.cpp only; unnamed namespace: each of them must keep its own copy (see gemm_kernel.h).
#pragma once

#include <utility>

#include "core/cpu/simd/lanes.h"

namespace basin::cpu {
namespace {

// A pair of points: p and -p, or 0 and infinity. Their transforms share terms.
constexpr int first_point(int pair) { return pair == 0 ? 0 : 2 * pair - 1; }
constexpr int second_point(int pair, int points) { return pair == 0 ? points - 1 : 2 * pair; }

struct TwoOutputs {
  static constexpr int kOutputs = 2, kPoints = 4;

  // B^T
  template <int kPair, class L>
  [[gnu::always_inline]] static void input(const L (&d)[4], L& first, L& second) {
    if constexpr (kPair == 0) {
      first = d[0] - d[2];
      second = d[3] - d[1];
    } else {
      first = d[2] + d[1];
      second = d[2] - d[1];
    }
  }
  // A^T
  template <class L>
  [[gnu::always_inline]] static void output(const L (&m)[4], L (&y)[2]) {
    y[0] = m[0] + (m[1] + m[2]);
    y[1] = (m[1] - m[2]) + m[3];
  }
  // A
  template <class L>
  [[gnu::always_inline]] static void output_grad(const L (&d)[2], L (&v)[4]) {
    v[0] = d[0];
    v[1] = d[0] + d[1];
    v[2] = d[0] - d[1];
    v[3] = d[1];
  }
  // G
  template <class L>
  [[gnu::always_inline]] static void weights(const L (&w)[3], L (&u)[4]) {
    const L half(0.5f), even = half * (w[0] + w[2]), odd = half * w[1];
    u[0] = w[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = w[2];
  }
  // G^T
  template <class L>
  [[gnu::always_inline]] static void weight_grad(const L (&s)[4], L (&dw)[3]) {
    const L half(0.5f), even = half * (s[1] + s[2]);
    dw[0] = s[0] + even;
    dw[1] = half * (s[1] - s[2]);
    dw[2] = even + s[3];
  }
};

struct FourOutputs {
  static constexpr int kOutputs = 4, kPoints = 6;

  template <int kPair, class L>
  [[gnu::always_inline]] static void input(const L (&d)[6], L& first, L& second) {
    if constexpr (kPair == 0) {
      const L four(4), minus_five(-5);
      first = fma(four, d[0], fma(minus_five, d[2], d[4]));
      second = fma(four, d[1], fma(minus_five, d[3], d[5]));
    } else if constexpr (kPair == 1) {
      const L minus_four(-4), even = fma(minus_four, d[2], d[4]), odd = fma(minus_four, d[1], d[3]);
      first = even + odd;
      second = even - odd;
    } else {
      const L even = d[4] - d[2], odd = d[3] - d[1];
      first = fma(L(2), odd, even);
      second = fma(L(-2), odd, even);
    }
  }
  template <class L>
  [[gnu::always_inline]] static void output(const L (&m)[6], L (&y)[4]) {
    const L even1 = m[1] + m[2], odd1 = m[1] - m[2], even2 = m[3] + m[4], odd2 = m[3] - m[4];
    y[0] = (m[0] + even1) + even2;
    y[1] = fma(L(2), odd2, odd1);
    y[2] = fma(L(4), even2, even1);
    y[3] = fma(L(8), odd2, odd1 + m[5]);
  }
  template <class L>
  [[gnu::always_inline]] static void output_grad(const L (&d)[4], L (&v)[6]) {
    const L even1 = d[0] + d[2], odd1 = d[1] + d[3], even2 = fma(L(4), d[2], d[0]),
            odd2 = fma(L(4), d[3], d[1]);
    v[0] = d[0];
    v[1] = even1 + odd1;
    v[2] = even1 - odd1;
    v[3] = fma(L(2), odd2, even2);
    v[4] = fma(L(-2), odd2, even2);
    v[5] = d[3];
  }
  template <class L>
  [[gnu::always_inline]] static void weights(const L (&w)[3], L (&u)[6]) {
    const L sixth(1.0f / 6), even1 = sixth * (w[0] + w[2]), odd1 = sixth * w[1],
                             even2 = fma(L(1.0f / 24), w[0], sixth * w[2]), odd2 = L(1.0f / 12) * w[1];
    u[0] = L(0.25f) * w[0];
    u[1] = -(even1 + odd1);
    u[2] = odd1 - even1;
    u[3] = even2 + odd2;
    u[4] = even2 - odd2;
    u[5] = w[2];
  }
  template <class L>
  [[gnu::always_inline]] static void weight_grad(const L (&s)[6], L (&dw)[3]) {
    const L sixth(1.0f / 6), even1 = sixth * (s[1] + s[2]), odd1 = sixth * (s[1] - s[2]), even2 = s[3] + s[4];
    dw[0] = fma(L(0.25f), s[0], fma(L(1.0f / 24), even2, -even1));
    dw[1] = fma(L(1.0f / 12), s[3] - s[4], -odd1);
    dw[2] = fma(sixth, even2, s[5] - even1);
  }
};

// B^T x B of one tile: x(i, j) at x + i * x_row + j * kLanes, the result at v, `step` floats from one point
// to the next. Two columns of B at a time, so that what is underway fits the registers; x is read again for
// each.
template <class P, class L>
[[gnu::always_inline]] inline void transform_input(const float* x, Index x_row, float* v, Index step) {
  constexpr int n = P::kPoints;
  const auto down = [&]<int... kPair>(const L(&column)[n], float* out, std::integer_sequence<int, kPair...>)
      __attribute__((always_inline)) {
    const auto one = [&]<int kOne>(std::integral_constant<int, kOne>) __attribute__((always_inline)) {
      L first, second;
      P::template input<kOne>(column, first, second);
      first.store(out + first_point(kOne) * n * step);
      second.store(out + second_point(kOne, n) * n * step);
    };
    (one(std::integral_constant<int, kPair>{}), ...);
  };
  const auto across = [&]<int... kPair>(std::integer_sequence<int, kPair...> all)
      __attribute__((always_inline)) {
    const auto one = [&]<int kOne>(std::integral_constant<int, kOne>) __attribute__((always_inline)) {
      L first[n], second[n];
#pragma GCC unroll 6
      for (int i = 0; i < n; ++i) {
        L d[n];
#pragma GCC unroll 6
        for (int j = 0; j < n; ++j) d[j] = L::load(x + i * x_row + j * kLanes);
        P::template input<kOne>(d, first[i], second[i]);
      }
      down(first, v + first_point(kOne) * step, all);
      down(second, v + second_point(kOne, n) * step, all);
    };
    (one(std::integral_constant<int, kPair>{}), ...);
  };
  across(std::make_integer_sequence<int, n / 2>{});
}

// M z M^T, where `apply` multiplies a vector of kIn numbers by the kOut x kIn matrix M; load(i, j) gives z,
// store(i, j, number) takes the result.
template <class L, int kIn, int kOut, class Apply, class Load, class Store>
[[gnu::always_inline]] inline void transform(Apply apply, Load load, Store store) {
  L half[kOut][kIn];
#pragma GCC unroll 6
  for (int j = 0; j < kIn; ++j) {
    L column[kIn], result[kOut];
#pragma GCC unroll 6
    for (int i = 0; i < kIn; ++i) column[i] = load(i, j);
    apply(column, result);
#pragma GCC unroll 6
    for (int i = 0; i < kOut; ++i) half[i][j] = result[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < kOut; ++i) {
    L result[kOut];
    apply(half[i], result);
#pragma GCC unroll 6
    for (int j = 0; j < kOut; ++j) store(i, j, result[j]);
  }
}

}  // namespace
}  // namespace basin::cpu
