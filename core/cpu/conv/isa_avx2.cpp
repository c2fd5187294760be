// The kernels for AVX2 and FMA.
#include "core/cpu/conv/depthwise_kernel.h"
#include "core/cpu/simd/lanes_avx2.h"

namespace basin::cpu {

extern const Kernels avx2_kernels;
constinit const Kernels avx2_kernels = make_kernels<Avx2, Lanes<F32x8>>("avx2");

}  // namespace basin::cpu
