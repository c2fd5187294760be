// All kernels for AVX-512 (F, BW, DQ, VL).
#include "core/cpu/kernel_table_of.h"
#include "core/cpu/simd/lanes_avx512.h"

namespace basin::cpu {

constinit const KernelTable avx512_kernels = kernel_table_of<F32x16>();

}  // namespace basin::cpu
