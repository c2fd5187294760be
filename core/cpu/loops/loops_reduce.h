// Sums and extrema. Floats are added in f32 over a few rows or vectors only, then in f64; the order is a
// function of the extents.
#pragma once

#include <type_traits>

#include "core/cpu/loops/loops.h"
#include "core/cpu/simd/lanes.h"
#include "core/functors/reduce.h"

namespace basin::cpu {

/// Vectors, or rows, that are added in f32 before the sum goes on in f64; and rows where two sums are formed,
/// for a normalisation, which has less use for the last digit than for the time.
inline constexpr Index kShortSum = 16, kShortPair = 64;

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
  functors::with_reduction(op, [&](auto join) {
    for (Index r = 0; r < rows; ++r, x += n) {
      if constexpr (std::is_same_v<decltype(join), functors::Reduce<ReduceOp::sum>>)
        out[r] = sum_flat<V>(x, n);
      else
        out[r] = extremum_flat<V>(join, x, n);
    }
  });
}

/// Loaded at kTail - n, zeros in the first n lanes and ones behind.
inline constexpr Index kTail = 16;
inline constexpr float kOnesBehind[2 * kTail] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                                 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

/// Adds to out[k * width + j] the sums over rows [0, rows) of K terms, for S vectors of columns from j on. A
/// vector that would leave the matrix is moved back; columns that the one before it has done are left out.
/// term(i, j, sums) adds the terms of element i, which is in column j.
template <class V, int K, int S, class Term>
void add_columns(Term term, Index rows, Index stride, Index width, Index j, double* out) {
  using L = Lanes<V>;
  const Index last = width - L::width;
  L sums[S][K];
  Index column[S];
  for (int s = 0; s < S; ++s) {
    column[s] = j + s * L::width < last ? j + s * L::width : last;
    for (int k = 0; k < K; ++k) sums[s][k] = L(0);
  }
  for (Index r = 0; r < rows; ++r)
    for (int s = 0; s < S; ++s) term(r * stride + column[s], column[s], sums[s]);
  for (int s = 0; s < S; ++s) {
    const Index done = j + s * L::width - column[s];
    for (int k = 0; k < K; ++k) {
      L sum = sums[s][k];
      if constexpr (L::width > 1)
        if (done > 0) sum = select(L::load(kOnesBehind + kTail - done) > L(0), sum, L(0));
      double* to = out + k * width + column[s];
      Wide<V> total = Wide<V>::load(to);
      total.add(sum);
      total.store(to);
    }
  }
}

/// out[k * width + j] = sum over the rows of K terms of each column j; width >= kColumns. Whole rows are
/// swept, four vectors of columns at a time.
template <class V, int K, class Term>
void sum_columns(Term term, Index rows, Index stride, Index width, double* out) {
  using L = Lanes<V>;
  for (Index i = 0; i < K * width; ++i) out[i] = 0;
  constexpr Index kShort = K == 1 ? kShortSum : kShortPair;
  for (Index row = 0; row < rows; row += kShort) {
    const Index count = rows - row < kShort ? rows - row : kShort;
    const auto part = [&](Index i, Index j, L* sums) { term(row * stride + i, j, sums); };
    for (Index j = 0; j < width; j += 4 * L::width) {
      const Index vectors = (width - j + L::width - 1) / L::width;
      if (vectors >= 4)
        add_columns<V, K, 4>(part, count, stride, width, j, out);
      else if (vectors == 3)
        add_columns<V, K, 3>(part, count, stride, width, j, out);
      else if (vectors == 2)
        add_columns<V, K, 2>(part, count, stride, width, j, out);
      else
        add_columns<V, K, 1>(part, count, stride, width, j, out);
    }
  }
}

/// The extrema of S vectors of columns from j on.
template <class V, int S, class F>
void extremum_of_columns(F f, const typename V::Number* x, Index rows, Index stride, Index j, double* out) {
  using L = Lanes<V>;
  L best[S];
  for (int s = 0; s < S; ++s) best[s] = L::load(x + j + s * L::width);
  for (Index r = 1; r < rows; ++r)
    for (int s = 0; s < S; ++s) best[s] = f(best[s], L::load(x + r * stride + j + s * L::width));
  for (int s = 0; s < S; ++s) {
    Wide<V> wide;
    wide.add(best[s]);
    wide.store(out + j + s * L::width);
  }
}

template <class V, class F>
void extremum_columns(F f, const typename V::Number* x, Index rows, Index stride, Index width, double* out) {
  constexpr Index lanes = Lanes<V>::width;
  Index j = 0;
  for (; j + 4 * lanes <= width; j += 4 * lanes) extremum_of_columns<V, 4>(f, x, rows, stride, j, out);
  for (; j + lanes <= width; j += lanes) extremum_of_columns<V, 1>(f, x, rows, stride, j, out);
  if (j < width) extremum_of_columns<V, 1>(f, x, rows, stride, width - lanes, out);  // overlaps
}

template <class V>
void reduce_columns_loop(ReduceOp op, const typename V::Number* x, Index rows, Index stride, Index width,
                         double* out) {
  using L = Lanes<V>;
  functors::with_reduction(op, [&](auto join) {
    if constexpr (std::is_same_v<decltype(join), functors::Reduce<ReduceOp::sum>>)
      sum_columns<V, 1>([x](Index i, Index, L* sums) { sums[0] = sums[0] + L::load(x + i); }, rows, stride,
                        width, out);
    else
      extremum_columns<V>(join, x, rows, stride, width, out);
  });
}

}  // namespace basin::cpu
