// CpuBackend: gather and scatter. Scattered sums follow the order of the index.
#include <algorithm>
#include <cstring>

#include "core/cpu/backend.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

constexpr Index kTask = 8192;    // numbers of a task, about
constexpr Index kStripe = 1024;  // numbers behind the axis that one task of scatter_add takes

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

/// Calls body(begin, end) for groups of `n` rows of `width` numbers, in parallel.
template <class Body>
void for_rows(Index n, Index width, Body body) {
  const Index group = std::max<Index>(1, kTask / std::max<Index>(1, width));
  parallel_for((n + group - 1) / group,
               [&](std::int64_t task, int) { body(task * group, std::min(n, (task + 1) * group)); });
}

}  // namespace

void CpuBackend::gather(const Tensor& x, const Tensor& index, int axis, Tensor& out) {
  const Split s = split_at(x.shape(), axis);
  const Index m = index.elements();
  const Index* at = index.data<Index>();
  dispatch_all(x.dtype(), [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = out.mutable_data<T>();
    for_rows(s.before * m, s.after, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r)
        std::copy_n(px + (r / m * s.extent + at[r % m]) * s.after, s.after, py + r * s.after);
    });
  });
}

void CpuBackend::scatter_add(const Tensor& x, const Tensor& index, int axis, Tensor& out) {
  const Split s = split_at(out.shape(), axis);
  const Index m = index.elements();
  const Index* at = index.data<Index>();
  // Every stripe of the numbers behind the axis is one task, which follows the index.
  const Index stripes = (s.after + kStripe - 1) / kStripe;
  dispatch_floating(x.dtype(), "scatter_add", [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = out.mutable_data<T>();
    for_rows(s.before * stripes, m * std::min(s.after, kStripe), [&](Index begin, Index end) {
      for (Index task = begin; task < end; ++task) {
        const Index a = task / stripes, first = task % stripes * kStripe,
                    n = std::min(kStripe, s.after - first);
        for (Index j = 0; j < m; ++j) {
          const T* from = px + (a * m + j) * s.after + first;
          T* to = py + (a * s.extent + at[j]) * s.after + first;
          for (Index b = 0; b < n; ++b) to[b] += from[b];
        }
      }
    });
  });
}

void CpuBackend::gather_last(const Tensor& x, const Tensor& index, Tensor& out) {
  const Index n = last_extent(x.shape()), m = last_extent(index.shape());
  const Index* at = index.data<Index>();
  dispatch_all(x.dtype(), [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = out.mutable_data<T>();
    for_rows(index.elements() / m, m, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r)
        for (Index j = 0; j < m; ++j) py[r * m + j] = px[r * n + at[r * m + j]];
    });
  });
}

void CpuBackend::scatter_add_last(const Tensor& x, const Tensor& index, Tensor& out) {
  const Index n = last_extent(out.shape()), m = last_extent(index.shape());
  const Index* at = index.data<Index>();
  dispatch_floating(x.dtype(), "scatter_add_last", [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = out.mutable_data<T>();
    for_rows(index.elements() / m, m, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r)
        for (Index j = 0; j < m; ++j) py[r * n + at[r * m + j]] += px[r * m + j];
    });
  });
}

}  // namespace basin::cpu
