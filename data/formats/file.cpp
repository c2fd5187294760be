#include "data/formats/file.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "core/io/files.h"

namespace basin::data {
namespace {

using namespace std::string_view_literals;

struct PackingMark {
  std::size_t offset;
  std::string_view bytes;
  Packing packing;
};

constexpr PackingMark kPackings[] = {
    {0, "\x1f\x8b"sv, {"compressed by gzip", "gunzip"}},
    {0, "\x1f\x9d"sv, {"compressed by compress", "gunzip"}},
    {0, "BZh"sv, {"compressed by bzip2", "bunzip2"}},
    {0, "\xfd\x37zXZ\0"sv, {"compressed by xz", "unxz"}},
    {0, "\x28\xb5\x2f\xfd"sv, {"compressed by zstd", "unzstd"}},
    {0, "\x04\x22\x4d\x18"sv, {"compressed by lz4", "unlz4"}},
    {0, "PK\x03\x04"sv, {"a zip archive", "unzip"}},
    {0, "PK\x05\x06"sv, {"an empty zip archive", "unzip"}},
    {0, "7z\xbc\xaf\x27\x1c"sv, {"a 7z archive", "7z x"}},
    {0, "Rar!\x1a\x07"sv, {"a rar archive", "unrar x"}},
    {257, "ustar"sv, {"a tar archive", "tar -xf"}},
};

}  // namespace

std::string first_bytes(const std::string& path) {
  const InputFile file(path);
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), 512)), '\0');
  file.read(0, bytes.data(), bytes.size());
  return bytes;
}

const Packing* packing_of(std::string_view bytes) {
  for (const PackingMark& mark : kPackings)
    if (bytes.size() >= mark.offset && bytes.substr(mark.offset).starts_with(mark.bytes))
      return &mark.packing;
  return nullptr;
}

std::string unpack_first(const std::string& path, const Packing& packing) {
  return text(path, ": is ", packing.what, "; unpack it first, with: ", packing.unpack, ' ', path);
}

std::string packed_there(const std::string& dir) {
  std::error_code failure;
  std::vector<std::string> paths;
  std::filesystem::directory_iterator at(dir, failure);
  for (; !failure && at != std::filesystem::directory_iterator(); at.increment(failure))
    paths.push_back(at->path().string());
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    if (!std::filesystem::is_regular_file(path, failure)) continue;
    try {
      if (const Packing* packing = packing_of(first_bytes(path)))
        return text("; there is ", path, ", ", packing->what, "; unpack it first, with: ", packing->unpack,
                    ' ', path);
    } catch (const DataError&) {
      continue;
    }
  }
  return "";
}

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
