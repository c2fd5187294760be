// The loops for what the compiler assumes of every CPU, and those of f64.
#include "core/cpu/loops/loops_table.h"

namespace basin::cpu {

extern const Loops<float> portable_loops;
constinit const Loops<float> portable_loops = loops_of<F32x4>();

template <>
const Loops<double>& loops<double>() {
  static constexpr Loops<double> table = loops_of<F64x1>();
  return table;
}

}  // namespace basin::cpu
