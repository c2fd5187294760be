// Scratch memory and packing shared by the drivers of the fast kernels.
#pragma once

#include "core/cpu/conv/kernels.h"

namespace basin::cpu {

/// The slots of thread_scratch that the kernels use; 4 to 7 are free for their callers.
enum class Slot { panels = 0, rows = 1, shared = 2, images = 3 };

/// `count` floats of the calling thread's scratch memory.
float* scratch(Slot slot, Index count);

constexpr Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }
constexpr Index round_up(Index a, Index b) { return ceil_div(a, b) * b; }

/// How many independent sums, at most 16, a long reduction is split into: a power of two that gives each of
/// them at least `least` of the `length` terms and keeps their buffers of `floats` each within 8 MiB
/// together. Depends on the problem alone, never on the number of threads.
Index partial_sums(Index length, Index least, Index floats);

/// One panel of B {depth, lanes}: out {depth, width}, zeros beyond lanes. `transposed`: B is stored {lanes,
/// depth}.
void pack_panel(const Kernels& isa, bool transposed, const float* b, Index stride, Index depth, Index lanes,
                Index width, float* out);

}  // namespace basin::cpu
