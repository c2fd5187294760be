// The table of the instruction set in use, handed out by its parts.
#include "core/cpu/kernel_table.h"

#include "core/cpu/simd/instruction_set.h"

namespace basin::cpu {
namespace {

const KernelTable& table() {
  switch (chosen_instruction_set()) {
#if defined(__x86_64__)
    case InstructionSet::avx512:
      return avx512_kernels;
    case InstructionSet::avx2:
      return avx2_kernels;
#endif
    default:
      return portable_kernels;
  }
}

}  // namespace

template <>
const Loops<float>& loops<float>() {
  return table().loops;
}

const Kernels& kernels() { return table().kernels; }

const WinogradKernels& winograd_kernels() { return table().winograd; }

}  // namespace basin::cpu
