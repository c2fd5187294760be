// Sums and extrema. Floats are added in f32 over a few rows or vectors only, then in f64; the order is a
// function of the extents.
#pragma once

#include "core/cpu/lanes.h"
#include "core/cpu/loops.h"
#include "core/functors.h"

namespace basin::cpu {

/// Rows that are added in f32 before the sum goes on in f64.
inline constexpr Index kShortSum = 16;

/// The sum of n numbers.
template <class V>
double sum_flat(const typename V::Number* x, Index n) {
  using L = Lanes<V>;
  constexpr Index kStep = 4 * L::width;
  Wide<V> total;
  Index i = 0;
  while (i + kStep <= n) {
    L a = L::load(x + i), b = L::load(x + i + L::width), c = L::load(x + i + 2 * L::width),
      d = L::load(x + i + 3 * L::width);
    i += kStep;
    for (int k = 1; k < 4 && i + kStep <= n; ++k, i += kStep) {
      a = a + L::load(x + i);
      b = b + L::load(x + i + L::width);
      c = c + L::load(x + i + 2 * L::width);
      d = d + L::load(x + i + 3 * L::width);
    }
    total.add((a + b) + (c + d));
  }
  for (; i + L::width <= n; i += L::width) total.add(L::load(x + i));
  if (i < n) total.add(L::load(x + i, n - i));
  return total.total();
}

/// f(... f(f(x[0], x[1]), x[2]) ..., x[n-1]) for a maximum or minimum; n >= 1.
template <class V, class F>
double extremum_flat(F f, const typename V::Number* x, Index n) {
  using L = Lanes<V>;
  L best = L::load(x, n < L::width ? n : L::width, x[0]);
  for (Index i = L::width; i < n; i += L::width)
    best = f(best, i + L::width <= n ? L::load(x + i) : L::load(x + i, n - i, x[0]));
  typename V::Number lane[2 * L::width] = {};
  for (int half = L::width / 2; half > 0; half /= 2) {  // only the lower half counts
    best.store(lane);
    best = f(best, L::load(lane + half));
  }
  best.store(lane);
  return static_cast<double>(lane[0]);
}

template <class V>
void reduce_rows_loop(ReduceOp op, const typename V::Number* x, Index rows, Index n, double* out) {
  for (Index r = 0; r < rows; ++r, x += n) {
    if (op == ReduceOp::sum)
      out[r] = sum_flat<V>(x, n);
    else if (op == ReduceOp::max)
      out[r] = extremum_flat<V>(functors::Maximum{}, x, n);
    else
      out[r] = extremum_flat<V>(functors::Minimum{}, x, n);
  }
}

/// Adds to out[k * width + j] the sums over rows [0, rows) of K terms, for S vectors of columns from j on, of
/// which the first `skip` columns are already done. term(i, j, sums) adds the terms of x's element i in
/// column j.
template <class V, int K, int S, class Term>
void add_columns(Term term, Index rows, Index stride, Index width, Index j, Index skip, double* out) {
  using L = Lanes<V>;
  L sums[S][K];
  for (int s = 0; s < S; ++s)
    for (int k = 0; k < K; ++k) sums[s][k] = L(0);
  for (Index r = 0; r < rows; ++r)
    for (int s = 0; s < S; ++s) term(r * stride + j + s * L::width, j + s * L::width, sums[s]);
  for (int s = 0; s < S; ++s)
    for (int k = 0; k < K; ++k) {
      double lane[L::width];
      Wide<V> wide;
      wide.add(sums[s][k]);
      wide.store(lane);
      double* to = out + k * width + j + s * L::width;
      for (Index i = skip; i < L::width; ++i) to[i] += lane[i];
    }
}

/// out[k * width + j] = sum over the rows of K terms of each column j; width >= kColumns. Whole rows are
/// swept, four vectors of columns at a time; the last vector overlaps the one before it where width is not a
/// multiple.
template <class V, int K, class Term>
void sum_columns(Term term, Index rows, Index stride, Index width, double* out) {
  using L = Lanes<V>;
  for (Index i = 0; i < K * width; ++i) out[i] = 0;
  for (Index row = 0; row < rows; row += kShortSum) {
    const Index count = rows - row < kShortSum ? rows - row : kShortSum;
    const auto part = [&](Index i, Index j, L* sums) { term(row * stride + i, j, sums); };
    Index j = 0;
    for (; j + 4 * L::width <= width; j += 4 * L::width)
      add_columns<V, K, 4>(part, count, stride, width, j, 0, out);
    for (; j + L::width <= width; j += L::width) add_columns<V, K, 1>(part, count, stride, width, j, 0, out);
    if (j < width)
      add_columns<V, K, 1>(part, count, stride, width, width - L::width, j - (width - L::width), out);
  }
}

template <class V, class F>
void extremum_columns(F f, const typename V::Number* x, Index rows, Index stride, Index width, double* out) {
  using L = Lanes<V>;
  for (Index j = 0; j < width; j += L::width) {
    const Index first = j + L::width <= width ? j : width - L::width;  // the last vector may overlap
    L best = L::load(x + first);
    for (Index r = 1; r < rows; ++r) best = f(best, L::load(x + r * stride + first));
    typename V::Number lane[L::width];
    best.store(lane);
    for (int i = 0; i < L::width; ++i) out[first + i] = static_cast<double>(lane[i]);
  }
}

template <class V>
void reduce_columns_loop(ReduceOp op, const typename V::Number* x, Index rows, Index stride, Index width,
                         double* out) {
  using L = Lanes<V>;
  if (op == ReduceOp::max)
    extremum_columns<V>(functors::Maximum{}, x, rows, stride, width, out);
  else if (op == ReduceOp::min)
    extremum_columns<V>(functors::Minimum{}, x, rows, stride, width, out);
  else
    sum_columns<V, 1>([x](Index i, Index, L* sums) { sums[0] = sums[0] + L::load(x + i); }, rows, stride,
                      width, out);
}

}  // namespace basin::cpu
