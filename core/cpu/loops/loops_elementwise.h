// Loops over independent elements. The last, partial vector of a task goes through the same code as the
// others.
#pragma once

#include "core/cpu/loops/loops.h"
#include "core/cpu/simd/lanes_math.h"
#include "core/functors/binary.h"
#include "core/functors/unary.h"

namespace basin::cpu {

/// y[i] = f(x[i])
template <class V, class F, class T>
void map(F f, const T* x, T* y, Index n) {
  using L = Lanes<V>;
  Index i = 0;
  for (; i + L::width <= n; i += L::width) f(L::load(x + i)).store(y + i);
  if (i == n) return;
  T in[L::width], out[L::width];
  L::load(x + i, n - i).store(in);
  map<V>(f, in, out, L::width);
  L::load(out).store(y + i, n - i);
}

/// y[i] = f(x[i], z[i])
template <class V, class F, class T>
void map(F f, const T* x, const T* z, T* y, Index n) {
  using L = Lanes<V>;
  Index i = 0;
  for (; i + L::width <= n; i += L::width) f(L::load(x + i), L::load(z + i)).store(y + i);
  if (i == n) return;
  T in_x[L::width], in_z[L::width], out[L::width];
  L::load(x + i, n - i).store(in_x);
  L::load(z + i, n - i).store(in_z);
  map<V>(f, in_x, in_z, out, L::width);
  L::load(out).store(y + i, n - i);
}

/// y[i] = f(x[i], pattern[i])
template <class V, class F, class T>
void map_pattern(F f, const T* x, Stream<T> pattern, T* y, Index n) {
  using L = Lanes<V>;
  Index i = 0, phase = pattern.phase;
  for (; i + L::width <= n; i += L::width) {
    f(L::load(x + i), L::load(pattern.data + phase)).store(y + i);
    phase += L::width;
    if (phase >= pattern.period) phase -= pattern.period;
  }
  if (i < n) map<V>(f, x + i, pattern.data + phase, y + i, n - i);
}

template <class V>
void unary_loop(UnaryOp op, double a, double b, const typename V::Number* x, typename V::Number* y, Index n) {
  functors::with_unary(op, a, b, [&](auto f) { map<V>(f, x, y, n); });
}

template <class V>
void binary_loop(BinaryOp op, const Stream<typename V::Number>& x, const Stream<typename V::Number>& z,
                 typename V::Number* y, Index n) {
  using L = Lanes<V>;
  functors::with_binary(op, [&](auto f) {
    if (z.period > 0)
      map_pattern<V>(f, x.data, z, y, n);
    else if (x.period > 0)
      map_pattern<V>([f](L right, L left) { return f(left, right); }, z.data, x, y, n);
    else
      map<V>(f, x.data, z.data, y, n);
  });
}

template <class V>
void where_loop(const typename V::Number* condition, const typename V::Number* x, const typename V::Number* z,
                typename V::Number* y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = condition[i] != 0 ? x[i] : z[i];
}

}  // namespace basin::cpu
