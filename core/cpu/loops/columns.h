// Sums over all rows of a matrix {rows, channels}, for any number of channels, in fixed tasks.
#pragma once

#include <algorithm>

#include "core/cpu/loops/loops.h"
#include "core/cpu/memory/arena.h"
#include "core/parallel.h"

namespace basin::cpu {

/// A task reads about so many numbers; one that sums reads at least so many rows, because it leaves behind a
/// sum for every column, which others must add up.
inline constexpr Index kColumnTask = 16384, kColumnTaskRows = 64;

/// The same matrix, read in wider rows. Loops over columns are fast if the columns fill whole vectors, and
/// images often have few channels: of {100, 3}, `repeat` = 32 rows of 3 numbers, which follow one another in
/// memory, are read as one row of `width` = 96, three times; column j belongs to channel j % 3, whose sums
/// are joined afterwards. The 4 rows left are copied to one more wide row, filled up with numbers that add
/// nothing.
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
