// Batch and layer normalisation, log-softmax.
#pragma once

#include "core/cpu/loops/loops_reduce.h"
#include "core/cpu/simd/lanes_math.h"
#include "core/functors/norm.h"

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
    L value = functors::Normalise{}(load_up_to<V>(x + i, lanes), L::load(t.mean + phase),
                                    L::load(t.scale + phase), L::load(t.shift + phase));
    if (residual) value = value + load_up_to<V>(residual + i, lanes);
    if (relu) value = functors::Unary<UnaryOp::relu>{}(value);
    store_up_to<V>(value, y + i, lanes);
  });
}

/// Calls body(d_of), where d_of(x, normalised, load) is d (see NormGrad) of one vector: x is the vector of x,
/// normalised(x) its (x - mean) scale + beta, and load(p) reads p's. Which mask it is, is decided here,
/// outside of the loop; `again`: the normalised x.
template <class V, class Body>
void with_mask(const NormGrad<typename V::Number>& g, bool again, Body body) {
  using L = Lanes<V>;
  if (g.y)
    body([y = g.y, dy = g.dy](L, auto, auto load) {
      return functors::Binary<BinaryOp::relu_grad>{}(load(dy), load(y));
    });
  else if (again)
    body([dy = g.dy](L x, auto normalised, auto load) {
      return functors::Binary<BinaryOp::relu_grad>{}(load(dy), normalised(x));
    });
  else
    body([dy = g.dy](L, auto, auto load) { return load(dy); });
}

template <class V>
void batch_norm_sums_loop(const NormGrad<typename V::Number>& g,
                          const NormColumns<typename V::Number>& columns, Index rows, Index width,
                          double* out) {
  using L = Lanes<V>;
  using T = typename V::Number;
  with_mask<V>(g, columns.beta != nullptr, [=](auto d_of) {
    sum_columns<V, 2>(
        [=](Index i, Index j, L* sums) {
          const L x = L::load(g.x + i), mean = L::load(columns.mean + j);
          const auto normalised = [=](L number) {
            return functors::Normalise{}(number, mean, L::load(columns.scale + j), L::load(columns.beta + j));
          };
          const L d = d_of(x, normalised, [=](const T* p) { return L::load(p + i); });
          sums[0] = sums[0] + d;
          sums[1] = fma(d, x - mean, sums[1]);
        },
        rows, width, width, out);
  });
}

template <class V>
void batch_norm_grad_loop(const NormTask<typename V::Number>& t, const NormGrad<typename V::Number>& g,
                          typename V::Number* dx, typename V::Number* dresidual) {
  using L = Lanes<V>;
  using T = typename V::Number;
  with_mask<V>(g, t.beta != nullptr, [&, dx, dresidual](auto d_of) {
    for_vectors<V>(t, [=, &t](Index i, Index phase, Index lanes) {
      const auto load = [=](const T* p) { return load_up_to<V>(p + i, lanes); };
      const L x = load(g.x), mean = L::load(t.mean + phase), scale = L::load(t.scale + phase);
      const L d = d_of(
          x,
          [=, &t](L number) { return functors::Normalise{}(number, mean, scale, L::load(t.beta + phase)); },
          load);
      const L centered = fma(x - mean, L::load(t.slope + phase), d - L::load(t.shift + phase));
      store_up_to<V>(centered * scale, dx + i, lanes);
      if (dresidual) store_up_to<V>(d, dresidual + i, lanes);
    });
  });
}

/// The sum of term(i, lanes) over a row's n numbers, a vector at a time; `lanes` of the last are numbers.
template <class V, class Term>
double row_sum(Index n, Term term) {
  using L = Lanes<V>;
  constexpr Index kShort = kShortSum * L::width;
  Wide<V> total;
  for (Index begin = 0; begin < n; begin += kShort) {
    const Index end = begin + kShort < n ? begin + kShort : n;
    L sum(0);
    for (Index i = begin; i < end; i += L::width) sum = sum + term(i, n - i);
    total.add(sum);
  }
  return total.total();
}

