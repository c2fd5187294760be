// Neighbouring numbers that are read and written at once.
#pragma once

#include <algorithm>

#include "cuda/kernels/device.cuh"

namespace basin::cuda {

/// Bytes of the widest read: a thread that asks for as many gets them by one instruction.
inline constexpr std::size_t kPackBytes = 16;

/// The next n numbers of a tensor. Its address is a multiple of its size, or of 16 bytes if it is longer.
template <class T, int n>
struct alignas(sizeof(T) * n < kPackBytes ? sizeof(T) * n : kPackBytes) Pack {
  T number[n];
};

/// Numbers of a pack for kernels that read or write all of these types: the smallest fill 16 bytes.
template <class... T>
inline constexpr int pack_width = static_cast<int>(kPackBytes / std::min({sizeof(T)...}));

template <int n, class T>
__device__ __forceinline__ Pack<T, n> load_pack(const T* p) {
  return *reinterpret_cast<const Pack<T, n>*>(p);
}
template <class T, int n>
__device__ __forceinline__ void store_pack(T* p, const Pack<T, n>& pack) {
  *reinterpret_cast<Pack<T, n>*>(p) = pack;
}
/// n times the same number.
template <int n, class T>
__device__ __forceinline__ Pack<T, n> spread(T number) {
  Pack<T, n> pack;
  for (int j = 0; j < n; ++j) pack.number[j] = number;
  return pack;
}

/// Whether packs may begin at all of these addresses; null, which is not read, does no harm.
template <class... P>
__host__ __device__ bool aligned(const P*... p) {
  return ((reinterpret_cast<std::uintptr_t>(p) | ...) & (kPackBytes - 1)) == 0;
}

}  // namespace basin::cuda
