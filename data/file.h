// Small questions about files that every reader asks.
#pragma once

#include <cstdint>
#include <string>

namespace basin::data {

/// Size in bytes. Errors: DataError naming the path if nothing is there, or not a regular file.
std::uint64_t regular_file_size(const std::string& path);

}  // namespace basin::data
