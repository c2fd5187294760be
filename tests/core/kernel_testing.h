// What the tests of the CPU kernels share: numbers to feed them, switches for threads and instruction sets,
// and comparison with an f64 reference.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/cpu/simd/instruction_set.h"
#include "core/parallel.h"

namespace kernel_testing {

using basin::Index;
using basin::WithThreads;

/// Uses an instruction set and goes back to the one before.
class WithInstructionSet {
 public:
  explicit WithInstructionSet(const std::string& name) : before_(basin::cpu::instruction_set()) {
    basin::cpu::use_instruction_set(name);
  }
  ~WithInstructionSet() { basin::cpu::use_instruction_set(before_); }
  WithInstructionSet(const WithInstructionSet&) = delete;
  WithInstructionSet& operator=(const WithInstructionSet&) = delete;

 private:
  std::string before_;
};

/// `count` numbers in [-1, 1), the same for the same seed.
template <class T>
std::vector<T> numbers(Index count, std::uint32_t seed) {
  std::vector<T> values(static_cast<std::size_t>(count));
  std::uint32_t state = seed * 2654435761u + 1u;
  for (T& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<T>(state >> 8) / static_cast<T>(1 << 23) - 1;
  }
  return values;
}

/// A buffer for a result: NaN before the kernel writes it, with a border that it must not touch.
template <class T>
class Result {
 public:
  explicit Result(Index count)
      : values_(static_cast<std::size_t>(count + 2 * kBorder), std::numeric_limits<T>::quiet_NaN()) {
    for (Index i = 0; i < kBorder; ++i) values_[at(i)] = values_[at(kBorder + count + i)] = 7;
  }
  T* data() { return values_.data() + kBorder; }
  const T* data() const { return values_.data() + kBorder; }
  Index size() const { return static_cast<Index>(values_.size()) - 2 * kBorder; }
  T operator[](Index i) const { return values_[at(kBorder + i)]; }
  bool border_intact() const {
    for (Index i = 0; i < kBorder; ++i)
      if (values_[at(i)] != 7 || values_[at(kBorder + size() + i)] != 7) return false;
    return true;
  }

 private:
  static constexpr Index kBorder = 37;
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }
  std::vector<T> values_;
};

/// A sum in f64 and the sum of its terms' magnitudes, against which its rounding error is measured.
struct Sum {
  double value = 0, magnitude = 0;
  void add(double a, double b) {
    value += a * b;
    magnitude += std::fabs(a * b);
  }
};

/// The largest error of `got` in units of the magnitude of its terms; infinity for NaN, a touched border or a
/// non-zero where there is no term.
template <class T>
double largest_error(const Result<T>& got, const std::vector<Sum>& want) {
  REQUIRE(static_cast<std::size_t>(got.size()) == want.size());
  if (!got.border_intact()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (Index i = 0; i < got.size(); ++i) {
    const Sum& sum = want[static_cast<std::size_t>(i)];
    const double difference = std::fabs(static_cast<double>(got[i]) - sum.value);
    if (difference == 0) continue;
    const double error = difference / sum.magnitude;
    if (!(error <= largest)) largest = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
  }
  return largest;
}

template <class T>
bool same_bits(const Result<T>& a, const Result<T>& b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0;
}

/// Rounding of f32 sums of a few thousand terms stays well below; a lost term stays well above.
inline constexpr double kTolerance32 = 1e-6, kTolerance64 = 1e-14;

}  // namespace kernel_testing
