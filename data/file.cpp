#include "data/file.h"

#include <filesystem>
#include <system_error>

#include "core/error.h"

namespace basin::data {

std::uint64_t regular_file_size(const std::string& path) {
  std::error_code failure;
  const std::filesystem::file_status status = std::filesystem::status(path, failure);
  if (!std::filesystem::exists(status)) throw DataError(path, ": ", failure.message());
  if (!std::filesystem::is_regular_file(status)) throw DataError(path, ": not a regular file");
  const std::uint64_t size = std::filesystem::file_size(path, failure);
  if (failure) throw DataError(path, ": ", failure.message());
  return size;
}

}  // namespace basin::data
