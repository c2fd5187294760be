// NumPy's files: arrays by name in a zip file, numpy.savez's way; numpy.load reads them.
#pragma once

#include <string>
#include <vector>

#include "core/archive.h"

namespace basin {

/// Writes the entries in their order to `path`, atomically: a zip file of stored members "NAME.npy", each an
/// array in format 1.0 (little-endian, row-major, header padded to a multiple of 64 bytes). Convolution
/// weights are {O,I,KH,KW}, as in safetensors files. Dates are 1980-01-01, so that the bytes depend on names,
/// numbers and order only. Memory beyond the entries: one tensor. Errors: ArgumentError for a name that is
/// used twice, empty or not UTF-8, an undefined tensor or one that is not on the CPU, more than 65,535
/// entries, 4 GiB or more (a zip file's limits without its 64-bit extension); OutputError.
void write_npz(const std::string& path, const std::vector<ArchiveEntry>& entries);

}  // namespace basin
