// The kernels for AVX2 and FMA.
#include "core/cpu/depthwise_kernel.h"

namespace basin::cpu {

extern const Kernels avx2_kernels;
constinit const Kernels avx2_kernels = make_kernels<Avx2>("avx2");

}  // namespace basin::cpu
