// CpuBackend: sums and extrema over axes, argmax. Any set of axes is worked off one run of neighbouring axes
// at a time, from the innermost; what is left in between is f64. Tasks and the order of every sum follow from
// the shape.
#include <array>

#include "core/cpu/backend.h"
#include "core/cpu/loops/columns.h"
#include "core/functors/reduce.h"

namespace basin::cpu {
namespace {

constexpr Index kTask = 16384;   // numbers of a task, at least
constexpr Index kTaskRows = 16;  // rows of a task of wide rows, at least
constexpr Index kTaskColumns = 1024;

double join(ReduceOp op, double a, double b) {
  functors::with_reduction(op, [&](auto join) { a = join(a, b); });
  return a;
}

/// What changes nothing when it is joined.
double neutral(ReduceOp op) {
  double number = 0;
  functors::with_reduction(op, [&](auto join) { number = join.neutral; });
  return number;
}

/// out[a] = x[a, :] reduced.
template <class T>
void reduce_last(ReduceOp op, const T* x, Index outer, Index n, double* out) {
  const Loops<T>& loop = loops<T>();
  if (n <= 2 * kTask) {
    const Index rows = std::max<Index>(1, kTask / n);
    parallel_for((outer + rows - 1) / rows, [&](std::int64_t task, int) {
      const Index first = task * rows;
      loop.reduce_rows(op, x + first * n, std::min(rows, outer - first), n, out + first);
    });
    return;
  }
  const Index blocks = (n + kTask - 1) / kTask;
  Buffer<double> part(outer * blocks);
  parallel_for(outer * blocks, [&](std::int64_t task, int) {
    const Index row = task / blocks, first = task % blocks * kTask;
    loop.reduce_rows(op, x + row * n + first, 1, std::min(kTask, n - first), part.data() + task);
  });
  for (Index row = 0; row < outer; ++row) {
    double total = part[row * blocks];
    for (Index b = 1; b < blocks; ++b) total = join(op, total, part[row * blocks + b]);
    out[row] = total;
  }
}

/// out[a, b] = x[a, :, b] reduced, for an `inner` extent of two or more.
template <class T>
void reduce_middle(ReduceOp op, const T* x, Index outer, Index n, Index inner, double* out) {
  const Loops<T>& loop = loops<T>();
  const Columns columns(inner);
  const Index width = columns.width, full = n / columns.repeat, rest = n % columns.repeat;
  const Index across = std::max<Index>(1, width / kTaskColumns);
  const Index rows = std::max(kTaskRows, kTask / std::min(width, kTaskColumns));
  const Index down = std::max<Index>(1, (full + rows - 1) / rows), slabs = down + (rest > 0 ? 1 : 0);
  Buffer<T> nothing(width);
  std::fill_n(nothing.data(), width, static_cast<T>(neutral(op)));
  Buffer<double> part(outer * slabs * width);
  parallel_for(outer * slabs * across, [&](std::int64_t task, int) {
    const Index a = task / (slabs * across), slab = task / across % slabs, block = task % across;
    const Index first = block * kTaskColumns, last = block + 1 == across ? width : first + kTaskColumns;
    const T* from = x + a * n * inner;
    double* to = part.data() + (a * slabs + slab) * width + first;
    if (slab == down) {
      const Buffer<T> row = columns.padded(from + full * width, rest, nothing.data());
      loop.reduce_columns(op, row.data() + first, 1, width, last - first, to);
    } else if (full == 0) {
      std::fill_n(to, last - first, neutral(op));
    } else {
      const Index top = slab * rows;
      loop.reduce_columns(op, from + top * width + first, std::min(rows, full - top), width, last - first,
                          to);
    }
  });
  const Index turns = slabs * columns.repeat;  // rows of `inner` numbers to join
  const Index group = std::max<Index>(1, kTask / (turns * inner));
  parallel_for((outer + group - 1) / group, [&](std::int64_t task, int) {
    for (Index a = task * group; a < std::min(outer, (task + 1) * group); ++a) {
      const double* from = part.data() + a * turns * inner;
      double* to = out + a * inner;
      std::copy_n(from, inner, to);
      for (Index turn = 1; turn < turns; ++turn)
        for (Index b = 0; b < inner; ++b) to[b] = join(op, to[b], from[turn * inner + b]);
    }
  });
}

template <class T>
void reduce_one(ReduceOp op, const T* x, Index outer, Index n, Index inner, double* out) {
  if (inner == 1)
    reduce_last(op, x, outer, n, out);
  else
    reduce_middle(op, x, outer, n, inner, out);
}

/// A run of neighbouring axes that are all reduced or all kept.
struct Run {
  Index extent;
  bool reduced;
};

}  // namespace

void CpuBackend::reduce(ReduceOp op, const Tensor& x, const Axes& axes, Tensor& out) {
  std::array<bool, Shape::kMaxRank> gone{};
  for (int a : axes) gone[static_cast<std::size_t>(a)] = true;
  std::vector<Run> runs;
  for (int i = 0; i < x.rank(); ++i) {
    const bool reduced = gone[static_cast<std::size_t>(i)];
    if (x.shape()[i] == 1) continue;
    if (!runs.empty() && runs.back().reduced == reduced)
      runs.back().extent *= x.shape()[i];
    else
      runs.push_back({x.shape()[i], reduced});
  }
  dispatch_floating(out.dtype(), "reduce", [&]<class T>(T) {
    const T* from = x.data<T>();
    T* y = out.mutable_data<T>();
    Buffer<double> here(0);
    bool first = true;
    for (std::size_t i = runs.size(); i-- > 0;) {
      if (!runs[i].reduced) continue;
      Index outer = 1, inner = 1;
      for (std::size_t k = 0; k < i; ++k) outer *= runs[k].extent;
      for (std::size_t k = i + 1; k < runs.size(); ++k) inner *= runs[k].reduced ? 1 : runs[k].extent;
      Buffer<double> next(outer * inner);
      if (first)
        reduce_one(op, from, outer, runs[i].extent, inner, next.data());
      else
        reduce_one(op, here.data(), outer, runs[i].extent, inner, next.data());
      here = std::move(next);
      first = false;
    }
    if (first)
      std::copy_n(from, out.elements(), y);  // only axes of extent 1
    else
      for (Index i = 0; i < out.elements(); ++i) y[i] = static_cast<T>(here[i]);
  });
}

void CpuBackend::argmax(const Tensor& x, int axis, Tensor& out) {
  Index inner = 1;
  for (int i = axis + 1; i < x.rank(); ++i) inner *= x.shape()[i];
  const Index n = x.shape()[axis], count = out.elements();
  dispatch_all(x.dtype(), [&]<class T>(T) {
    const T* px = x.data<T>();
    Index* y = out.mutable_data<Index>();
    const Index group = std::max<Index>(1, kTask / n);
    parallel_for((count + group - 1) / group, [&](std::int64_t task, int) {
      for (Index o = task * group; o < std::min(count, (task + 1) * group); ++o) {
        const T* row = px + o / inner * n * inner + o % inner;
        Index best = 0;
        // A NaN is the maximum, the first one of them: it is unlike itself and ends the search.
        for (Index j = 1; j < n && row[best * inner] == row[best * inner]; ++j)
          if (!(row[j * inner] <= row[best * inner])) best = j;
        y[o] = best;
      }
    });
  });
}

}  // namespace basin::cpu
