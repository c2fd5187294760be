// Winograd's convolution for AVX2 and FMA.
#include "core/cpu/conv/winograd/winograd_kernel.h"
#include "core/cpu/simd/lanes_avx2.h"

namespace basin::cpu {

extern const WinogradKernels avx2_winograd;
constinit const WinogradKernels avx2_winograd = make_winograd<Avx2, Lanes<F32x8>>();

}  // namespace basin::cpu
