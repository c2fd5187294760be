#include "core/cpu/row_consumer.h"

#include <algorithm>

#include "core/parallel.h"

namespace basin::cpu {

void RowConsumer::take_all(Index rows, Index columns) {
  constexpr Index kNumbers = 16384, kRows = 64;  // of a piece, at least
  const Index count = std::max(kRows, kNumbers / columns), parts = (rows + count - 1) / count;
  expect(parts);
  parallel_for(
      parts, [&](std::int64_t part, int) { take(part, part * count, std::min(count, rows - part * count)); });
}

}  // namespace basin::cpu
