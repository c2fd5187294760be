// Which instruction set the kernels use: the best that this CPU has, or what BASIN_ARCH names.
#pragma once

#include <string>
#include <vector>

namespace basin::cpu {

/// Worst first. `portable` is what the compiler assumes of every CPU of its kind; `avx2` is AVX2 and FMA;
/// `avx512` is AVX-512 F, BW, DQ and VL.
enum class InstructionSet { portable, avx2, avx512 };

/// The one in use, chosen at the first call. Errors: UsageError where BASIN_ARCH names none, or one that this
/// CPU or this build lacks.
InstructionSet chosen_instruction_set();

/// Its name: "portable", "avx2" or "avx512". Errors as chosen_instruction_set().
const char* instruction_set();

/// Names of the instruction sets that this build and this CPU have, best first.
std::vector<std::string> instruction_sets();

/// Changes the one in use (tests, benchmarks); "" = the default choice. Errors as chosen_instruction_set().
/// Not to be called while kernels run.
void use_instruction_set(const std::string& name);

}  // namespace basin::cpu
