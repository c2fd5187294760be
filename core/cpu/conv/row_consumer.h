// What is done to the rows of a matrix while they are in the cache: how sums over a convolution's result, or
// over a gradient, are formed without another walk through memory.
#pragma once

#include "core/shape.h"

namespace basin::cpu {

/// Takes the rows of a matrix {pixels, channels} as they are made.
class RowConsumer {
 public:
  virtual ~RowConsumer() = default;
  /// The matrix will come in `parts` pieces, which depend on the problem alone.
  virtual void expect(Index parts) = 0;
  /// Piece `part` is complete: rows [first, first + count). Called by the thread that made it, once for each.
  virtual void take(Index part, Index first, Index count) = 0;

  /// A matrix {rows, columns} that is there already, in pieces for all threads.
  void take_all(Index rows, Index columns);
};

}  // namespace basin::cpu
