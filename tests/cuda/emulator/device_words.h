// CUDA's words for the host compiler: what cuda/kernels/*.cuh say, in terms of the emulator. Included by
// device.cuh where the compiler is not nvcc. Words that are not here are not in the portable subset of this
// project.
#pragma once

#include <emulator.h>
#include <vector_functions.h>

#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

#undef __global__
#undef __device__
#undef __host__
#undef __constant__
#undef __forceinline__
#undef __launch_bounds__
#undef __shared__
#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ use_shared_array_instead  // the emulator must see shared arrays

inline constexpr int warpSize = 32;

namespace emu {

template <class T>
std::uint64_t to_bits(T v) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &v, sizeof v);
  return bits;
}
template <class T>
T from_bits(std::uint64_t bits) {
  T v;
  std::memcpy(&v, &bits, sizeof v);
  return v;
}
template <class T>
T shuffle(unsigned mask, T v, int source, Site at) {
  return from_bits<T>(warp_wait(WarpOp::shuffle, mask, to_bits(v), source, at));
}
inline int lane() {
  return static_cast<int>((threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32U);
}

// The memory order must be a constant: GCC instruments no atomic access whose order is known only when it
// runs.
template <class T>
bool compare_exchange(T* p, T& expected, T desired) {
  std::atomic_ref<T> a(*p);
  return atomics_ordered() ? a.compare_exchange_strong(expected, desired, std::memory_order_acq_rel,
                                                       std::memory_order_relaxed)
                           : a.compare_exchange_strong(expected, desired, std::memory_order_relaxed,
                                                       std::memory_order_relaxed);
}
template <class T, class F>
T exchange(T* p, F next) {
  T old = std::atomic_ref<T>(*p).load(std::memory_order_relaxed);
  while (!compare_exchange(p, old, static_cast<T>(next(old)))) {
  }
  return old;
}

}  // namespace emu

inline void __syncthreads(emu::Site at = emu::here()) { emu::block_wait(at, false, emu::Vote::none); }
inline int __syncthreads_count(int p, emu::Site at = emu::here()) {
  return emu::block_wait(at, p != 0, emu::Vote::count);
}
inline int __syncthreads_and(int p, emu::Site at = emu::here()) {
  return emu::block_wait(at, p != 0, emu::Vote::all);
}
inline int __syncthreads_or(int p, emu::Site at = emu::here()) {
  return emu::block_wait(at, p != 0, emu::Vote::any);
}

inline void __syncwarp(unsigned mask = 0xffffffffU, emu::Site at = emu::here()) {
  emu::warp_wait(emu::WarpOp::sync, mask, 0, 0, at);
}
template <class T>
T __shfl_sync(unsigned mask, T v, int source, int width = 32, emu::Site at = emu::here()) {
  return emu::shuffle(mask, v, (emu::lane() & ~(width - 1)) | (source & (width - 1)), at);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T v, int bits, int width = 32, emu::Site at = emu::here()) {
  const int source = emu::lane() ^ bits;
  return emu::shuffle(mask, v, source / width == emu::lane() / width ? source : emu::lane(), at);
}
template <class T>
T __shfl_down_sync(unsigned mask, T v, unsigned by, int width = 32, emu::Site at = emu::here()) {
  const int source = emu::lane() + static_cast<int>(by);
  return emu::shuffle(mask, v, source / width == emu::lane() / width ? source : emu::lane(), at);
}
template <class T>
T __shfl_up_sync(unsigned mask, T v, unsigned by, int width = 32, emu::Site at = emu::here()) {
  const int source = emu::lane() - static_cast<int>(by);
  return emu::shuffle(mask, v, source >= (emu::lane() & ~(width - 1)) ? source : emu::lane(), at);
}
inline unsigned __ballot_sync(unsigned mask, int p, emu::Site at = emu::here()) {
  return static_cast<unsigned>(emu::warp_wait(emu::WarpOp::ballot, mask, p != 0, 0, at));
}
inline int __any_sync(unsigned mask, int p, emu::Site at = emu::here()) {
  return static_cast<int>(emu::warp_wait(emu::WarpOp::any, mask, p != 0, 0, at));
}
inline int __all_sync(unsigned mask, int p, emu::Site at = emu::here()) {
  return static_cast<int>(emu::warp_wait(emu::WarpOp::all, mask, p != 0, 0, at));
}

// A sum of floats by atomics would depend on the order of threads: whole numbers alone.
template <class T>
T atomicAdd(T* p, std::type_identity_t<T> v) {
  static_assert(std::is_integral_v<T>, "no atomicAdd of float: sums have a fixed order");
  return emu::exchange(p, [v](T a) { return a + v; });
}
template <class T>
T atomicMax(T* p, std::type_identity_t<T> v) {
  return emu::exchange(p, [v](T a) { return a > v ? a : v; });
}
template <class T>
T atomicMin(T* p, std::type_identity_t<T> v) {
  return emu::exchange(p, [v](T a) { return a < v ? a : v; });
}
template <class T>
T atomicOr(T* p, std::type_identity_t<T> v) {
  return emu::exchange(p, [v](T a) { return a | v; });
}
template <class T>
T atomicAnd(T* p, std::type_identity_t<T> v) {
  return emu::exchange(p, [v](T a) { return a & v; });
}
template <class T>
T atomicExch(T* p, std::type_identity_t<T> v) {
  return emu::exchange(p, [v](T) { return v; });
}
template <class T>
T atomicCAS(T* p, std::type_identity_t<T> compare, std::type_identity_t<T> v) {
  emu::compare_exchange(p, compare, v);
  return compare;
}
inline unsigned atomicInc(unsigned* p, unsigned top) {
  return emu::exchange(p, [top](unsigned a) { return a >= top ? 0U : a + 1U; });
}

inline void __threadfence() { emu::fence(); }
inline void __trap() { emu::fail_thread("__trap()"); }

// Loads and stores with hints for the cache.
template <class T>
T __ldg(const T* p) {
  return *p;
}
template <class T>
T __ldcs(const T* p) {
  return *p;
}
template <class T>
void __stcs(T* p, std::type_identity_t<T> v) {
  *p = v;
}

// Numbers.
inline float rsqrtf(float x) { return 1.0F / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return std::countl_zero(static_cast<unsigned long long>(x)); }
inline int __ffs(int x) { return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1; }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<std::uint64_t>(a) * b) >> 32);
}

namespace basin::cuda {

template <class Tag, class T, int n>
inline const char shared_array_id{};

/// See cuda/kernels/device.cuh.
template <class Tag, class T, int n>
T* shared_array() {
  static_assert(std::is_trivially_copyable_v<T>);
  return static_cast<T*>(emu::shared_array(&shared_array_id<Tag, T, n>, sizeof(T) * n, alignof(T)));
}

}  // namespace basin::cuda
