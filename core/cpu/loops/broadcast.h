// How elementwise tasks read a tensor that is broadcast to the shape of the output.
#pragma once

#include <algorithm>
#include <vector>

#include "core/cpu/loops/loops.h"
#include "core/parallel.h"

namespace basin::cpu {

/// Numbers of one task of an elementwise loop.
inline constexpr Index kElementwiseTask = 8192;

/// Calls body(begin, end) for fixed ranges that cover [0, n), in parallel.
template <class Body>
void for_ranges(Index n, Body&& body) {
  parallel_for((n + kElementwiseTask - 1) / kElementwiseTask, [&](std::int64_t task, int) {
    body(task * kElementwiseTask, std::min(n, (task + 1) * kElementwiseTask));
  });
}

/// How to walk through a tensor while an output of another shape is written in order: so many steps of so
/// many numbers, the innermost axis last. A stride of 0 reads the same again. x {4, 1, 3} beside {4, 5, 3} is
/// walked by (4 steps of 3), (5 of 0), (3 of 1). Axes of one step are left out, and neighbours that one step
/// covers are joined: {4, 5, 3} beside itself is (60 of 1).
struct BroadcastAxes {
  struct AxisStep {
    Index extent, stride;
  };
  std::vector<AxisStep> axes;

  BroadcastAxes(const Shape& shape, const Shape& out);
};

/// A tensor of Ts as seen from the output's flat positions.
template <class T>
class Broadcast {
 public:
  Broadcast(const Tensor& x, const Shape& out)
      : data_(x.data<T>()), axes_(BroadcastAxes(x.shape(), out).axes) {
    if (axes_.empty()) axes_.push_back({1, 1});
    const auto [extent, stride] = axes_.back();
    if (axes_.size() == 1 && stride == 1) {
      kind_ = Kind::flat;
    } else if (axes_.size() == 1) {
      kind_ = Kind::pattern;
      make_pattern(1);
    } else if (axes_.size() == 2 && axes_[0].stride == 0 && stride == 1 && extent <= kLongestPattern) {
      kind_ = Kind::pattern;
      make_pattern(extent);
    }
  }

  bool is_pattern() const { return kind_ == Kind::pattern; }

  /// The numbers for outputs from `begin` on; of a tensor that is neither flat nor a pattern, the next n of
  /// them are written to scratch.
  Stream<T> stream(Index begin, Index n, T* scratch) const {
    if (kind_ == Kind::flat) return {data_ + begin};
    if (kind_ == Kind::pattern) return {pattern_.data(), period_, begin % period_};
    expand(begin, n, scratch);
    return {scratch};
  }

  /// n numbers for outputs from `begin` on, in place or written to scratch.
  const T* numbers(Index begin, Index n, T* scratch) const {
    if (kind_ == Kind::flat) return data_ + begin;
    expand(begin, n, scratch);
    return scratch;
  }

  /// Writes the numbers for outputs [begin, begin + n).
  void expand(Index begin, Index n, T* to) const {
    const int last = static_cast<int>(axes_.size()) - 1;
    std::array<Index, Shape::kMaxRank> at{};
    Index offset = 0, rest = begin;
    for (int i = last; i >= 0; --i) {
      const auto [extent, stride] = axes_[static_cast<std::size_t>(i)];
      at[static_cast<std::size_t>(i)] = rest % extent;
      offset += rest % extent * stride;
      rest /= extent;
    }
    const auto [row, step] = axes_.back();
    for (Index column = at[static_cast<std::size_t>(last)]; n > 0; column = 0) {
      const Index run = std::min(n, row - column);
      if (step == 1)
        std::copy_n(data_ + offset, run, to);
      else
        std::fill_n(to, run, data_[offset]);
      to += run;
      n -= run;
      offset -= column * step;
      for (int i = last - 1; i >= 0; --i) {  // the next row
        const auto [extent, stride] = axes_[static_cast<std::size_t>(i)];
        Index& k = at[static_cast<std::size_t>(i)];
        offset += stride;
        if (++k < extent) break;
        offset -= extent * stride;
        k = 0;
      }
    }
  }

 private:
  enum class Kind { flat, pattern, other };
  static constexpr Index kLongestPattern = 4096;

  /// The first `extent` numbers, over and over.
  void make_pattern(Index extent) {
    period_ = (kPatternTail + extent - 1) / extent * extent;
    pattern_.resize(static_cast<std::size_t>(period_ + kPatternTail));
    for (std::size_t i = 0; i < pattern_.size(); ++i)
      pattern_[i] = data_[i % static_cast<std::size_t>(extent)];
  }

  const T* data_;
  std::vector<BroadcastAxes::AxisStep> axes_;
  Kind kind_ = Kind::other;
  std::vector<T> pattern_;
  Index period_ = 0;
};

}  // namespace basin::cpu
