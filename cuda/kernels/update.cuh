// One step of an update rule over flat vectors; the rules' formulas are core/functors/update.h.
#pragma once

#include <new>
#include <utility>

#include "core/functors/update.h"
#include "cuda/kernels/pack.cuh"

namespace basin::cuda {

/// The vectors of a rule's state, null for what it does not keep.
template <class T, std::size_t n>
struct States {
  T* of[n];

  template <class F>
  void for_each_pointer(F f) const {
    for (T* p : of) f(p);
  }
};

/// w and the state after one step in the direction g; mask (null: 1 everywhere) tells where weight decay
/// applies. What the formula makes of lr and of the steps made before is computed here, also where the host
/// knows them: a step has the same bits whether it is recorded or not.
template <class Step, class T>
__global__ void __launch_bounds__(kThreads, 2)
    update_kernel(Step step, Number lr, Number made, const T* g, const T* mask, T* w,
                  States<T, Step::kStates> states, std::int64_t n) {
  using Formula = typename Step::template Formula<T>;
  struct OfBlock;
  constexpr int kWords = static_cast<int>((sizeof(Formula) + sizeof(double) - 1) / sizeof(double));
  double* words = shared_array<OfBlock, double, kWords>();
  if (threadIdx.x == 0) new (words) Formula(step, {lr.value(), static_cast<std::int64_t>(made.value())});
  __syncthreads();
  const Formula formula = *reinterpret_cast<const Formula*>(words);

  constexpr int width = pack_width<T>;
  const auto at_all = [&]<std::size_t... i>(std::index_sequence<i...>) {
    const std::int64_t packs = aligned(g, mask, w, states.of[i]...) ? n / width : 0;
    for (std::int64_t p = thread_index() * width; p < packs * width; p += thread_count() * width) {
      const Pack<T, width> direction = load_pack<width>(g + p);
      const Pack<T, width> on = mask != nullptr ? load_pack<width>(mask + p) : spread<width>(T(1));
      Pack<T, width> weight = load_pack<width>(w + p);
      Pack<T, width> s[] = {states.of[i] != nullptr ? load_pack<width>(states.of[i] + p)
                                                    : spread<width>(T(0))...};
      for (int j = 0; j < width; ++j)
        weight.number[j] = formula(direction.number[j], on.number[j], weight.number[j], s[i].number[j]...);
      store_pack(w + p, weight);
      ((states.of[i] != nullptr ? store_pack(states.of[i] + p, s[i]) : void()), ...);
    }
    for (std::int64_t p = packs * width + thread_index(); p < n; p += thread_count()) {
      T s[] = {states.of[i] != nullptr ? states.of[i][p] : T(0)...};
      w[p] = formula(g[p], mask != nullptr ? mask[p] : T(1), w[p], s[i]...);
      ((states.of[i] != nullptr ? void(states.of[i][p] = s[i]) : void()), ...);
    }
  };
  at_all(std::make_index_sequence<Step::kStates>{});
}

}  // namespace basin::cuda
