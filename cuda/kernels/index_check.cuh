// How a kernel tells the host that an index is outside of what it points into.
#pragma once

#include "cuda/kernels/device.cuh"
#include "cuda/kernels/indexed_op.h"

namespace basin::cuda {

/// A check of indices that should be in [0, extent). `word` is that of the backend's ErrorWord.
struct IndexCheck {
  unsigned long long* word;
  IndexedOp op;
  std::int64_t extent;

  /// Whether the index is there. The caller leaves out one that isn't: nothing is read or written by it.
  __device__ bool holds(std::int64_t index) const {
    if (0 <= index && index < extent) return true;
    atomicExch(word, IndexError{op, extent}.word());
    return false;
  }
  template <class F>
  void for_each_pointer(F f) const {
    f(word);
  }
};

}  // namespace basin::cuda
