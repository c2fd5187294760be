// IDX, the format of MNIST and its relatives: 0 0 type rank, big-endian 32-bit extents, values in row-major
// order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/watch.h"

namespace basin::data {

/// The contents of one IDX file of unsigned bytes.
struct IdxArray {
  std::vector<std::int64_t> extents;  // all > 0
  std::vector<std::uint8_t> values;   // as many as the product of the extents
};

/// Reads an IDX file of unsigned bytes with `rank` extents (1 to 3), plain or gzip (told apart by content).
/// No length in the file is trusted: memory grows with the bytes that are really there. Errors: DataError
/// naming the file: missing, not IDX (an HTML page), other type or rank, an extent of 0, extents whose
/// product is not exactly the payload, damaged gzip.
IdxArray read_idx(const std::string& path, int rank, const Watch& watch = {});

}  // namespace basin::data
