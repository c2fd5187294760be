#include "core/cpu/conv/row_consumer.h"

#include "core/cpu/loops/columns.h"

namespace basin::cpu {

void RowConsumer::take_all(Index rows, Index columns) {
  const Index count = std::max(kColumnTaskRows, kColumnTask / columns), parts = (rows + count - 1) / count;
  expect(parts);
  parallel_for(
      parts, [&](std::int64_t part, int) { take(part, part * count, std::min(count, rows - part * count)); });
}

}  // namespace basin::cpu
