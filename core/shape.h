// Shapes: up to eight extents, and what follows from them (element count, axes, broadcasting).
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <vector>

#include "core/error.h"

namespace basin {

using Index = std::int64_t;
using Axes = std::vector<int>;

/// Extents of a tensor, outermost first. Rank 0 is a scalar (one element). Extents may be 0.
class Shape {
 public:
  static constexpr int kMaxRank = 8;

  Shape() = default;
  Shape(std::initializer_list<Index> extents) {
    for (Index e : extents) push_back(e);
  }

  int rank() const { return rank_; }
  Index operator[](int axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  Index& operator[](int axis) { return extents_[static_cast<std::size_t>(axis)]; }
  const Index* begin() const { return extents_.data(); }
  const Index* end() const { return extents_.data() + rank_; }

  /// Appends an innermost extent. Errors: more than kMaxRank extents, a negative extent.
  void push_back(Index extent);

  /// Product of the extents; 1 for a scalar. Errors: overflow of 64 bits.
  Index elements() const;

  /// Maps an axis in [-rank, rank) to [0, rank). `op` names the caller in the error.
  int axis(int a, const char* op) const;

  bool operator==(const Shape& other) const;
  bool operator!=(const Shape& other) const { return !(*this == other); }

 private:
  std::array<Index, kMaxRank> extents_{};
  int rank_ = 0;
};

std::ostream& operator<<(std::ostream& out, const Shape& s);  // {8,32,32,3}

/// The shape of `a op b` under broadcasting: aligned at the innermost axis, extent 1 stretches.
/// Errors: ArgumentError naming both shapes.
Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op);

/// Element strides of a contiguous tensor of that shape.
std::array<Index, Shape::kMaxRank> contiguous_strides(const Shape& s);

/// The shape after reducing `axes` (all when empty); reduced axes become 1 (keep) or vanish.
Shape reduced_shape(const Shape& s, const Axes& axes, bool keep, const char* op);

}  // namespace basin
