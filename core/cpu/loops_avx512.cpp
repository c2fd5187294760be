// The loops for AVX-512 (F, BW, DQ, VL).
#include "core/cpu/lanes_avx512.h"
#include "core/cpu/loops_table.h"

namespace basin::cpu {

extern const Loops<float> avx512_loops;
constinit const Loops<float> avx512_loops = loops_of<F32x16>();

}  // namespace basin::cpu
