// Starts the kernels of kernels/elementwise.cuh over tensors of any layout.
#pragma once

#include "core/backend.h"
#include "cuda/dispatch.h"
#include "cuda/kernels/elementwise.cuh"
#include "cuda/kernels/walk_of.h"
#include "cuda/launch.h"

namespace basin::cuda {

/// Numbers that a walk along these axes passes.
template <std::size_t k>
Index walked(const std::vector<WalkAxis<k>>& axes) {
  Index n = 1;
  for (const WalkAxis<k>& a : axes) n *= a.extent;
  return n;
}

/// y = f(x...) along joined axes.
template <class F, class Y, class... X>
void map_along(cudaStream_t stream, F f, const std::vector<WalkAxis<1 + sizeof...(X)>>& axes, Y* y,
               const X*... x) {
  constexpr int width = pack_width<Y, X...>;
  void (*kernel)(F, Walk<1 + sizeof...(X)>, std::int64_t, Y*, const X*...) = map_kernel<F, Y, X...>;
  const Index n = walked(axes);
  if (n == 0) return;
  const auto walk = walk_of<1 + sizeof...(X)>(axes, {Walked{y, sizeof(Y)}, Walked{x, sizeof(X)}...}, width);
  launch(kernel, blocks_for(walk.packs ? n / width : n), kThreads, stream, f, walk, n, y, x...);
}

/// out = f(x...): tensors of Y and X..., broadcast to out's shape.
template <class Y, class... X, class F, class... In>
void map(cudaStream_t stream, F f, Tensor& out, const In&... x) {
  map_along(stream, f, broadcast_axes(out.shape(), x.shape()...), numbers<Y>(out), numbers<X>(x)...);
}

/// Copies numbers of `size` bytes along joined axes, whose first step is that of `to`.
inline void copy_along(cudaStream_t stream, const std::vector<WalkAxis<2>>& axes, std::size_t size,
                       const std::byte* from, std::byte* to) {
  dispatch_size(size, [&](auto type) {
    using T = decltype(type);
    map_along(stream, Same{}, axes, reinterpret_cast<T*>(to), reinterpret_cast<const T*>(from));
  });
}

}  // namespace basin::cuda
