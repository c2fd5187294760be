// Small questions about files that every reader asks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace basin::data {

/// Size in bytes. Errors: DataError naming the path if nothing is there, or not a regular file.
std::uint64_t regular_file_size(const std::string& path);

/// The first 512 bytes of a file, or all that it has. Errors: DataError naming the path.
std::string first_bytes(const std::string& path);

/// How a file is packed.
struct Packing {
  const char* what;    // "compressed by gzip"
  const char* unpack;  // the program that unpacks it: "gunzip"
};

/// Told by first_bytes(); null for a file that is not packed in a known way.
const Packing* packing_of(std::string_view bytes);

/// "FILE: is compressed by gzip; unpack it first, with: gunzip FILE".
std::string unpack_first(const std::string& path, const Packing& packing);

/// The first packed file in a folder, by name, as a remark on something that was not found there: "; there is
/// DIR/x.zip, a zip archive; unpack it first, with: unzip DIR/x.zip". Empty if there is none.
std::string packed_there(const std::string& dir);

}  // namespace basin::data
