// See packing.h.
#include "core/cpu/conv/packing.h"

#include <algorithm>

#include "core/parallel.h"

namespace basin::cpu {

float* scratch(Slot slot, Index count) {
  return static_cast<float*>(
      thread_scratch(static_cast<int>(slot), static_cast<std::size_t>(count) * sizeof(float)));
}

Index partial_sums(Index length, Index least, Index floats) {
  constexpr Index kMost = 16, kFloats = Index{2} << 20;
  Index sums = 1;
  while (sums < kMost && 2 * sums * least <= length && 2 * sums * floats <= kFloats) sums *= 2;
  return sums;
}

void pack_panel(const Kernels& isa, bool transposed, const float* b, Index stride, Index depth, Index lanes,
                Index width, float* out) {
  if (transposed) {
    if (lanes < width) std::fill_n(out, depth * width, 0.0f);
    isa.transpose({b, stride, lanes, depth, out, width});
    return;
  }
  isa.pack_panels({b, stride, depth, lanes, 1, width, width, out});
}

}  // namespace basin::cpu
