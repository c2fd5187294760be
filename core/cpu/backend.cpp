// CpuBackend: memory, and the calls that go straight on to the kernels of kernels.h.
#include "core/cpu/backend.h"

#include <algorithm>
#include <cstring>

#include "core/cpu/conv/kernels.h"
#include "core/cpu/memory/arena.h"
#include "core/parallel.h"

namespace basin::cpu {

CpuBackend& cpu_backend() {
  static CpuBackend& instance = *new CpuBackend;
  return instance;
}

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

void CpuBackend::conv2d(const ConvGeometry& g, const Tensor& x, const Tensor& w, Tensor& y) {
  dispatch_floating(y.dtype(), "conv2d",
                    [&]<class T>(T) { cpu::conv2d(g, x.data<T>(), w.data<T>(), y.mutable_data<T>()); });
}

void CpuBackend::conv2d_input_grad(const ConvGeometry& g, const Tensor& dy, const Tensor& w, Tensor& dx) {
  dispatch_floating(dx.dtype(), "conv2d_input_grad", [&]<class T>(T) {
    cpu::conv2d_input_grad(g, dy.data<T>(), w.data<T>(), dx.mutable_data<T>());
  });
}

void CpuBackend::conv2d_weight_grad(const ConvGeometry& g, const Tensor& x, const Tensor& dy, Tensor& dw) {
  dispatch_floating(dw.dtype(), "conv2d_weight_grad", [&]<class T>(T) {
    cpu::conv2d_weight_grad(g, x.data<T>(), dy.data<T>(), dw.mutable_data<T>());
  });
}

void CpuBackend::conv2d_gradients(const ConvGeometry& g, const Tensor& x, const Tensor& w, const Tensor& dy,
                                  Tensor& dx, Tensor& dw) {
  if (dx.dtype() != Dtype::f32) return Backend::conv2d_gradients(g, x, w, dy, dx, dw);
  cpu::conv2d_gradients(g, x.data<float>(), {}, w.data<float>(), dy.data<float>(), dx.mutable_data<float>(),
                        dw.mutable_data<float>());
}

}  // namespace basin::cpu
