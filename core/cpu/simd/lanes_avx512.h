// Lanes of sixteen floats; included only where the compiler may use AVX-512 (F, BW, DQ, VL). The zero-masked
// functions with a full mask are the plain ones; g++ 12 takes those for a use of an uninitialized value.
#pragma once

#include <immintrin.h>

#include "core/cpu/simd/lanes.h"
#include "core/cpu/simd/transpose_avx2.h"

namespace basin::cpu {

struct F32x16 {
  using Number = float;
  static constexpr int width = 16;
  static constexpr int registers = 32;
  static constexpr bool fused = true;
  typedef float F __attribute__((vector_size(64)));
  typedef std::uint32_t U __attribute__((vector_size(64)));
  typedef double D __attribute__((vector_size(64)));

  static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static F sqrt(F a) { return _mm512_maskz_sqrt_ps(0xffff, a); }
  static D low(F a) { return to_doubles(__builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7)); }
  static D high(F a) { return to_doubles(__builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15)); }
  static F load(const float* p, int n, F rest) { return _mm512_mask_loadu_ps(rest, first(n), p); }
  static void store(float* p, int n, F a) { _mm512_mask_storeu_ps(p, first(n), a); }
  static constexpr Index square = 8;
  static void transpose(const float* in, Index in_stride, float* out, Index out_stride) {
    transpose_eight(in, in_stride, out, out_stride);
  }

 private:
  static __mmask16 first(int n) { return static_cast<__mmask16>((1u << n) - 1); }
  static D to_doubles(__m256 a) { return _mm512_maskz_cvtps_pd(0xff, a); }
};

}  // namespace basin::cpu
