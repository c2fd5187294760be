// The loops for AVX2 and FMA.
#include "core/cpu/loops/loops_table.h"
#include "core/cpu/simd/lanes_avx2.h"

namespace basin::cpu {

extern const Loops<float> avx2_loops;
constinit const Loops<float> avx2_loops = loops_of<F32x8>();

}  // namespace basin::cpu
