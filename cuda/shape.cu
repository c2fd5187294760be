// Permutations, blocks and parts: copies between two layouts; and those that a number decides about.
#include <algorithm>
#include <optional>

#include "cuda/backend.h"
#include "cuda/kernels/concatenate.cuh"
#include "cuda/kernels/transpose.cuh"
#include "cuda/map.h"

namespace basin::cuda {
namespace {

using CopyAxes = std::vector<WalkAxis<2>>;  // steps in (out, in)

/// Below this extent a tile would be mostly empty: single numbers are copied then.
constexpr Index kNarrow = 8;

/// Takes the axes of a transpose out of `axes`: the output's innermost, and the input's, where that is
/// another and both are wide. The others are its batch.
std::optional<Transpose> transpose_in(const CopyAxes& axes, CopyAxes& batch) {
  const WalkAxis<2>& inner = axes.back();
  if (inner.step[0] != 1 || inner.step[1] == 1 || inner.extent < kNarrow) return {};
  std::size_t other = 0;
  while (axes[other].step[1] != 1)
    if (++other == axes.size()) return {};
  if (axes[other].extent < kNarrow) return {};
  for (std::size_t i = 0; i + 1 < axes.size(); ++i)
    if (i != other) batch.push_back(axes[i]);
  batch = joined(batch);
  return Transpose(inner.extent, axes[other].extent, inner.step[1], axes[other].step[0]);
}

void copy(cudaStream_t stream, const CopyAxes& axes, std::size_t size, const std::byte* from, std::byte* to) {
  if (walked(axes) == 0) return;
  CopyAxes batch;
  std::optional<Transpose> t = transpose_in(axes, batch);
  if (!t) {
    copy_along(stream, axes, size, from, to);
    return;
  }
  t->tile_count *= walked(batch);
  t->walk = walk_of<2>(batch, {Walked{to, size}, Walked{from, size}}, 1);
  dispatch_size(size, [&](auto type) {
    using T = decltype(type);
    launch(transpose_kernel<T, T>, blocks_for(t->tile_count * kThreads), kThreads, stream, *t,
           reinterpret_cast<const T*>(from), reinterpret_cast<T*>(to));
  });
}

}  // namespace

void CudaBackend::permute(const Tensor& x, const Axes& perm, Tensor& out) {
  const auto in = contiguous_strides(x.shape()), to = contiguous_strides(out.shape());
  CopyAxes axes;
  for (int i = 0; i < out.rank(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    axes.push_back({out.shape()[i], {to[k], in[static_cast<std::size_t>(perm[k])]}});
  }
  copy(stream(), joined(axes), size_of(x.dtype()), x.raw(), out.mutable_raw());
}

void CudaBackend::copy_block(const Tensor& x, const Shape& from, Tensor& out, const Shape& to,
                             const Shape& extent) {
  const auto in = contiguous_strides(x.shape()), put = contiguous_strides(out.shape());
  CopyAxes axes;
  Index begin_in = 0, begin_out = 0;
  for (int i = 0; i < extent.rank(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    axes.push_back({extent[i], {put[k], in[k]}});
    begin_in += from[i] * in[k];
    begin_out += to[i] * put[k];
  }
  const std::size_t size = size_of(x.dtype());
  copy(stream(), joined(axes), size, x.raw() + begin_in * static_cast<Index>(size),
       out.mutable_raw() + begin_out * static_cast<Index>(size));
}

bool CudaBackend::concatenate(const Tensors& parts, Tensor& out) {
  dispatch_size(size_of(out.dtype()), [&](auto type) {
    using T = decltype(type);
    T* to = numbers<T>(out);
    Parts<T> some{};
    std::int64_t n = 0;
    const auto send = [&] {
      if (n > 0) launch(concatenate_kernel<T>, blocks_for(n), kThreads, stream(), some, n, to);
      to += n;
      n = some.count = 0;
    };
    for (const Tensor& part : parts) {
      if (part.elements() == 0) continue;
      n += part.elements();
      some.from[some.count] = numbers<T>(part);
      some.end[some.count] = n;
      if (++some.count == Parts<T>::kMost) send();
    }
    send();
  });
  return true;
}

bool CudaBackend::assign_if(const Scalar& condition, const Tensor& x, Tensor& y) {
  Tensor keep;
  const Number holds = number_of(condition, keep, device());
  dispatch_size(size_of(y.dtype()), [&](auto type) {
    using T = decltype(type);
    launch(assign_if_kernel<T>, blocks_for(y.elements() / pack_width<T>), kThreads, stream(), holds,
           numbers<T>(x), numbers<T>(y), y.elements());
  });
  return true;
}

}  // namespace basin::cuda
