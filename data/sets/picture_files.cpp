#include "data/sets/picture_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "core/io/files.h"
#include "core/io/hash.h"
#include "data/formats/decode.h"

namespace basin::data {
namespace {

namespace fs = std::filesystem;

template <std::size_t n>
bool among(const std::array<std::string_view, n>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// A file's part of what ImageFile says.
ImageFile asked(const std::string& path) {
  ImageFile answer;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    answer.error = errno;
    return answer;
  }
  if (!S_ISREG(info.st_mode)) answer.error = S_ISDIR(info.st_mode) ? EISDIR : ImageFile::kNotRegular;
  answer.bytes = answer.error == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  answer.stamp = {.inode = static_cast<std::uint64_t>(info.st_ino),
                  .modified = nanoseconds(info.st_mtim),
                  .changed = nanoseconds(info.st_ctim)};
  return answer;
}

/// Why a picture cannot be read as far as shows without decoding it; "" for nothing.
std::string fault_of(const ImageFolder& folder, std::int64_t index) {
  const ImageFile& file = folder.files[static_cast<std::size_t>(index)];
  const std::string path = folder.path_of(index);
  if (file.error == ImageFile::kNotRegular) return path + ": a device or pipe, a regular file is expected";
  if (file.error != 0) return path + ": " + std::strerror(file.error);
  if (ending_of(file.path) == Ending::read) return "";
  try {
    expect_format(folder.read(index), path);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

Ending ending_of(std::string_view name) {
  using namespace std::string_view_literals;
  static constexpr std::array kRead = {"jpg"sv, "jpeg"sv, "jpe"sv, "jfif"sv, "jif"sv, "png"sv, "apng"sv};
  static constexpr std::array kDoubtful = {"gif"sv, "bmp"sv, "webp"sv, "tif"sv, "tiff"sv, "ppm"sv, "pgm"sv};
  static constexpr std::array kForeign = {"heic"sv, "heif"sv, "hif"sv, "avif"sv, "jp2"sv, "j2k"sv, "jpx"sv,
                                          "jpf"sv,  "jls"sv,  "jxl"sv, "jxr"sv,  "pbm"sv, "pnm"sv, "dib"sv,
                                          "mng"sv,  "jng"sv,  "ico"sv, "tga"sv,  "psd"sv, "svg"sv, "qoi"sv,
                                          "exr"sv,  "hdr"sv,  "dng"sv, "cr2"sv,  "nef"sv, "arw"sv};
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return Ending::other;
  std::string ending(name.substr(dot + 1));
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return among(kRead, ending)       ? Ending::read
         : among(kDoubtful, ending) ? Ending::doubtful
         : among(kForeign, ending)  ? Ending::foreign
                                    : Ending::other;
}

void look_up(ImageFolder& folder, const Watch& watch) {
  std::vector<FileStamp> shards;
  for (const std::string& shard : folder.shards)
    shards.push_back(asked((fs::path(folder.root) / shard).string()).stamp);
  watched_for(folder.size(), watch, [&](std::int64_t index) {
    ImageFile& file = folder.files[static_cast<std::size_t>(index)];
    if (file.shard >= 0) {
      file.stamp = shards[static_cast<std::size_t>(file.shard)];
      return;
    }
    const ImageFile answer = asked(folder.path_of(index));
    file.bytes = answer.bytes;
    file.stamp = answer.stamp;
    file.error = answer.error;
  });
}

void expect_readable(const ImageFolder& folder) {
  std::int64_t faults = 0;
  std::string first;
  for (std::int64_t i = 0; i < folder.size(); ++i) {
    const std::string fault = fault_of(folder, i);
    if (!fault.empty() && faults++ == 0) first = fault;
  }
  if (faults == 0) return;
  const std::string more =
      faults > 1 ? text("; so are ", faults - 1, " more of ", folder.size(), " pictures") : "";
  throw DataError(first, more,
                  " (--bad-image skip leaves such pictures out, `basin data verify` lists them)");
}

void sum_contents(ImageFolder& folder, const Watch& watch) {
  watched_for(folder.size(), watch, [&](std::int64_t index) {
    ImageFile& file = folder.files[static_cast<std::size_t>(index)];
    if (!file.sum.empty()) return;
    const std::string bytes = folder.read(index);
    Sha256 sum;
    sum.update(bytes.data(), bytes.size());
    file.sum = sum.hex();
  });
}

std::string content_hash(const ImageFolder& folder) {
  Sha256 all;
  const std::string names = folder_hash(folder);
  all.update(names.data(), names.size());
  for (const ImageFile& file : folder.files) {
    if (file.sum.empty()) return "";
    all.update(file.sum.data(), file.sum.size());
  }
  return all.hex();
}

}  // namespace basin::data
