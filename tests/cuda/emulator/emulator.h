// Runs CUDA kernel source as plain C++ on the CPU, for tests. One fiber per CUDA thread, one block at
// a time, adversarial scheduling between synchronisation points. Works with ASan/UBSan (out-of-bounds
// in global and shared memory, misaligned vector access) and TSan (data races inside a block and
// between blocks: every CUDA thread is a TSan "fiber", only barriers order them).
// Kernels include device.cuh, which includes this header when the compiler is not nvcc.
#pragma once
#ifdef __CUDACC__
#error "the emulator is for the host compiler"
#endif
#include <cuda_runtime_api.h>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
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

// Set by the engine whenever it switches to another CUDA thread (kernels run on one OS thread).
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

namespace emu {

struct Site {  // where in the kernel a synchronising call stands
  const char* file;
  int line;
  bool operator==(const Site&) const = default;
};
inline Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }
enum class WarpOp : std::uint8_t { sync, shfl, ballot, any, all };
enum class Schedule : std::uint8_t { forward, reverse, shuffled };

void* shared_get(const void* id, std::size_t bytes, std::size_t align);
void* shared_dynamic();
int block_sync(Site, int predicate, int mode);  // mode 0: none, 1: count, 2: and, 3: or
std::uint64_t warp_sync(WarpOp, unsigned mask, std::uint64_t value, int source_lane, Site);
void fence();  // from here on this thread's atomics carry the ordering of what it wrote before
bool atomics_ordered();
[[noreturn]] void device_fail(const std::string&);  // ends the grid with an error, like a trap

void set_schedule(Schedule, std::uint64_t seed);
// Runs a whole grid. Returns "" or the description of the first error found.
std::string run_grid(dim3 grid, dim3 block, std::size_t dynamic_shared, std::size_t dynamic_limit,
                     const std::function<void()>& body);

template <class T>
std::uint64_t to_bits(T v) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
  std::uint64_t b = 0;
  std::memcpy(&b, &v, sizeof v);
  return b;
}
template <class T>
T from_bits(std::uint64_t b) {
  T v;
  std::memcpy(&v, &b, sizeof v);
  return v;
}
template <class T>
T shuffle(unsigned mask, T v, int source_lane, Site s) {
  return from_bits<T>(warp_sync(WarpOp::shfl, mask, to_bits(v), source_lane, s));
}
inline int lane() {
  return static_cast<int>((threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32U);
}
// The memory order must be a constant: GCC instruments no atomic access whose order is known only at run
// time.
template <class T>
bool cas(T* p, T& expected, T desired) {
  std::atomic_ref<T> a(*p);
  return atomics_ordered() ? a.compare_exchange_strong(expected, desired, std::memory_order_acq_rel,
                                                       std::memory_order_relaxed)
                           : a.compare_exchange_strong(expected, desired, std::memory_order_relaxed,
                                                       std::memory_order_relaxed);
}
template <class T, class F>
T fetch(T* p, F next) {
  T old = std::atomic_ref<T>(*p).load(std::memory_order_relaxed);
  while (!cas(p, old, static_cast<T>(next(old)))) {
  }
  return old;
}

}  // namespace emu

inline constexpr int warpSize = 32;

inline void __syncthreads(emu::Site at = emu::here()) { emu::block_sync(at, 0, 0); }
inline int __syncthreads_count(int p, emu::Site at = emu::here()) { return emu::block_sync(at, p, 1); }
inline int __syncthreads_and(int p, emu::Site at = emu::here()) { return emu::block_sync(at, p, 2); }
inline int __syncthreads_or(int p, emu::Site at = emu::here()) { return emu::block_sync(at, p, 3); }
inline void __syncwarp(unsigned m = 0xffffffffU, emu::Site at = emu::here()) {
  emu::warp_sync(emu::WarpOp::sync, m, 0, 0, at);
}
template <class T>
T __shfl_sync(unsigned m, T v, int src, int w = 32, emu::Site at = emu::here()) {
  return emu::shuffle(m, v, (emu::lane() & ~(w - 1)) | (src & (w - 1)), at);
}
template <class T>
T __shfl_xor_sync(unsigned m, T v, int x, int w = 32, emu::Site at = emu::here()) {
  int s = emu::lane() ^ x;
  return emu::shuffle(m, v, s / w == emu::lane() / w ? s : emu::lane(), at);
}
template <class T>
T __shfl_down_sync(unsigned m, T v, unsigned d, int w = 32, emu::Site at = emu::here()) {
  int s = emu::lane() + static_cast<int>(d);
  return emu::shuffle(m, v, s / w == emu::lane() / w ? s : emu::lane(), at);
}
template <class T>
T __shfl_up_sync(unsigned m, T v, unsigned d, int w = 32, emu::Site at = emu::here()) {
  int s = emu::lane() - static_cast<int>(d);
  return emu::shuffle(m, v, s >= (emu::lane() & ~(w - 1)) ? s : emu::lane(), at);
}
inline unsigned __ballot_sync(unsigned m, int p, emu::Site at = emu::here()) {
  return static_cast<unsigned>(emu::warp_sync(emu::WarpOp::ballot, m, p != 0, 0, at));
}
inline int __any_sync(unsigned m, int p, emu::Site at = emu::here()) {
  return static_cast<int>(emu::warp_sync(emu::WarpOp::any, m, p != 0, 0, at));
}
inline int __all_sync(unsigned m, int p, emu::Site at = emu::here()) {
  return static_cast<int>(emu::warp_sync(emu::WarpOp::all, m, p != 0, 0, at));
}

template <class T>
T atomicAdd(T* p, std::type_identity_t<T> v) {
  return emu::fetch(p, [v](T a) { return a + v; });
}
template <class T>
T atomicMax(T* p, std::type_identity_t<T> v) {
  return emu::fetch(p, [v](T a) { return a > v ? a : v; });
}
template <class T>
T atomicMin(T* p, std::type_identity_t<T> v) {
  return emu::fetch(p, [v](T a) { return a < v ? a : v; });
}
template <class T>
T atomicExch(T* p, std::type_identity_t<T> v) {
  return emu::fetch(p, [v](T) { return v; });
}
inline unsigned atomicInc(unsigned* p, unsigned top) {
  return emu::fetch(p, [top](unsigned a) { return a >= top ? 0U : a + 1U; });
}
template <class T>
T atomicCAS(T* p, std::type_identity_t<T> compare, std::type_identity_t<T> v) {
  emu::cas(p, compare, v);
  return compare;
}
// Memory model: a fence orders what came before it for those who see a later atomic of this thread.
inline void __threadfence() { emu::fence(); }
template <class T>
T __ldg(const T* p) {
  return *p;
}
inline float rsqrtf(float x) { return 1.0F / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline void __trap() { emu::device_fail("__trap()"); }

namespace basin::cuda {

template <class Tag, class T, int n>
inline const char shared_array_id{};

/// See cuda/kernels/device.cuh.
template <class Tag, class T, int n>
T* shared_array() {
  static_assert(std::is_trivially_copyable_v<T>);
  return static_cast<T*>(emu::shared_get(&shared_array_id<Tag, T, n>, sizeof(T) * n, alignof(T)));
}

}  // namespace basin::cuda
