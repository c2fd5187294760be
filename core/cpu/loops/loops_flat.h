// Loops over flat vectors of parameters.
#pragma once

#include <utility>

#include "core/cpu/loops/loops.h"
#include "core/cpu/simd/lanes.h"

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

/// One step of an update rule; see UpdateLoop.
template <class V, class Step>
void update_loop(const typename Step::template Formula<typename V::Number>& formula,
                 const typename V::Number* g, const typename V::Number* mask, typename V::Number* w,
                 typename V::Number* const* state, Index n) {
  using L = Lanes<V>;
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    for_flat_vectors<V>(n, [&](auto load, auto store) {
      L s[] = {state[i] ? load(state[i]) : L(0)...};
      store(formula(load(g), mask ? load(mask) : L(1), load(w), s[i]...), w);
      ((state[i] ? store(s[i], state[i]) : void()), ...);
    });
  }
  (std::make_index_sequence<Step::kStates>{});
}

/// Those of all update rules.
template <class V, class... Step>
constexpr UpdateLoops<typename V::Number> update_loops_of(const std::variant<Step...>*) {
  return {update_loop<V, Step>...};
}

}  // namespace basin::cpu
