// Winograd's convolution for AVX-512 (F, BW, DQ, VL).
#include "core/cpu/conv/winograd/winograd_kernel.h"
#include "core/cpu/simd/lanes_avx512.h"

namespace basin::cpu {

extern const WinogradKernels avx512_winograd;
constinit const WinogradKernels avx512_winograd = make_winograd<Avx512, Lanes<F32x16>>();

}  // namespace basin::cpu
