// Winograd's convolution for what the compiler assumes of every CPU.
#include "core/cpu/conv/winograd/winograd_kernel.h"

namespace basin::cpu {

extern const WinogradKernels portable_winograd;
constinit const WinogradKernels portable_winograd = make_winograd<Portable, Lanes<F32x4>>();

}  // namespace basin::cpu
