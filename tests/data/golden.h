// The committed pictures of tests/data/images, and what Pillow and torchvision make of them (make.py there).
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/io/files.h"
#include "core/io/hash.h"
#include "data/formats/decode.h"

namespace basin::test {

/// One line of golden.txt: the result of an operation on a picture.
struct Golden {
  std::string operation;
  std::string file;
  std::vector<double> arguments;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::string sha256;
};

inline std::string picture_path(const std::string& name) {
  return std::string(BASIN_SOURCE_DIR) + "/tests/data/images/" + name;
}

inline std::string picture_bytes(const std::string& name) { return read_file(picture_path(name)); }

/// The picture in a file.
inline data::Image picture_at(const std::string& path) { return data::decode_image(read_file(path), path); }
inline data::Image picture(const std::string& name) { return picture_at(picture_path(name)); }

/// The lines of `operation`, at least one.
inline std::vector<Golden> goldens(const std::string& operation) {
  std::ifstream in(picture_path("golden.txt"));
  std::vector<Golden> found;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::vector<std::string> all;
    for (std::string word; words >> word;) all.push_back(word);
    if (all.size() < 5 || all[0] != operation) continue;
    const std::size_t n = all.size();
    Golden golden{all[0], all[1], {}, std::stol(all[n - 3]), std::stol(all[n - 2]), all[n - 1]};
    for (std::size_t i = 2; i + 3 < n; ++i) golden.arguments.push_back(std::stod(all[i]));
    found.push_back(golden);
  }
  if (found.empty()) throw DataError("golden.txt has no line for ", operation);
  return found;
}

/// Whether `image` has the size and the pixels of the line.
inline bool equals(const data::Image& image, const Golden& golden) {
  Sha256 sum;
  sum.update(image.pixels.data(), image.pixels.size());
  return image.height == golden.height && image.width == golden.width && sum.hex() == golden.sha256;
}

}  // namespace basin::test
