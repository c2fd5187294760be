// Lanes of eight floats; included only where the compiler may use AVX2 and FMA.
#pragma once

#include <immintrin.h>

#include "core/cpu/simd/lanes.h"
#include "core/cpu/simd/transpose_avx2.h"

namespace basin::cpu {

struct F32x8 {
  using Number = float;
  static constexpr int width = 8;
  static constexpr int registers = 16;
  static constexpr bool fused = true;
  typedef float F __attribute__((vector_size(32)));
  typedef std::uint32_t U __attribute__((vector_size(32)));
  typedef double D __attribute__((vector_size(32)));

  static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static F sqrt(F a) { return _mm256_sqrt_ps(a); }
  static D low(F a) { return _mm256_cvtps_pd(_mm256_castps256_ps128(a)); }
  static D high(F a) { return _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)); }
  static F load(const float* p, int n, F rest) {
    return _mm256_blendv_ps(rest, _mm256_maskload_ps(p, first(n)), _mm256_castsi256_ps(first(n)));
  }
  static void store(float* p, int n, F a) { _mm256_maskstore_ps(p, first(n), a); }
  static constexpr Index square = 8;
  static void transpose(const float* in, Index in_stride, float* out, Index out_stride) {
    transpose_eight(in, in_stride, out, out_stride);
  }

 private:
  static __m256i first(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

}  // namespace basin::cpu
