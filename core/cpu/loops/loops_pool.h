// Pooling: for one pixel of the result, all channels over the taps of its window.
#pragma once

#include "core/cpu/loops/loops.h"
#include "core/cpu/simd/lanes.h"

namespace basin::cpu {

template <class V>
void max_of_taps_loop(const typename V::Number* x, const Index* offset, Index taps, Index channels,
                      typename V::Number* best, typename V::Number* tap) {
  using L = Lanes<V>;
  using T = typename V::Number;
  for (Index c = 0; c < channels; c += L::width) {
    const Index n = channels - c < L::width ? channels - c : L::width;
    L most = L::load(x + offset[0] + c, n), from(0);
    for (Index t = 1; t < taps; ++t) {
      const L here = L::load(x + offset[t] + c, n);
      // Unless most >= here: here is larger, or one of them is NaN. A NaN found first stays.
      const auto keep = most >= here;
      const auto stays = most == most;
      const L number(static_cast<T>(t));
      from = select(keep, from, select(stays, number, from));
      most = select(keep, most, select(stays, here, most));
    }
    most.store(best + c, n);
    from.store(tap + c);
  }
}

template <class V>
void sum_of_taps_loop(const typename V::Number* x, const Index* offset, const double* weight, Index taps,
                      Index channels, typename V::Number* out) {
  using L = Lanes<V>;
  for (Index c = 0; c < channels; c += L::width) {
    const Index n = channels - c < L::width ? channels - c : L::width;
    Wide<V> sum;
    for (Index t = 0; t < taps; ++t) sum.add_scaled(L::load(x + offset[t] + c, n), weight[t]);
    double lane[L::width];
    sum.store(lane);
    for (Index i = 0; i < n; ++i) out[c + i] = static_cast<typename V::Number>(lane[i]);
  }
}

}  // namespace basin::cpu
