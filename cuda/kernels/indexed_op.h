// What kernels write where they meet an index that points outside, for host and device.
#pragma once

#include <cstdint>

#include "core/functors/host_device.h"

namespace basin::cuda {

/// Whose indices a kernel was given.
enum class IndexedOp : std::uint8_t {
  none,
  gather,
  scatter_add,
  gather_last,
  scatter_add_last,
  cross_entropy
};
/// As written in the enumeration.
inline const char* name_of(IndexedOp op) {
  constexpr const char* names[] = {"none",        "gather",           "scatter_add",
                                   "gather_last", "scatter_add_last", "cross_entropy"};
  return names[static_cast<int>(op)];
}

/// An index of `op` was outside [0, extent), as one word, which is not 0: op 2^56 + extent.
struct IndexError {
  IndexedOp op;
  std::int64_t extent;

  BASIN_BOTH unsigned long long word() const {
    return static_cast<unsigned long long>(op) << 56 | static_cast<unsigned long long>(extent);
  }
  static IndexError of(unsigned long long word) {
    return {static_cast<IndexedOp>(word >> 56), static_cast<std::int64_t>(word & ~(~0ULL << 56))};
  }
};

}  // namespace basin::cuda
