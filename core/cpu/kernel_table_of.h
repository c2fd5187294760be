// Compiles every loop and kernel for one instruction set. Included by kernels_*.cpp only, so that no template
// compiled for a newer CPU reaches an older one.
#pragma once

#include "core/cpu/conv/depthwise_kernel.h"
#include "core/cpu/conv/winograd/winograd_kernel.h"
#include "core/cpu/kernel_table.h"
#include "core/cpu/loops/loops_table.h"

namespace basin::cpu {
namespace {

/// V: the lanes of the instruction set (simd/lanes.h).
template <class V>
constexpr KernelTable kernel_table_of() {
  return {loops_of<V>(), make_kernels<V>(), make_winograd<V>()};
}

}  // namespace
}  // namespace basin::cpu
