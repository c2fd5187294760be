// Makes the walks of kernels/walk.cuh from shapes.
#pragma once

#include <array>
#include <vector>

#include "core/shape.h"
#include "cuda/kernels/pack.cuh"
#include "cuda/kernels/walk.cuh"

namespace basin::cuda {

/// An axis that k tensors are walked along together: its extent, and its step in each of them, in numbers.
template <std::size_t k>
struct WalkAxis {
  Index extent;
  std::array<Index, k> step;
};

/// A tensor that is walked through: where its first number lies, and the bytes of a number.
struct Walked {
  const void* begin;
  std::size_t size;
};

/// The axes (outermost first) without those of extent 1, and with neighbours joined that one step covers in
/// every tensor. {4, 5, 3} beside itself is one axis of 60; at least one is left.
template <std::size_t k>
std::vector<WalkAxis<k>> joined(const std::vector<WalkAxis<k>>& axes) {
  std::vector<WalkAxis<k>> result;
  const auto goes_on = [](const WalkAxis<k>& outer, const WalkAxis<k>& inner) {
    for (std::size_t i = 0; i < k; ++i)
      if (outer.step[i] != inner.step[i] * inner.extent) return false;
    return true;
  };
  for (const WalkAxis<k>& a : axes) {
    if (a.extent == 1) continue;
    if (!result.empty() && goes_on(result.back(), a))
      result.back() = {result.back().extent * a.extent, a.step};
    else
      result.push_back(a);
  }
  if (result.empty()) {
    WalkAxis<k> one{1, {}};
    one.step.fill(1);
    result.push_back(one);
  }
  return result;
}

/// The walk along joined axes. `width`: numbers of a pack.
template <std::size_t k>
Walk<k> walk_of(const std::vector<WalkAxis<k>>& axes, const std::array<Walked, k>& tensors, int width) {
  Walk<k> walk;
  walk.axes = static_cast<int>(axes.size());
  const WalkAxis<k>& inner = axes.back();
  walk.packs = inner.step[0] == 1 && (axes.size() == 1 || inner.extent % width == 0);
  for (std::size_t i = 0; i < k; ++i) {
    if (inner.step[i] == 0) continue;
    const bool starts = reinterpret_cast<std::uintptr_t>(tensors[i].begin) %
                            std::min(kPackBytes, tensors[i].size * static_cast<std::size_t>(width)) ==
                        0;
    walk.packs = walk.packs && inner.step[i] == 1 && starts;
    for (std::size_t a = 0; a + 1 < axes.size(); ++a) walk.packs = walk.packs && axes[a].step[i] % width == 0;
  }
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const WalkAxis<k>& axis = axes[axes.size() - 1 - a];
    walk.extent[a] = Divisor(axis.extent);
    for (std::size_t i = 0; i < k; ++i) walk.step[a][i] = axis.step[i];
  }
  return walk;
}

/// The axes of `out` and, in each step's places behind the first, of the tensors of these shapes broadcast to
/// it: {4, 1, 3} beside {4, 5, 3} makes the steps 3, 0, 1.
template <class... S>
std::vector<WalkAxis<1 + sizeof...(S)>> broadcast_axes(const Shape& out, const S&... shapes) {
  constexpr std::size_t k = 1 + sizeof...(S);
  const std::array<const Shape*, k> all{&out, &shapes...};
  std::vector<WalkAxis<k>> axes;
  for (int a = 0; a < out.rank(); ++a) {
    WalkAxis<k> axis{out[a], {}};
    for (std::size_t i = 0; i < k; ++i) {
      const Shape& s = *all[i];
      const int own = a - (out.rank() - s.rank());
      if (own >= 0 && s[own] != 1) axis.step[i] = contiguous_strides(s)[static_cast<std::size_t>(own)];
    }
    axes.push_back(axis);
  }
  return joined(axes);
}

}  // namespace basin::cuda
