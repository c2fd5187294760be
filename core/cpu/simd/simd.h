// Sixteen f32 lanes, one type per instruction set: the only place with intrinsics. Kernel templates take the
// type as their parameter; each isa_*.cpp and winograd_*.cpp compiles them for its own. Because every type
// has sixteen lanes, packed layouts and the order of every sum are the same for all of them.
#pragma once

#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace basin::cpu {

#if defined(__AVX2__)
/// out[j * out_stride + i] = in[i * in_stride + j] for a square of eight.
[[gnu::always_inline]] inline void transpose_eight(const float* in, long in_stride, float* out,
                                                   long out_stride) {
  __m256 row[8], pair[8], quad[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) row[i] = _mm256_loadu_ps(in + i * in_stride);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    pair[2 * i] = _mm256_unpacklo_ps(row[2 * i], row[2 * i + 1]);
    pair[2 * i + 1] = _mm256_unpackhi_ps(row[2 * i], row[2 * i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    quad[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
    quad[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xEE);
    quad[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
    quad[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xEE);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(out + i * out_stride, _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x20));
    _mm256_storeu_ps(out + (i + 4) * out_stride, _mm256_permute2f128_ps(quad[i], quad[i + 4], 0x31));
  }
}
#endif

#if defined(__AVX512F__)
/// One zmm register.
struct Avx512 {
  static constexpr int kRegisters = 32;  // of the CPU, in units of this type
  __m512 v;

  [[gnu::always_inline]] static Avx512 zero() { return {_mm512_setzero_ps()}; }
  [[gnu::always_inline]] static Avx512 load(const float* p) { return {_mm512_loadu_ps(p)}; }
  [[gnu::always_inline]] static Avx512 load(const float* p, int lanes) {
    return {_mm512_maskz_loadu_ps(mask(lanes), p)};
  }
  [[gnu::always_inline]] static Avx512 broadcast(float x) { return {_mm512_set1_ps(x)}; }
  [[gnu::always_inline]] void store(float* p) const { _mm512_storeu_ps(p, v); }
  [[gnu::always_inline]] void store(float* p, int lanes) const { _mm512_mask_storeu_ps(p, mask(lanes), v); }
  [[gnu::always_inline]] void add_product(Avx512 a, Avx512 b) { v = _mm512_fmadd_ps(a.v, b.v, v); }
  [[gnu::always_inline]] void add(Avx512 a) { v = _mm512_add_ps(v, a.v); }

  static constexpr long kSquare = 8;
  [[gnu::always_inline]] static void transpose(const float* in, long in_stride, float* out, long out_stride) {
    transpose_eight(in, in_stride, out, out_stride);
  }

 private:
  [[gnu::always_inline]] static __mmask16 mask(int lanes) {
    return static_cast<__mmask16>((1u << lanes) - 1u);
  }
};
#endif

#if defined(__AVX2__) && defined(__FMA__)
/// Two ymm registers.
struct Avx2 {
  static constexpr int kRegisters = 8;
  __m256 low, high;

  [[gnu::always_inline]] static Avx2 zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  [[gnu::always_inline]] static Avx2 load(const float* p) {
    return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
  }
  [[gnu::always_inline]] static Avx2 load(const float* p, int lanes) {
    return {_mm256_maskload_ps(p, mask(lanes)), _mm256_maskload_ps(p + 8, mask(lanes - 8))};
  }
  [[gnu::always_inline]] static Avx2 broadcast(float x) {
    const __m256 all = _mm256_set1_ps(x);
    return {all, all};
  }
  [[gnu::always_inline]] void store(float* p) const {
    _mm256_storeu_ps(p, low);
    _mm256_storeu_ps(p + 8, high);
  }
  [[gnu::always_inline]] void store(float* p, int lanes) const {
    _mm256_maskstore_ps(p, mask(lanes), low);
    _mm256_maskstore_ps(p + 8, mask(lanes - 8), high);
  }
  [[gnu::always_inline]] void add_product(Avx2 a, Avx2 b) {
    low = _mm256_fmadd_ps(a.low, b.low, low);
    high = _mm256_fmadd_ps(a.high, b.high, high);
  }
  [[gnu::always_inline]] void add(Avx2 a) {
    low = _mm256_add_ps(low, a.low);
    high = _mm256_add_ps(high, a.high);
  }

  static constexpr long kSquare = 8;
  [[gnu::always_inline]] static void transpose(const float* in, long in_stride, float* out, long out_stride) {
    transpose_eight(in, in_stride, out, out_stride);
  }

 private:
  [[gnu::always_inline]] static __m256i mask(int lanes) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};
#endif

/// Four vectors of the compiler's own (SSE2, NEON, or scalars).
struct Portable {
  static constexpr int kRegisters = 4;
  typedef float Four __attribute__((vector_size(16)));
  Four q[4];

  [[gnu::always_inline]] static Portable zero() { return broadcast(0.0f); }
  [[gnu::always_inline]] static Portable load(const float* p) {
    Portable x;
    std::memcpy(x.q, p, sizeof x.q);
    return x;
  }
  [[gnu::always_inline]] static Portable load(const float* p, int lanes) {
    Portable x = zero();
    std::memcpy(x.q, p, static_cast<unsigned>(lanes) * sizeof(float));
    return x;
  }
  [[gnu::always_inline]] static Portable broadcast(float x) {
    const Four all = {x, x, x, x};
    return {{all, all, all, all}};
  }
  [[gnu::always_inline]] void store(float* p) const { std::memcpy(p, q, sizeof q); }
  [[gnu::always_inline]] void store(float* p, int lanes) const {
    std::memcpy(p, q, static_cast<unsigned>(lanes) * sizeof(float));
  }
  [[gnu::always_inline]] void add_product(const Portable& a, const Portable& b) {
    for (int i = 0; i < 4; ++i) q[i] += a.q[i] * b.q[i];
  }
  [[gnu::always_inline]] void add(const Portable& a) {
    for (int i = 0; i < 4; ++i) q[i] += a.q[i];
  }
  static constexpr long kSquare = 4;
  [[gnu::always_inline]] static void transpose(const float* in, long in_stride, float* out, long out_stride) {
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j) out[j * out_stride + i] = in[i * in_stride + j];
  }
};

}  // namespace basin::cpu
