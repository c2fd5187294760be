// The loops for AVX2 and FMA.
#include "core/cpu/lanes_avx2.h"
#include "core/cpu/loops_table.h"

namespace basin::cpu {

extern const Loops<float> avx2_loops;
constinit const Loops<float> avx2_loops = loops_of<F32x8>();

}  // namespace basin::cpu
