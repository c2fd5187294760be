// Sums over all rows of a matrix {rows, channels}, for any number of channels, in fixed tasks.
#pragma once

#include <algorithm>

#include "core/cpu/loops/loops.h"
#include "core/cpu/memory/arena.h"
#include "core/parallel.h"

namespace basin::cpu {

/// Numbers of a task, about, and matrix rows of one that sums, at least: it leaves sums for all columns.
inline constexpr Index kColumnTask = 16384, kColumnTaskRows = 64;

/// The matrix as the column loops want it: `repeat` rows are read as one of `width` columns, which fill
/// vectors well. Rows that do not fill the last such row come as a padded one.
struct Columns {
  Index channels, repeat, width;

  explicit Columns(Index channels_) : channels(channels_), repeat(1), width(channels_) {
    constexpr Index kWidest = 256, kVector = 16;
    const auto waste = [](Index w) {
      return static_cast<double>((w + kVector - 1) / kVector * kVector) / static_cast<double>(w);
    };
    for (Index n = 1; n == 1 || n * channels <= kWidest; ++n) {
      const Index w = n * channels;
      if (w < kColumns || (width >= kColumns && waste(w) >= waste(width))) continue;
      repeat = n;
      width = w;
    }
  }

  /// `values` {channels} once for each column.
  template <class T>
  Buffer<T> repeated(const T* values) const {
    Buffer<T> all(width);
    for (Index j = 0; j < width; ++j) all[j] = values[j % channels];
    return all;
  }

  /// A padded row: the last `rest` rows of a matrix that begin at x, then `padding` (one for each column).
  template <class T>
  Buffer<T> padded(const T* x, Index rest, const T* padding) const {
    Buffer<T> row(width);
    std::copy_n(x, rest * channels, row.data());
    std::copy(padding + rest * channels, padding + width, row.data() + rest * channels);
    return row;
  }
};

}  // namespace basin::cpu
