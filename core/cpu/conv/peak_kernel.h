// A kernel that only multiplies and adds in registers: the peak that other kernels are held against.
#pragma once

#include "core/cpu/conv/kernels.h"
#include "core/cpu/simd/sixteen.h"

namespace basin::cpu {
namespace {

/// `steps` rounds of a fused multiply-add in each of some independent chains, enough to hide its latency.
/// Returns the floating-point operations, two for each lane's multiply-add.
template <class V>
double multiply_add_chains(Index steps) {
  constexpr int kChains = V::kRegisters >= 32 ? 12 : V::kRegisters >= 8 ? 5 : 2;
  V sums[kChains];
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) sums[i] = V::broadcast(static_cast<float>(i + 1));
  const V factor = V::broadcast(1e-9f);
  for (Index step = 0; step < steps; ++step) {
    // Each reads its neighbour, so that no product is the same in every round.
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i].add_product(sums[(i + 1) % kChains], factor);
  }
#pragma GCC unroll 12
  for (int i = 1; i < kChains; ++i) sums[0].add(sums[i]);
  float result[kLanes];
  sums[0].store(result);
  volatile float sink = result[0];
  (void)sink;
  return 2.0 * kLanes * kChains * static_cast<double>(steps);
}

}  // namespace
}  // namespace basin::cpu
