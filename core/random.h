// Random numbers with an address: value = f(seed, stream, epoch, index, draw). A counter-based generator
// (Philox4x32-10, Salmon et al. 2011), so there is no state to save and nothing depends on call order.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace basin {

/// Ten rounds of Philox4x32 on `counter` under `key`.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// What the draws are for; part of the address, so that no two uses share numbers.
enum class Stream : std::uint32_t { init = 1, shuffle, augment, dropout, label_noise, split, synthetic, probe, user };

/// A sequence of draws at one address. Cheap to make; make one per sample or per tensor. Draws are consumed in
/// order; two generators with the same address give the same sequence.
class Random {
 public:
  Random(std::uint64_t seed, Stream stream, std::uint64_t epoch = 0, std::uint64_t index = 0);

  std::uint32_t bits();                        // 32 uniform bits
  double uniform();                            // [0, 1), 53 bits
  double uniform(double low, double high);     // [low, high)
  double normal();                             // mean 0, deviation 1 (Box-Muller in f64)
  std::uint64_t below(std::uint64_t n);        // uniform on 0..n-1, unbiased; n >= 1

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint32_t stream_ = 0;
  std::uint32_t epoch_ = 0;
  std::uint64_t index_ = 0;
  std::uint64_t block_ = 0;
  std::array<std::uint32_t, 4> buffer_{};
  int used_ = 4;
  bool has_spare_ = false;
  double spare_ = 0;
};

/// A permutation of 0..n-1 (Fisher-Yates), a pure function of its address.
std::vector<std::int64_t> permutation(std::int64_t n, std::uint64_t seed, Stream stream, std::uint64_t epoch);

}  // namespace basin
