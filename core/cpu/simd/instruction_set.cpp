// See instruction_set.h.
#include "core/cpu/simd/instruction_set.h"

#include <atomic>
#include <cstdlib>

#include "core/error.h"
#include "core/io/utf8.h"

namespace basin::cpu {
namespace {

struct Candidate {
  InstructionSet set;
  const char* name;
  bool supported;  // by this CPU
};

// Of this build, best first.
std::vector<Candidate> candidates() {
  std::vector<Candidate> all;
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  all.push_back({InstructionSet::avx512, "avx512", avx512});
  all.push_back({InstructionSet::avx2, "avx2", avx2});
#endif
  all.push_back({InstructionSet::portable, "portable", true});
  return all;
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

InstructionSet choose(const std::string& name) {
  for (const Candidate& candidate : candidates()) {
    if (name.empty() && candidate.supported) return candidate.set;
    if (name != candidate.name) continue;
    if (candidate.supported) return candidate.set;
    throw UsageError("BASIN_ARCH ", name, ": this CPU does not have it, but ", joined(instruction_sets()));
  }
  throw UsageError("BASIN_ARCH ", quote(name),
                   " is no instruction set of this build; this CPU has: ", joined(instruction_sets()));
}

InstructionSet from_environment() {
  const char* name = std::getenv("BASIN_ARCH");
  return choose(name ? name : "");
}

constexpr int kNotChosen = -1;
std::atomic<int> in_use{kNotChosen};

}  // namespace

InstructionSet chosen_instruction_set() {
  int chosen = in_use.load(std::memory_order_relaxed);
  if (chosen == kNotChosen) {
    chosen = static_cast<int>(from_environment());
    in_use.store(chosen, std::memory_order_relaxed);
  }
  return static_cast<InstructionSet>(chosen);
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const Candidate& candidate : candidates())
    if (candidate.supported) names.push_back(candidate.name);
  return names;
}

void use_instruction_set(const std::string& name) {
  in_use.store(static_cast<int>(name.empty() ? from_environment() : choose(name)), std::memory_order_relaxed);
}

const char* instruction_set() {
  const InstructionSet chosen = chosen_instruction_set();
  for (const Candidate& candidate : candidates())
    if (candidate.set == chosen) return candidate.name;
  throw InternalError("[instruction_set] one that is no candidate is in use");
}

}  // namespace basin::cpu
