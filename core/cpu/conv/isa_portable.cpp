// The kernels for what the compiler assumes of every CPU.
#include "core/cpu/conv/depthwise_kernel.h"

namespace basin::cpu {

extern const Kernels portable_kernels;
constinit const Kernels portable_kernels = make_kernels<Portable, Lanes<F32x4>>("portable");

}  // namespace basin::cpu
