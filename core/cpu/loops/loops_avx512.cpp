// The loops for AVX-512 (F, BW, DQ, VL).
#include "core/cpu/loops/loops_table.h"
#include "core/cpu/simd/lanes_avx512.h"

namespace basin::cpu {

extern const Loops<float> avx512_loops;
constinit const Loops<float> avx512_loops = loops_of<F32x16>();

}  // namespace basin::cpu
