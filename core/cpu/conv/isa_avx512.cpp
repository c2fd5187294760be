// The kernels for AVX-512 (F, BW, DQ, VL).
#include "core/cpu/conv/depthwise_kernel.h"
#include "core/cpu/simd/lanes_avx512.h"

namespace basin::cpu {

extern const Kernels avx512_kernels;
constinit const Kernels avx512_kernels = make_kernels<Avx512, Lanes<F32x16>>("avx512");

}  // namespace basin::cpu
