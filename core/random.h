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
enum class Stream : std::uint32_t {
  init = 1,
  shuffle,
  augment,
  dropout,
  label_noise,
  split,
  synthetic,
  probe,
  user,
  shake
};

/// A sequence of draws at one address. Cheap to make; make one per sample or per tensor. Draws are consumed
/// in order; two generators with the same address give the same sequence, on every machine: all arithmetic is
/// integer or IEEE + - * / sqrt.
///
/// The address becomes Philox's input without collisions: key = (seed low, seed high), counter = (block,
/// index low, epoch, stream << 24 | index high), four draws of 32 bits to a block.
class Random {
 public:
  /// Errors: ArgumentError for epoch >= 2^32 or index >= 2^56.
  Random(std::uint64_t seed, Stream stream, std::uint64_t epoch = 0, std::uint64_t index = 0);

  /// 32 uniform bits. Errors: InternalError after 2^34 draws at one address.
  std::uint32_t bits();
  /// Uniform on the multiples of 2^-53 in [0, 1): the upper 53 of 64 bits, the first draw uppermost.
  double uniform();
  /// Uniform on [low, high). Errors: ArgumentError unless low < high with a finite difference.
  double uniform(double low, double high);
  /// Normal with mean 0 and deviation 1 (Box and Muller 1958): u = 1 - uniform(), v = uniform() give
  /// sqrt(-2 ln u) cos(2 pi v) now and sqrt(-2 ln u) sin(2 pi v) at the next call.
  double normal();
  /// Uniform on 0..n-1, unbiased: draws (of 64 bits if n > 2^32) cut to the width of n-1, until one is below
  /// n. Errors: ArgumentError for n = 0.
  std::uint64_t below(std::uint64_t n);

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;  // of the next block
  std::array<std::uint32_t, 4> buffer_{};
  std::uint8_t used_ = 4;  // draws taken from buffer_
  bool exhausted_ = false;
  bool has_spare_ = false;
  double spare_ = 0;
};

/// A permutation of 0..n-1 (Fisher-Yates from the last place down, partner below(place + 1)), a pure function
/// of its address. Errors: ArgumentError for n < 0.
std::vector<std::int64_t> permutation(std::int64_t n, std::uint64_t seed, Stream stream, std::uint64_t epoch);

}  // namespace basin
