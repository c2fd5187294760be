// All code that is compiled once per instruction set, as one table: kernels_portable.cpp, kernels_avx2.cpp
// and kernels_avx512.cpp each define theirs, and nothing else is compiled with their flags.
#pragma once

#include "core/cpu/conv/kernels.h"
#include "core/cpu/conv/winograd/winograd_table.h"
#include "core/cpu/loops/loops.h"

namespace basin::cpu {

struct KernelTable {
  Loops<float> loops;
  Kernels kernels;
  WinogradKernels winograd;
};

extern const KernelTable portable_kernels;
#if defined(__x86_64__)
extern const KernelTable avx2_kernels, avx512_kernels;
#endif

}  // namespace basin::cpu
