// Chooses the instruction set (see isa.h).
#include "core/cpu/conv/isa.h"

#include <atomic>
#include <cstdlib>

#include "core/cpu/conv/kernels.h"
#include "core/error.h"
#include "core/io/utf8.h"

namespace basin::cpu {

#if defined(__x86_64__)
extern const Kernels avx512_kernels, avx2_kernels;
#endif
extern const Kernels portable_kernels;

namespace {

struct Candidate {
  const Kernels* kernels;
  bool supported;
};

// Best first.
std::vector<Candidate> candidates() {
  std::vector<Candidate> all;
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  all.push_back(
      {&avx512_kernels, avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")});
  all.push_back({&avx2_kernels, avx2});
#endif
  all.push_back({&portable_kernels, true});
  return all;
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

const Kernels& choose(const std::string& name) {
  for (const Candidate& candidate : candidates()) {
    if (name.empty() && candidate.supported) return *candidate.kernels;
    if (name != candidate.kernels->name) continue;
    if (candidate.supported) return *candidate.kernels;
    throw UsageError("BASIN_ARCH ", name, ": this CPU does not have it, but ", joined(instruction_sets()));
  }
  throw UsageError("BASIN_ARCH ", quote(name),
                   " is no instruction set of this build; this CPU has: ", joined(instruction_sets()));
}

const Kernels& from_environment() {
  const char* name = std::getenv("BASIN_ARCH");
  return choose(name ? name : "");
}

std::atomic<const Kernels*> in_use{nullptr};

}  // namespace

const Kernels& kernels() {
  const Kernels* chosen = in_use.load(std::memory_order_acquire);
  if (!chosen) {
    chosen = &from_environment();
    in_use.store(chosen, std::memory_order_release);
  }
  return *chosen;
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const Candidate& candidate : candidates())
    if (candidate.supported) names.push_back(candidate.kernels->name);
  return names;
}

void use_instruction_set(const std::string& name) {
  in_use.store(name.empty() ? &from_environment() : &choose(name), std::memory_order_release);
}

const char* instruction_set() { return kernels().name; }

}  // namespace basin::cpu
