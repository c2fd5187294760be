// What all formulas share. A formula is written once, for a number type T that brings arithmetic,
// comparisons, select(condition, a, b) and the functions of <cmath>, found by overload: the CPU kernels apply
// it to doubles and to vectors of floats (core/cpu/simd/lanes.h), CUDA kernels can apply it to floats and
// doubles.
#pragma once

#include <cstddef>
#include <utility>

#include "core/functors/host_device.h"

namespace basin::functors {

/// condition ? a : b, as a function: lane types select in every lane.
template <class T>
BASIN_BOTH inline T select(bool condition, T a, T b) {
  return condition ? a : b;
}

/// An enumerator as a type.
template <auto value>
struct Enumerator {};

/// Calls body(Enumerator<op>{}) for an op below Op::count_, and nothing for another. Errors are the caller's:
/// code that is compiled for every instruction set must not throw.
template <class Op, class Body>
void with_enumerator(Op op, Body&& body) {
  const auto among = [&]<std::size_t... i>(std::index_sequence<i...>) {
    (void)((op == static_cast<Op>(i) && (body(Enumerator<static_cast<Op>(i)>{}), true)) || ...);
  };
  among(std::make_index_sequence<static_cast<std::size_t>(Op::count_)>{});
}

}  // namespace basin::functors
