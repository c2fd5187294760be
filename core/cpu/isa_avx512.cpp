// The kernels for AVX-512 (F, BW, DQ, VL).
#include "core/cpu/depthwise_kernel.h"

namespace basin::cpu {

extern const Kernels avx512_kernels;
constinit const Kernels avx512_kernels = make_kernels<Avx512>("avx512");

}  // namespace basin::cpu
