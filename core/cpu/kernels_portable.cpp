// All kernels for what the compiler assumes of every CPU, and the loops of f64.
#include "core/cpu/kernel_table_of.h"

namespace basin::cpu {

constinit const KernelTable portable_kernels = kernel_table_of<F32x4>();

template <>
const Loops<double>& loops<double>() {
  static constexpr Loops<double> table = loops_of<F64x1>();
  return table;
}

}  // namespace basin::cpu
