#include "data/folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "data/decode.h"

namespace basin::data {
namespace {

namespace fs = std::filesystem;

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

bool named_as_picture(const fs::path& path) {
  static constexpr std::array<const char*, 10> endings = {".jpg",  ".jpeg", ".png",  ".gif", ".bmp",
                                                          ".webp", ".tif",  ".tiff", ".ppm", ".pgm"};
  std::string ending = path.extension().string();
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

// What is in a folder, hidden names left out.
std::vector<fs::directory_entry> entries_of(const fs::path& folder) {
  std::error_code failure;
  std::vector<fs::directory_entry> entries;
  fs::directory_iterator at(folder, failure);
  for (; !failure && at != fs::directory_iterator(); at.increment(failure)) {
    if (!hidden(at->path())) entries.push_back(*at);
  }
  if (failure) throw DataError(folder.string(), ": ", failure.message());
  return entries;
}

void list_pictures(const fs::path& folder, const std::string& prefix, std::int64_t label, ImageFolder& out) {
  for (const fs::directory_entry& entry : entries_of(folder)) {
    std::error_code failure;
    const std::string path = prefix + entry.path().filename().string();
    if (entry.is_directory(failure)) {
      if (!entry.is_symlink(failure)) list_pictures(entry.path(), path + "/", label, out);
    } else if (named_as_picture(entry.path())) {
      const std::uintmax_t bytes = entry.file_size(failure);
      out.files.push_back({.path = path, .label = label, .bytes = failure ? 0 : bytes});
    } else {
      ++out.ignored;
    }
  }
}

std::vector<std::string> class_folders(const std::string& root) {
  std::error_code failure;
  if (!fs::is_directory(root, failure)) {
    throw DataError(root,
                    ": no such folder; an image folder is DIR/train/CLASS/*.jpg and DIR/test/CLASS/*.jpg");
  }
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : entries_of(root)) {
    if (entry.is_directory(failure)) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  if (names.empty()) throw DataError(root, ": holds no folder; one a class is expected");
  return names;
}

}  // namespace

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

ImageFolder scan_image_folder(const std::string& root, const std::vector<std::string>& class_names) {
  ImageFolder folder{.root = root, .split = fs::path(root).filename().string()};
  const std::vector<std::string> found = class_folders(root);
  folder.class_names = class_names.empty() ? found : class_names;
  for (const std::string& name : found) {
    const auto place = std::find(folder.class_names.begin(), folder.class_names.end(), name);
    if (place == folder.class_names.end()) {
      throw DataError((fs::path(root) / name).string(), ": a class that the training folder does not have");
    }
    const std::size_t before = folder.files.size();
    list_pictures(fs::path(root) / name, name + "/", place - folder.class_names.begin(), folder);
    if (class_names.empty() && folder.files.size() == before) {
      throw DataError((fs::path(root) / name).string(), ": a class without pictures");
    }
  }
  if (folder.files.empty()) throw DataError(root, ": holds no picture");
  std::sort(folder.files.begin(), folder.files.end(), [](const ImageFile& a, const ImageFile& b) {
    return std::tie(a.label, a.path) < std::tie(b.label, b.path);
  });
  folder.hash = folder_hash(folder);
  return folder;
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

Verification verify(const ImageFolder& folder) {
  const auto count = static_cast<std::size_t>(folder.size());
  std::vector<std::string> reasons(count);
  std::vector<std::string> sums(count);
  parallel_for(folder.size(), [&](std::int64_t index, int) {
    const auto i = static_cast<std::size_t>(index);
    const std::string path = folder.path_of(index);
    try {
      const std::string bytes = folder.read(index);
      Sha256 sum;
      sum.update(bytes.data(), bytes.size());
      sums[i] = sum.hex();
      decode_image(bytes, path);
    } catch (const Error& error) {
      reasons[i] = error.what();
    }
  });
  Verification result{.files = folder.size(), .bytes = folder.bytes()};
  std::map<std::string, std::string> first;  // path of the first file with these bytes
  Sha256 all;
  bool complete = true;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& path = folder.files[i].path;
    if (!reasons[i].empty()) result.bad.push_back({path, reasons[i], static_cast<std::int64_t>(i)});
    complete = complete && !sums[i].empty();
    all.update(sums[i].data(), sums[i].size());
    if (sums[i].empty()) continue;
    const auto known = first.emplace(sums[i], path);
    if (!known.second) result.repeated.emplace_back(path, known.first->second);
  }
  if (complete) result.content_hash = all.hex();
  return result;
}

ImageFolder without_bad_images(const ImageFolder& folder) {
  ImageFolder good = folder;
  const std::vector<BadImage> bad = verify(folder).bad;
  good.files.clear();
  std::size_t next = 0;  // of bad, which is in the order of the files
  for (std::int64_t i = 0; i < folder.size(); ++i) {
    if (next < bad.size() && bad[next].index == i) {
      good.bad.push_back(bad[next++]);
    } else {
      good.files.push_back(folder.files[static_cast<std::size_t>(i)]);
    }
  }
  std::vector<std::int64_t> left(folder.class_names.size());
  for (const ImageFile& file : good.files) ++left[static_cast<std::size_t>(file.label)];
  for (const ImageFile& file : folder.files) {
    const auto label = static_cast<std::size_t>(file.label);
    if (left[label] == 0) {
      throw DataError((fs::path(folder.root) / folder.class_names[label]).string(),
                      ": no picture of this class can be read; the first bad one: ", good.bad.front().reason);
    }
  }
  good.hash = folder_hash(good);
  return good;
}

ImageFolders load_image_folders(const std::string& dir, BadImages bad_images, const std::string& evaluate) {
  if (dir.empty()) throw DataError("image folder: no data directory given (--data-dir DIR)");
  ImageFolders folders{.train = scan_image_folder((fs::path(dir) / "train").string())};
  std::vector<std::string> names = {"test", "val", "validation"};
  if (!evaluate.empty()) names = {evaluate};
  std::error_code ignored;
  const auto name = std::find_if(names.begin(), names.end(), [&](const std::string& candidate) {
    return fs::is_directory(fs::path(dir) / candidate, ignored);
  });
  if (name == names.end()) {
    throw DataError(dir, ": no folder ", evaluate.empty() ? "test, val or validation" : evaluate,
                    " beside train to evaluate on");
  }
  folders.test = scan_image_folder((fs::path(dir) / *name).string(), folders.train.class_names);
  if (bad_images == BadImages::skip) {
    folders.train = without_bad_images(folders.train);
    folders.test = without_bad_images(folders.test);
  }
  return folders;
}

}  // namespace basin::data
