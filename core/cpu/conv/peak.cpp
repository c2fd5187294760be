#include "core/cpu/conv/peak.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/cpu/conv/kernels.h"
#include "core/cpu/memory/arena.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

template <class Run>
double seconds(Run run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

double multiply_add_peak() {
  constexpr Index kSteps = 20000;
  const Kernels& isa = kernels();
  const int threads = thread_count();
  const double operations = threads * isa.multiply_add_chains(1) * static_cast<double>(kSteps);
  const double took =
      seconds([&] { parallel_for(threads, [&](Index, int) { isa.multiply_add_chains(kSteps); }); });
  return operations / took;
}

double copy_bandwidth() {
  constexpr Index kChunk = Index{1} << 20, kChunks = 64;  // bytes
  Buffer<char> from(kChunks * kChunk), to(kChunks * kChunk);
  std::memset(from.data(), 1, static_cast<std::size_t>(from.size()));
  const auto copy = [&] {
    parallel_for(kChunks, [&](Index i, int) {
      std::memcpy(to.data() + i * kChunk, from.data() + i * kChunk, static_cast<std::size_t>(kChunk));
    });
  };
  copy();  // touches every page
  double best = seconds(copy);
  for (int again = 0; again < 2; ++again) best = std::min(best, seconds(copy));
  return 2.0 * static_cast<double>(kChunks * kChunk) / best;
}

}  // namespace basin::cpu
