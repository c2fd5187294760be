// Philox4x32-10 (Salmon et al. 2011), and where the draws of core/random.h stand in it.
#pragma once

#include <array>
#include <cstdint>

#include "core/functors/host_device.h"

namespace basin::functors {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// Ten rounds on `counter` under `key`: each mixes by two products of 32 bits and adds constants to the key.
BASIN_BOTH inline PhiloxCounter philox_rounds(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xd2511f53} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xcd9e8d57} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product0)};
    key[0] += 0x9e3779b9;
    key[1] += 0xbb67ae85;
  }
  return counter;
}

/// 64 bits, the first 32 uppermost, as a multiple of 2^-53 in [0, 1): the upper 53 of them.
BASIN_BOTH inline double unit_interval(std::uint32_t first, std::uint32_t second) {
  return static_cast<double>((static_cast<std::uint64_t>(first) << 32 | second) >> 11) * 0x1p-53;
}

/// The draws at one address, four of 32 bits to a block: block k is philox_rounds of the counter (k, index
/// low, epoch, stream << 24 | index high) under the seed.
struct PhiloxAddress {
  PhiloxKey key;
  PhiloxCounter counter;

  BASIN_BOTH PhiloxAddress(std::uint64_t seed, std::uint32_t stream, std::uint64_t epoch, std::uint64_t index)
      : key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        counter{0, static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(epoch),
                stream << 24 | static_cast<std::uint32_t>(index >> 32)} {}

  BASIN_BOTH PhiloxCounter block(std::uint32_t k) const {
    return philox_rounds({k, counter[1], counter[2], counter[3]}, key);
  }
};

}  // namespace basin::functors
