// What the tests of tensor functions share: random tensors, comparison with an f64 reference, and the same
// computation for several numbers of threads and all instruction sets.
#pragma once

#include <cstring>

#include "core/ops.h"
#include "tests/core/kernel_testing.h"

namespace tensor_testing {

using namespace basin;
using kernel_testing::WithInstructionSet;
using kernel_testing::WithThreads;
using Values = std::vector<double>;

inline constexpr Dtype kBothDtypes[] = {Dtype::f32, Dtype::f64};

/// Numbers in [low, high), representable in f32 whatever the dtype.
inline Tensor random(const Shape& shape, Dtype dtype, std::uint32_t seed = 1, double low = -1,
                     double high = 1) {
  std::vector<float> values = kernel_testing::numbers<float>(shape.elements(), seed);
  for (float& v : values) v = static_cast<float>(low + (high - low) * (static_cast<double>(v) + 1) / 2);
  return Tensor::from(values, shape).to(dtype);
}

inline Values values_of(const Tensor& t) { return t.to_vector<double>(); }

/// The largest |got - want| / (|want| + floor); infinity if only one is NaN or infinite, or the counts
/// differ.
inline double largest_error(const Tensor& got, const Values& want, double floor = 1) {
  const Values g = values_of(got);
  if (g.size() != want.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t i = 0; i < g.size(); ++i) {
    if (g[i] == want[i] || (std::isnan(g[i]) && std::isnan(want[i]))) continue;
    const double error = std::fabs(g[i] - want[i]) / (std::fabs(want[i]) + floor);
    if (!(error <= largest)) largest = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
  }
  return largest;
}

/// Rounding of a few operations in each dtype.
inline double tolerance(Dtype dtype) { return dtype == Dtype::f32 ? 1e-6 : 1e-14; }

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         (a.elements() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0);
}

/// compute() -> Tensors gives the same bits for 1, 2, 3 and 4 threads, with each instruction set.
template <class Compute>
void check_threads(Compute compute) {
  for (const std::string& name : cpu::instruction_sets()) {
    CAPTURE(name);
    const WithInstructionSet isa(name);
    Tensors first;
    for (int threads = 1; threads <= 4; ++threads) {
      CAPTURE(threads);
      const WithThreads with(threads);
      const Tensors now = compute();
      if (threads == 1) first = now;
      REQUIRE(now.size() == first.size());
      for (std::size_t i = 0; i < now.size(); ++i) CHECK(same_bits(now[i], first[i]));
    }
  }
}

/// Calls body() with each instruction set in use.
template <class Body>
void for_instruction_sets(Body body) {
  for (const std::string& name : cpu::instruction_sets()) {
    CAPTURE(name);
    const WithInstructionSet isa(name);
    body();
  }
}

/// The flat position in a tensor of shape `s`, broadcast to `out`, that belongs to flat position `flat` of
/// out.
inline std::size_t source_of(Index flat, const Shape& s, const Shape& out) {
  Index at = 0, step = 1;
  for (int i = out.rank() - 1, k = s.rank() - 1; k >= 0; --i, --k) {
    if (s[k] != 1) at += flat % out[i] * step;
    step *= s[k];
    flat /= out[i];
  }
  return static_cast<std::size_t>(at);
}

}  // namespace tensor_testing
