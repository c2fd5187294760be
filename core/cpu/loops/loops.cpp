// Chooses the loops: those of the instruction set that isa.h's kernels use.
#include "core/cpu/loops/loops.h"

#include <string_view>

#include "core/cpu/conv/kernels.h"

namespace basin::cpu {

extern const Loops<float> portable_loops;
#if defined(__x86_64__)
extern const Loops<float> avx512_loops, avx2_loops;
#endif

template <>
const Loops<float>& loops<float>() {
#if defined(__x86_64__)
  const std::string_view name = instruction_set();
  if (name == "avx512") return avx512_loops;
  if (name == "avx2") return avx2_loops;
#endif
  return portable_loops;
}

}  // namespace basin::cpu
