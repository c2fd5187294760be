// Batch normalisation and log-softmax.
#pragma once

#include "core/cpu/lanes_math.h"
#include "core/cpu/loops_reduce.h"

namespace basin::cpu {

template <class V>
void moments_loop(const typename V::Number* x, const typename V::Number* center, Index rows, Index width,
                  double* out) {
  using L = Lanes<V>;
  sum_columns<V, 2>(
      [=](Index i, Index j, L* sums) {
        const L d = L::load(x + i) - L::load(center + j);
        sums[0] = sums[0] + d;
        sums[1] = fma(d, d, sums[1]);
      },
      rows, width, width, out);
}

/// Calls body(i, phase, lanes) for the vectors of a task; lanes < width in the last.
template <class V, class T, class Body>
void for_vectors(const NormTask<T>& t, Body body) {
  constexpr Index width = Lanes<V>::width;
  Index phase = t.phase;
  for (Index i = 0; i < t.n; i += width) {
    body(i, phase, t.n - i);
    phase += width;
    if (phase >= t.period) phase -= t.period;
  }
}

/// `lanes` may exceed the width: then the vector is full.
template <class V>
Lanes<V> load_up_to(const typename V::Number* p, Index lanes) {
  return lanes >= V::width ? Lanes<V>::load(p) : Lanes<V>::load(p, lanes);
}
template <class V>
void store_up_to(Lanes<V> x, typename V::Number* p, Index lanes) {
  if (lanes >= V::width)
    x.store(p);
  else
    x.store(p, lanes);
}

template <class V>
void batch_norm_loop(const NormTask<typename V::Number>& t, const typename V::Number* x,
                     const typename V::Number* residual, bool relu, typename V::Number* y) {
  using L = Lanes<V>;
  for_vectors<V>(t, [=, &t](Index i, Index phase, Index lanes) {
    const L d = load_up_to<V>(x + i, lanes) - L::load(t.mean + phase);
    L value = fma(d, L::load(t.scale + phase), L::load(t.shift + phase));
    if (residual) value = value + load_up_to<V>(residual + i, lanes);
    if (relu) value = functors::Relu{}(value);
    store_up_to<V>(value, y + i, lanes);
  });
}

/// dy, and where there is a y, 0 where it is not positive.
template <class V>
Lanes<V> masked(const typename V::Number* dy, const typename V::Number* y, Index i, Index lanes) {
  const Lanes<V> d = load_up_to<V>(dy + i, lanes);
  return y ? functors::ReluGrad{}(d, load_up_to<V>(y + i, lanes)) : d;
}

template <class V>
void batch_norm_sums_loop(const typename V::Number* x, const typename V::Number* y,
                          const typename V::Number* dy, const typename V::Number* mean, Index rows,
                          Index width, double* out) {
  using L = Lanes<V>;
  const auto sums_of = [&](auto relu) {
    sum_columns<V, 2>(
        [=](Index i, Index j, L* sums) {
          const L d = masked<V>(dy, relu ? y : nullptr, i, L::width);
          sums[0] = sums[0] + d;
          sums[1] = fma(d, L::load(x + i) - L::load(mean + j), sums[1]);
        },
        rows, width, width, out);
  };
  if (y)
    sums_of(std::true_type{});
  else
    sums_of(std::false_type{});
}

template <class V>
void batch_norm_grad_loop(const NormTask<typename V::Number>& t, const typename V::Number* x,
                          const typename V::Number* y, const typename V::Number* dy, typename V::Number* dx,
                          typename V::Number* dresidual) {
  using L = Lanes<V>;
  for_vectors<V>(t, [=, &t](Index i, Index phase, Index lanes) {
    const L d = masked<V>(dy, y, i, lanes);
    const L from_mean = load_up_to<V>(x + i, lanes) - L::load(t.mean + phase);
    const L centered = fma(from_mean, L::load(t.slope + phase), d - L::load(t.shift + phase));
    store_up_to<V>(centered * L::load(t.scale + phase), dx + i, lanes);
    if (dresidual) store_up_to<V>(d, dresidual + i, lanes);
  });
}

template <class V>
void log_softmax_loop(const typename V::Number* x, Index rows, Index n, typename V::Number* y) {
  using L = Lanes<V>;
  using T = typename V::Number;
  constexpr T lowest = -static_cast<T>(__builtin_inf());
  for (Index r = 0; r < rows; ++r, x += n, y += n) {
    const L top(static_cast<T>(extremum_flat<V>(functors::Maximum{}, x, n)));
    Wide<V> total;
    for (Index i = 0; i < n; i += L::width)
      total.add(exp((n - i >= L::width ? L::load(x + i) : L::load(x + i, n - i, lowest)) - top));
    const L log_total(static_cast<T>(std::log(total.total())));
    for (Index i = 0; i < n; i += L::width)
      store_up_to<V>(load_up_to<V>(x + i, n - i) - top - log_total, y + i, n - i);
  }
}

template <class V>
void log_softmax_grad_loop(const typename V::Number* y, const typename V::Number* dy, Index rows, Index n,
                           typename V::Number* dx) {
  using L = Lanes<V>;
  for (Index r = 0; r < rows; ++r, y += n, dy += n, dx += n) {
    const L total(static_cast<typename V::Number>(sum_flat<V>(dy, n)));
    for (Index i = 0; i < n; i += L::width)
      store_up_to<V>(load_up_to<V>(dy + i, n - i) - exp(load_up_to<V>(y + i, n - i)) * total, dx + i, n - i);
  }
}

}  // namespace basin::cpu
