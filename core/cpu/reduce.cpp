// CpuBackend: sums and extrema over axes, argmax.
#include <cmath>
#include <limits>
#include <vector>

#include "core/cpu/backend.h"
#include "core/functors.h"
#include "core/parallel.h"

namespace basin::cpu {

void CpuBackend::reduce(ReduceOp op, const Tensor& x, const Axes& axes, Tensor& out) {
  dispatch_floating(out.dtype(), "reduce", [&]<class T>(T) {
    const Shape& s = x.shape();
    std::array<bool, Shape::kMaxRank> gone{};
    for (int a : axes) gone[static_cast<std::size_t>(a)] = true;
    std::array<Index, Shape::kMaxRank> stride{};
    Index step = 1;
    for (int i = s.rank() - 1; i >= 0; --i) {
      if (gone[static_cast<std::size_t>(i)]) continue;
      stride[static_cast<std::size_t>(i)] = step;
      step *= s[i];
    }
    const T* px = x.data<T>();
    const double infinity = std::numeric_limits<double>::infinity();
    const double start = op == ReduceOp::sum ? 0 : op == ReduceOp::max ? -infinity : infinity;
    std::vector<double> total(static_cast<std::size_t>(out.elements()), start);
    for (Index flat = 0; flat < x.elements(); ++flat) {
      Index rest = flat, at = 0;
      for (int i = s.rank() - 1; i >= 0; --i) {
        at += rest % s[i] * stride[static_cast<std::size_t>(i)];
        rest /= s[i];
      }
      double& t = total[static_cast<std::size_t>(at)];
      const double value = static_cast<double>(px[flat]);
      if (op == ReduceOp::sum)
        t += value;
      else
        t = op == ReduceOp::max ? functors::Maximum{}(t, value) : functors::Minimum{}(t, value);
    }
    T* y = out.mutable_data<T>();
    for (Index i = 0; i < out.elements(); ++i) y[i] = static_cast<T>(total[static_cast<std::size_t>(i)]);
  });
}

void CpuBackend::argmax(const Tensor& x, int axis, Tensor& out) {
  const Shape& s = x.shape();
  Index inner = 1;
  for (int i = axis + 1; i < s.rank(); ++i) inner *= s[i];
  const Index n = s[axis], count = out.elements();
  dispatch_all(x.dtype(), [&]<class T>(T) {
    const T* px = x.data<T>();
    Index* y = out.mutable_data<Index>();
    for (Index o = 0; o < count; ++o) {
      const T* row = px + o / inner * n * inner + o % inner;
      Index best = 0;
      for (Index j = 1; j < n && row[best * inner] == row[best * inner]; ++j)
        if (!(row[j * inner] <= row[best * inner])) best = j;  // a NaN wins, the first one
      y[o] = best;
    }
  });
}

}  // namespace basin::cpu
