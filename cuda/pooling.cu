// Max and average pooling (kernels/pooling.cuh).
#include "cuda/backend.h"
#include "cuda/dispatch.h"
#include "cuda/kernels/pooling.cuh"
#include "cuda/launch.h"

namespace basin::cuda {
namespace {

/// Calls body(T{}, group) for the channels of a pooling.
template <class Body>
void dispatch_pooling(const char* op, Dtype dtype, const ConvGeometry& g, Body body) {
  dispatch_activations(dtype, op, [&](auto type) {
    dispatch_group<decltype(type)>(g.in_c, [&](auto group) { body(type, group); });
  });
}

}  // namespace

void CudaBackend::max_pool(const ConvGeometry& g, const Tensor& x, Tensor& y, Tensor& index) {
  dispatch_pooling("max_pool", x.dtype(), g, [&](auto type, auto group) {
    using T = decltype(type);
    const T* from = numbers<T>(x);
    T* to = numbers<T>(y);
    auto* places = numbers<std::int64_t>(index);
    launch(max_pool_kernel<T, group>, blocks_for(y.elements() / group), kThreads, stream(), g, from,
           aligned(from, to, places), to, places);
  });
}

void CudaBackend::pool_scatter(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) {
  dispatch_pooling("pool_scatter", x.dtype(), g, [&](auto type, auto group) {
    using T = decltype(type);
    const T* from = numbers<T>(x);
    const auto* places = numbers<std::int64_t>(index);
    T* to = numbers<T>(out);
    launch(pool_scatter_kernel<T, group>, blocks_for(out.elements() / group), kThreads, stream(), g, from,
           places, aligned(from, places, to), to);
  });
}

void CudaBackend::pool_gather(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) {
  dispatch_activations(x.dtype(), "pool_gather", [&](auto type) {
    using T = decltype(type);
    launch(pool_gather_kernel<T>, blocks_for(out.elements()), kThreads, stream(), g, numbers<T>(x),
           numbers<std::int64_t>(index), numbers<T>(out));
  });
}

void CudaBackend::avg_pool(const ConvGeometry& g, const Tensor& x, bool count_pad, Tensor& y) {
  dispatch_pooling("avg_pool", x.dtype(), g, [&](auto type, auto group) {
    using T = decltype(type);
    const T* from = numbers<T>(x);
    T* to = numbers<T>(y);
    launch(avg_pool_kernel<T, group>, blocks_for(y.elements() / group), kThreads, stream(), g, from,
           count_pad, aligned(from, to), to);
  });
}

void CudaBackend::avg_pool_grad(const ConvGeometry& g, const Tensor& dy, bool count_pad, Tensor& dx) {
  dispatch_pooling("avg_pool_grad", dy.dtype(), g, [&](auto type, auto group) {
    using T = decltype(type);
    const T* from = numbers<T>(dy);
    T* to = numbers<T>(dx);
    launch(avg_pool_grad_kernel<T, group>, blocks_for(dx.elements() / group), kThreads, stream(), g, from,
           count_pad, aligned(from, to), to);
  });
}

}  // namespace basin::cuda
