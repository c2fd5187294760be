// Loops over flat vectors of parameters.
#pragma once

#include "core/cpu/lanes.h"
#include "core/cpu/loops.h"

namespace basin::cpu {

template <class V>
double dot_loop(const typename V::Number* x, const typename V::Number* y, Index n) {
  using L = Lanes<V>;
  Wide<V> sums[4];
  Index i = 0;
  for (; i + 4 * L::width <= n; i += 4 * L::width)
    for (int k = 0; k < 4; ++k)
      sums[k].add_product(L::load(x + i + k * L::width), L::load(y + i + k * L::width));
  for (; i + L::width <= n; i += L::width) sums[0].add_product(L::load(x + i), L::load(y + i));
  if (i < n) sums[0].add_product(L::load(x + i, n - i), L::load(y + i, n - i));
  sums[0].add(sums[1]);
  sums[2].add(sums[3]);
  sums[0].add(sums[2]);
  return sums[0].total();
}

/// True if no number is infinite or NaN: then each times 0 is 0.
template <class V>
bool all_finite_loop(const typename V::Number* x, Index n) {
  using L = Lanes<V>;
  const L zero(0);
  L seen(0);
  Index i = 0;
  for (; i + L::width <= n; i += L::width) seen = seen + L::load(x + i) * zero;
  if (i < n) seen = seen + L::load(x + i, n - i) * zero;
  typename V::Number lane[L::width];
  seen.store(lane);
  for (typename V::Number s : lane)
    if (s != 0) return false;
  return true;
}

/// Calls step(i, load, store) for the vectors of [0, n): load(p) reads p[i...], store(x, p) writes it.
template <class V, class Step>
void for_flat_vectors(Index n, Step step) {
  using L = Lanes<V>;
  using T = typename V::Number;
  Index i = 0;
  for (; i + L::width <= n; i += L::width)
    step([i](const T* p) { return L::load(p + i); }, [i](L x, T* p) { x.store(p + i); });
  if (i < n)
    step([=](const T* p) { return L::load(p + i, n - i); }, [=](L x, T* p) { x.store(p + i, n - i); });
}

/// y <- a x + b y; with b = 0, what y held does not matter.
template <class V>
void axpby_loop(typename V::Number a, const typename V::Number* x, typename V::Number b,
                typename V::Number* y, Index n) {
  using L = Lanes<V>;
  if (b == 0)
    for_flat_vectors<V>(n, [=](auto load, auto store) { store(L(a) * load(x), y); });
  else
    for_flat_vectors<V>(n, [=](auto load, auto store) { store(L(a) * load(x) + L(b) * load(y), y); });
}

template <class V>
void sgd_step_loop(const SgdStep& s, const typename V::Number* g, const typename V::Number* mask,
                   typename V::Number* w, typename V::Number* buffer, Index n) {
  using L = Lanes<V>;
  using T = typename V::Number;
  const L lr(static_cast<T>(s.lr)), momentum(static_cast<T>(s.momentum)),
      fresh(static_cast<T>(1 - s.dampening)), decay(static_cast<T>(s.weight_decay));
  const bool decays = s.weight_decay != 0;
  for_flat_vectors<V>(n, [=](auto load, auto store) {
    const L weight = load(w);
    L d = load(g);
    if (decays) d = d + (mask ? decay * load(mask) : decay) * weight;
    if (buffer) {
      const L v = s.first ? d : momentum * load(buffer) + fresh * d;
      store(v, buffer);
      d = s.nesterov ? d + momentum * v : v;
    }
    store(weight - lr * d, w);
  });
}

template <class V>
void adam_step_loop(const AdamNumbers<typename V::Number>& s, const typename V::Number* g,
                    const typename V::Number* mask, typename V::Number* w, typename V::Number* m,
                    typename V::Number* v, Index n) {
  using L = Lanes<V>;
  for_flat_vectors<V>(n, [=](auto load, auto store) {
    const L on = mask ? load(mask) : L(1);
    L weight = load(w), d = load(g);
    if (s.coupled_decay != 0) d = d + L(s.coupled_decay) * on * weight;
    if (s.shrink != 0) weight = weight - L(s.shrink) * on * weight;
    const L mean = L(s.beta1) * load(m) + L(s.one_minus_beta1) * d;
    const L square = L(s.beta2) * load(v) + L(s.one_minus_beta2) * d * d;
    store(mean, m);
    store(square, v);
    store(weight - L(s.rate) * mean / (sqrt(square) * L(s.root_scale) + L(s.eps)), w);
  });
}

}  // namespace basin::cpu
