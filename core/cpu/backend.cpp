// CpuBackend: the one that there is, memory, and matrix products.
#include "core/cpu/backend.h"

#include <algorithm>
#include <cstring>

#include "core/cpu/conv/gemm.h"
#include "core/cpu/memory/arena.h"
#include "core/parallel.h"

namespace basin {

Backend& cpu_backend() {
  static cpu::CpuBackend& instance = *new cpu::CpuBackend;
  return instance;
}

}  // namespace basin

namespace basin::cpu {

std::byte* CpuBackend::allocate(std::size_t bytes) { return take_memory(bytes); }
void CpuBackend::release(std::byte* data, std::size_t bytes) { give_memory(data, bytes); }

void CpuBackend::copy_bytes(std::byte* to, const std::byte* from, std::size_t bytes) {
  constexpr std::size_t block = std::size_t{1} << 18;
  const std::size_t blocks = (bytes + block - 1) / block;
  parallel_for(static_cast<std::int64_t>(blocks), [&](std::int64_t i, int) {
    const std::size_t begin = static_cast<std::size_t>(i) * block;
    std::memcpy(to + begin, from + begin, std::min(block, bytes - begin));
  });
}

void CpuBackend::matmul(const Matmul& g, const Tensor& a, const Tensor& b, Tensor& out) {
  dispatch_floating(out.dtype(), "matmul", [&]<class T>(T) {
    const T* pa = a.data<T>();
    const T* pb = b.data<T>();
    T* po = out.mutable_data<T>();
    const Index lda = g.transpose_a ? g.m : g.k, ldb = g.transpose_b ? g.k : g.n;
    for (Index i = 0; i < g.batch; ++i)
      gemm(g.transpose_a, g.transpose_b, g.m, g.n, g.k, pa + i * g.stride_a, lda, pb + i * g.stride_b, ldb,
           po + i * g.stride_out, g.n);
  });
}

}  // namespace basin::cpu