template <class V>
void layer_norm_loop(const typename V::Number* x, const typename V::Number* gamma,
                     const typename V::Number* beta, double eps, Index rows, Index n, typename V::Number* y,
                     typename V::Number* mean, typename V::Number* inv_std) {
  using L = Lanes<V>;
  using T = typename V::Number;
  const auto count = static_cast<double>(n);
  for (Index r = 0; r < rows; ++r, x += n, y += n) {
    mean[r] = static_cast<T>(
        row_sum<V>(n, [=](Index i, Index lanes) { return load_up_to<V>(x + i, lanes); }) / count);
    const double squares = row_sum<V>(n, [=, m = mean[r]](Index i, Index lanes) {
      const L d = (lanes >= L::width ? L::load(x + i) : L::load(x + i, lanes, m)) - L(m);
      return d * d;
    });
    inv_std[r] = static_cast<T>(1 / std::sqrt(squares / count + eps));
    const L m(mean[r]), s(inv_std[r]);
    for (Index i = 0; i < n; i += L::width) {
      const L xhat = (load_up_to<V>(x + i, n - i) - m) * s;
      store_up_to<V>(fma(xhat, load_up_to<V>(gamma + i, n - i), load_up_to<V>(beta + i, n - i)), y + i,
                     n - i);
    }
  }
}

template <class V>
void layer_norm_grad_loop(const typename V::Number* x, const typename V::Number* gamma,
                          const typename V::Number* mean, const typename V::Number* inv_std,
                          const typename V::Number* dy, Index rows, Index n, typename V::Number* dx,
                          double* sums) {
  using L = Lanes<V>;
  using T = typename V::Number;
  const auto count = static_cast<double>(n);
  const auto xhat = [=](Index r, Index i, Index lanes) {
    return (load_up_to<V>(x + r * n + i, lanes) - L(mean[r])) * L(inv_std[r]);
  };
  for (Index r = 0; r < rows; ++r) {
    const T* d = dy + r * n;
    // Lanes behind the last number have dy = 0.
    const auto g = [=](Index i, Index lanes) {
      return load_up_to<V>(d + i, lanes) * load_up_to<V>(gamma + i, lanes);
    };
    const L mean_g(static_cast<T>(row_sum<V>(n, g) / count));
    const L mean_gx(static_cast<T>(
        row_sum<V>(n, [&](Index i, Index lanes) { return g(i, lanes) * xhat(r, i, lanes); }) / count));
    for (Index i = 0; i < n; i += L::width)
      store_up_to<V>((g(i, n - i) - mean_g - xhat(r, i, n - i) * mean_gx) * L(inv_std[r]), dx + r * n + i,
                     n - i);
  }
  for (Index j = 0; j < n; j += L::width) {
    Wide<V> total, product;
    for (Index begin = 0; begin < rows; begin += kShortSum) {
      const Index end = begin + kShortSum < rows ? begin + kShortSum : rows;
      L sum(0), sum_x(0);
      for (Index r = begin; r < end; ++r) {
        const L d = load_up_to<V>(dy + r * n + j, n - j);
        sum = sum + d;
        sum_x = fma(d, xhat(r, j, n - j), sum_x);
      }
      total.add(sum);
      product.add(sum_x);
    }
    double lane[2][L::width < 2 ? 2 : L::width];
    total.store(lane[0]);
    product.store(lane[1]);
    for (Index k = 0; k < L::width && j + k < n; ++k) {
      sums[j + k] = lane[0][k];
      sums[n + j + k] = lane[1][k];
    }
  }
}

template <class V>
void log_softmax_loop(const typename V::Number* x, Index rows, Index n, typename V::Number* y) {
  using L = Lanes<V>;
  using T = typename V::Number;
  constexpr T lowest = -static_cast<T>(__builtin_inf());
  for (Index r = 0; r < rows; ++r, x += n, y += n) {
    const L top(static_cast<T>(extremum_flat<V>(functors::Binary<BinaryOp::maximum>{}, x, n)));
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
