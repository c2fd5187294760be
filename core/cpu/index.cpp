// CpuBackend: gather and scatter. Scattered sums follow the order of the index.
#include <cstring>

#include "core/cpu/backend.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

/// x's shape split at an axis: {before, extent, after}.
struct Split {
  Index before = 1, extent = 1, after = 1;
};

Split split_at(const Shape& s, int axis) {
  Split split;
  for (int i = 0; i < axis; ++i) split.before *= s[i];
  split.extent = s[axis];
  for (int i = axis + 1; i < s.rank(); ++i) split.after *= s[i];
  return split;
}

Index last_extent(const Shape& s) { return s[s.rank() - 1]; }

}  // namespace

void CpuBackend::gather(const Tensor& x, const Tensor& index, int axis, Tensor& out) {
  const Split s = split_at(x.shape(), axis);
  const Index m = index.elements();
  const Index* at = index.data<Index>();
  const std::size_t run = static_cast<std::size_t>(s.after) * size_of(x.dtype());
  const std::byte* px = x.raw();
  std::byte* py = out.mutable_raw();
  for (Index a = 0; a < s.before; ++a)
    for (Index j = 0; j < m; ++j)
      std::memcpy(py + static_cast<std::size_t>(a * m + j) * run,
                  px + static_cast<std::size_t>(a * s.extent + at[j]) * run, run);
}

void CpuBackend::scatter_add(const Tensor& x, const Tensor& index, int axis, Tensor& out) {
  const Split s = split_at(out.shape(), axis);
  const Index m = index.elements();
  const Index* at = index.data<Index>();
  dispatch_floating(x.dtype(), "scatter_add", [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = out.mutable_data<T>();
    for (Index a = 0; a < s.before; ++a)
      for (Index j = 0; j < m; ++j) {
        const T* from = px + (a * m + j) * s.after;
        T* to = py + (a * s.extent + at[j]) * s.after;
        for (Index b = 0; b < s.after; ++b) to[b] += from[b];
      }
  });
}

void CpuBackend::gather_last(const Tensor& x, const Tensor& index, Tensor& out) {
  const Index n = last_extent(x.shape()), m = last_extent(index.shape());
  const Index* at = index.data<Index>();
  dispatch_all(x.dtype(), [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = out.mutable_data<T>();
    for (Index i = 0; i < index.elements(); ++i) py[i] = px[i / m * n + at[i]];
  });
}

void CpuBackend::scatter_add_last(const Tensor& x, const Tensor& index, Tensor& out) {
  const Index n = last_extent(out.shape()), m = last_extent(index.shape());
  const Index* at = index.data<Index>();
  dispatch_floating(x.dtype(), "scatter_add_last", [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = out.mutable_data<T>();
    for (Index i = 0; i < index.elements(); ++i) py[i / m * n + at[i]] += px[i];
  });
}

}  // namespace basin::cpu
