// Gather and scatter (kernels/index.cuh).
#include "cuda/backend.h"
#include "cuda/kernels/index.cuh"
#include "cuda/launch.h"
#include "cuda/map.h"

namespace basin::cuda {
namespace {

/// x's shape split at an axis, along which m entries choose; behind it in units of `width` numbers.
Indexed split_at(const Shape& s, int axis, Index m, Index width) {
  Indexed split{1, s[axis], 1, m, Divisor(), Divisor(m)};
  for (int i = 0; i < axis; ++i) split.before *= s[i];
  for (int i = axis + 1; i < s.rank(); ++i) split.after *= s[i];
  split.after /= width;
  split.by_after = Divisor(split.after);
  return split;
}

/// Numbers behind the axis.
Index behind(const Shape& s, int axis) {
  Index n = 1;
  for (int i = axis + 1; i < s.rank(); ++i) n *= s[i];
  return n;
}

Index last_extent(const Shape& s) { return s[s.rank() - 1]; }

}  // namespace

void CudaBackend::gather(const Tensor& x, const Tensor& index, int axis, Tensor& out) {
  if (out.elements() == 0) return;
  const auto move = [&](auto unit) {
    using T = decltype(unit);
    const Index width = static_cast<Index>(sizeof(T) / size_of(x.dtype()));
    launch(gather_kernel<T>, blocks_for(out.elements() / width), kThreads, stream(),
           IndexCheck{errors_.place(), IndexedOp::gather, x.shape()[axis]},
           split_at(x.shape(), axis, index.elements(), width), numbers<T>(x), numbers<std::int64_t>(index),
           numbers<T>(out));
  };
  using Wide = Pack<std::uint64_t, 2>;
  if (behind(x.shape(), axis) * static_cast<Index>(size_of(x.dtype())) % static_cast<Index>(sizeof(Wide)) ==
          0 &&
      aligned(x.raw(), out.raw()))
    move(Wide{});
  else
    dispatch_size(size_of(x.dtype()), move);
}

void CudaBackend::scatter_add(const Tensor& x, const Tensor& index, int axis, Tensor& out) {
  if (x.elements() == 0) return;
  const Index m = index.elements();
  Tensor next = Tensor::empty({m}, Dtype::i64, device()), first = Tensor::empty({m}, Dtype::i64, device());
  launch(chain_kernel<std::int64_t>, blocks_for(m), kThreads, stream(), numbers<std::int64_t>(index), m,
         numbers<std::int64_t>(next), numbers<std::int64_t>(first));
  dispatch_activations(x.dtype(), "scatter_add", [&](auto type) {
    using T = decltype(type);
    constexpr int w = pack_width<T>;
    const bool packs = behind(out.shape(), axis) % w == 0 && aligned(x.raw(), out.raw());
    launch(packs ? scatter_add_kernel<w, T> : scatter_add_kernel<1, T>,
           blocks_for(x.elements() / (packs ? w : 1)), kThreads, stream(),
           IndexCheck{errors_.place(), IndexedOp::scatter_add, out.shape()[axis]},
           split_at(out.shape(), axis, m, packs ? w : 1), numbers<T>(x), numbers<std::int64_t>(index),
           numbers<std::int64_t>(next), numbers<std::int64_t>(first), numbers<T>(out));
  });
}

void CudaBackend::gather_last(const Tensor& x, const Tensor& index, Tensor& out) {
  const Index n = out.elements();
  if (n == 0) return;
  dispatch_size(size_of(x.dtype()), [&](auto type) {
    using T = decltype(type);
    launch(gather_last_kernel<T>, blocks_for(n), kThreads, stream(),
           IndexCheck{errors_.place(), IndexedOp::gather_last, last_extent(x.shape())}, numbers<T>(x),
           numbers<std::int64_t>(index), Divisor(last_extent(index.shape())), numbers<T>(out), n);
  });
}

void CudaBackend::scatter_add_last(const Tensor& x, const Tensor& index, Tensor& out) {
  const Index n = x.elements(), m = last_extent(index.shape());
  if (n == 0) return;
  dispatch_activations(x.dtype(), "scatter_add_last", [&](auto type) {
    using T = decltype(type);
    launch(scatter_add_last_kernel<T>, blocks_for(n), kThreads, stream(),
           IndexCheck{errors_.place(), IndexedOp::scatter_add_last, last_extent(out.shape())}, numbers<T>(x),
           numbers<std::int64_t>(index), m, Divisor(m), numbers<T>(out), n);
  });
}

}  // namespace basin::cuda
