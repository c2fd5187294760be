// The reductions, one list: each is a binary operation that joins two numbers, and what changes nothing.
#pragma once

#include <limits>

#include "core/functors/binary.h"

namespace basin {

enum class ReduceOp { sum, max, min, count_ };

namespace functors {

/// Joins two numbers; `neutral` leaves the other as it is.
template <ReduceOp>
struct Reduce;

template <>
struct Reduce<ReduceOp::sum> : Binary<BinaryOp::add> {
  static constexpr const char* name = "sum";
  static constexpr double neutral = 0;
};
template <>
struct Reduce<ReduceOp::max> : Binary<BinaryOp::maximum> {
  static constexpr const char* name = "max";
  static constexpr double neutral = -std::numeric_limits<double>::infinity();
};
template <>
struct Reduce<ReduceOp::min> : Binary<BinaryOp::minimum> {
  static constexpr const char* name = "min";
  static constexpr double neutral = std::numeric_limits<double>::infinity();
};

/// Calls body(reduction) with the reduction of `op`, which the caller has checked.
template <class Body>
void with_reduction(ReduceOp op, Body&& body) {
  with_enumerator<ReduceOp>(op, [&]<ReduceOp known>(Enumerator<known>) { body(Reduce<known>{}); });
}

}  // namespace functors
}  // namespace basin
