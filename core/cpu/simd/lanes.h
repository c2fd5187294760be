// Lanes<V>: V::width numbers that compute like one, so that a formula (core/functors), a loop or a kernel is
// written once for every instruction set. V names the compiler's vector types and the few operations that
// operators cannot express; F32x8 (lanes_avx2.h) and F32x16 (lanes_avx512.h) say theirs in intrinsics, which
// are nowhere else. Sixteen<V> (sixteen.h) is made of them. A V is used only in the file that is compiled for
// its instruction set, kernels_*.cpp, so that no template compiled for a newer CPU reaches an older one.
#pragma once

#include <cstdint>

#include "core/shape.h"

namespace basin::cpu {

/// Four floats in the vectors that every compiler has (SSE2, NEON, ...); fma rounds twice.
struct F32x4 {
  using Number = float;
  static constexpr int width = 4;
  static constexpr int registers = 16;  // of the CPU
  static constexpr bool fused = false;  // fma rounds once
  typedef float F __attribute__((vector_size(16)));
  typedef std::uint32_t U __attribute__((vector_size(16)));
  typedef double D __attribute__((vector_size(16)));  // half as many doubles

  static F fma(F a, F b, F c) { return a * b + c; }
  static F sqrt(F a) {
    return F{__builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]), __builtin_sqrtf(a[3])};
  }
  static D low(F a) { return D{a[0], a[1]}; }
  static D high(F a) { return D{a[2], a[3]}; }
  /// The first n numbers; an n below 0 is 0, one above width is width.
  static F load(const float* p, int n, F rest) {
    for (int i = 0; i < n && i < width; ++i) rest[i] = p[i];
    return rest;
  }
  static void store(float* p, int n, F a) {
    for (int i = 0; i < n && i < width; ++i) p[i] = a[i];
  }
  /// out[j * out_stride + i] = in[i * in_stride + j] for i and j in [0, square).
  static constexpr Index square = 4;
  static void transpose(const float* in, Index in_stride, float* out, Index out_stride) {
    for (Index i = 0; i < square; ++i)
      for (Index j = 0; j < square; ++j) out[j * out_stride + i] = in[i * in_stride + j];
  }
};

/// One double: the plain path of f64.
struct F64x1 {
  using Number = double;
  static constexpr int width = 1;
  static constexpr bool fused = false;
  using F = double;
  using D = double;
  static F fma(F a, F b, F c) { return a * b + c; }
  static F sqrt(F a) { return __builtin_sqrt(a); }
  static D low(F a) { return a; }
  static D high(F) { return 0; }  // there is no upper half
};

/// width numbers. Comparisons give a Mask for select(); loads and stores need no alignment.
template <class V_>
struct Lanes {
  using V = V_;
  using Number = typename V::Number;
  using F = typename V::F;
  static constexpr int width = V::width;

  F v;

  Lanes() = default;
  explicit Lanes(Number x) : v(x - F{}) {}  // x in every lane; -0 stays -0
  static Lanes of(F v) {
    Lanes r;
    r.v = v;
    return r;
  }

  static Lanes load(const Number* p) {
    Lanes r;
    __builtin_memcpy(&r.v, p, sizeof(F));
    return r;
  }
  /// The first n lanes from p, `rest` in those behind them; 0 <= n <= width.
  static Lanes load(const Number* p, Index n, Number rest = 0) {
    if constexpr (V::width == 1)
      return n == 1 ? Lanes(*p) : Lanes(rest);
    else
      return of(V::load(p, static_cast<int>(n), Lanes(rest).v));
  }
  void store(Number* p) const { __builtin_memcpy(p, &v, sizeof(F)); }
  void store(Number* p, Index n) const {
    if constexpr (V::width == 1) {
      if (n == 1) *p = v;
    } else {
      V::store(p, static_cast<int>(n), v);
    }
  }

  struct Mask {
    decltype(F{} < F{}) m;
  };

  friend Lanes operator-(Lanes a) { return of(-a.v); }
  friend Lanes operator+(Lanes a, Lanes b) { return of(a.v + b.v); }
  friend Lanes operator-(Lanes a, Lanes b) { return of(a.v - b.v); }
  friend Lanes operator*(Lanes a, Lanes b) { return of(a.v * b.v); }
  friend Lanes operator/(Lanes a, Lanes b) { return of(a.v / b.v); }
  friend Mask operator<(Lanes a, Lanes b) { return {a.v < b.v}; }
  friend Mask operator<=(Lanes a, Lanes b) { return {a.v <= b.v}; }
  friend Mask operator>(Lanes a, Lanes b) { return {a.v > b.v}; }
  friend Mask operator>=(Lanes a, Lanes b) { return {a.v >= b.v}; }
  friend Mask operator==(Lanes a, Lanes b) { return {a.v == b.v}; }
  friend Lanes select(Mask m, Lanes a, Lanes b) { return of(m.m ? a.v : b.v); }
  friend Lanes fma(Lanes a, Lanes b, Lanes c) { return of(V::fma(a.v, b.v, c.v)); }  // a b + c
  friend Lanes sqrt(Lanes a) { return of(V::sqrt(a.v)); }
};

/// Lanes of doubles, for sums over many numbers: as many as Lanes<V> has, in two halves.
template <class V>
struct Wide {
  using D = typename V::D;
  D low{}, high{};

  void add(Lanes<V> x) {
    low += V::low(x.v);
    high += V::high(x.v);
  }
  /// Adds x y, the product rounded to f64 only.
  void add_product(Lanes<V> x, Lanes<V> y) {
    low += V::low(x.v) * V::low(y.v);
    high += V::high(x.v) * V::high(y.v);
  }
  /// Adds w x.
  void add_scaled(Lanes<V> x, double w) {
    low += V::low(x.v) * w;
    high += V::high(x.v) * w;
  }
  void add(const Wide& x) {
    low += x.low;
    high += x.high;
  }
  void store(double* p) const {
    __builtin_memcpy(p, &low, sizeof(D));
    if constexpr (V::width > 1) __builtin_memcpy(p + V::width / 2, &high, sizeof(D));
  }
  static Wide load(const double* p) {
    Wide w;
    __builtin_memcpy(&w.low, p, sizeof(D));
    if constexpr (V::width > 1) __builtin_memcpy(&w.high, p + V::width / 2, sizeof(D));
    return w;
  }
  /// The sum of all lanes: halves are added until one lane is left.
  double total() const {
    constexpr int half = V::width > 1 ? V::width / 2 : 1;
    double lane[half];
    const D sum = low + high;
    __builtin_memcpy(lane, &sum, sizeof(D));
    for (int n = half / 2; n > 0; n /= 2)
      for (int i = 0; i < n; ++i) lane[i] += lane[i + n];
    return lane[0];
  }
};

}  // namespace basin::cpu
