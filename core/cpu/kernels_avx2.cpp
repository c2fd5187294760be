// All kernels for AVX2 and FMA.
#include "core/cpu/kernel_table_of.h"
#include "core/cpu/simd/lanes_avx2.h"

namespace basin::cpu {

constinit const KernelTable avx2_kernels = kernel_table_of<F32x8>();

}  // namespace basin::cpu
