#include "data/sets/image_folder.h"

#include <filesystem>
#include <numeric>

#include "core/error.h"
#include "core/io/files.h"
#include "core/io/hash.h"
#include "data/formats/decode.h"
#include "data/formats/file.h"

namespace basin::data {

namespace fs = std::filesystem;

std::uint64_t ImageFolder::bytes() const {
  return std::accumulate(files.begin(), files.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const ImageFile& file) { return sum + file.bytes; });
}

std::vector<std::int64_t> ImageFolder::labels() const {
  std::vector<std::int64_t> all;
  for (const ImageFile& file : files) all.push_back(file.label);
  return all;
}

std::string ImageFolder::path_of(std::int64_t index) const {
  return (fs::path(root) / files[static_cast<std::size_t>(index)].path).string();
}

std::string ImageFolder::read(std::int64_t index) const {
  const ImageFile& file = files[static_cast<std::size_t>(index)];
  if (file.shard < 0) return read_file(path_of(index), kMostImageBytes);
  if (file.bytes > kMostImageBytes)
    throw DataError(path_of(index), ": has ", file.bytes, " bytes, at most ", kMostImageBytes, " are read");
  // Opened anew each time: there may be more shards than a process may have open files.
  const InputFile shard((fs::path(root) / shards[static_cast<std::size_t>(file.shard)]).string());
  std::string bytes(static_cast<std::size_t>(file.bytes), '\0');
  shard.read(file.offset, bytes.data(), bytes.size());
  return bytes;
}

std::string folder_hash(const ImageFolder& folder) {
  Sha256 sum;
  const auto add = [&sum](const std::string& line) {
    sum.update(line.c_str(), line.size() + 1);
  };  // with NUL
  add(text("basin-folder ", folder.size(), ' ', folder.classes()));
  for (const std::string& name : folder.class_names) add(name);
  for (const ImageFile& file : folder.files) {
    add(file.path);
    add(text(file.label, ' ', file.bytes));
  }
  return sum.hex();
}

ImageFolder select(const ImageFolder& folder, const std::vector<std::int64_t>& indices) {
  if (indices.empty()) throw ArgumentError("[data] select expects at least one index");
  ImageFolder chosen = folder;
  chosen.files.clear();
  for (const std::int64_t index : indices) {
    if (index < 0 || index >= folder.size()) {
      throw ArgumentError("[data] ", folder.root, " has no picture ", index, ", only ", folder.size());
    }
    chosen.files.push_back(folder.files[static_cast<std::size_t>(index)]);
  }
  chosen.hash = folder_hash(chosen);
  return chosen;
}

}  // namespace basin::data
