#include "data/webdataset.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <exception>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"
#include "data/picture_list.h"
#include "data/tar.h"

namespace basin::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostNumbers = 1'000'000;  // of a brace's range
constexpr std::int64_t kMostLabel = 1'000'000;
constexpr std::uint64_t kLongestLabel = 64;  // bytes of a .cls member

/// A pattern with its braces resolved.
std::vector<std::string> expanded(const std::string& pattern) {
  const std::size_t open = pattern.find('{');
  if (open == std::string::npos) return {pattern};
  const std::size_t close = pattern.find('}', open);
  const std::size_t dots = pattern.find("..", open);
  std::int64_t first = -1, last = -1;
  if (close != std::string::npos && dots < close) {
    const char* text = pattern.data();
    const auto a = std::from_chars(text + open + 1, text + dots, first);
    const auto b = std::from_chars(text + dots + 2, text + close, last);
    if (a.ec != std::errc() || b.ec != std::errc() || a.ptr != text + dots || b.ptr != text + close)
      first = -1;
  }
  if (first < 0 || last < first || last - first >= kMostNumbers)
    throw DataError("shards ", pattern, ": expected a range such as {000000..000146}, of at most ",
                    kMostNumbers);
  const std::size_t digits = dots - open - 1;
  std::vector<std::string> all;
  for (std::int64_t number = first; number <= last; ++number) {
    std::string shown = std::to_string(number);
    if (shown.size() < digits) shown.insert(0, digits - shown.size(), '0');
    for (std::string& one : expanded(pattern.substr(0, open) + shown + pattern.substr(close + 1)))
      all.push_back(std::move(one));
  }
  return all;
}

/// Names that a * or ? stands for; sorted.
std::vector<std::string> matching(const std::string& dir, const std::string& pattern) {
  const fs::path parent = fs::path(pattern).parent_path();
  const std::string last = fs::path(pattern).filename().string();
  std::vector<std::string> names;
  std::error_code failure;
  fs::directory_iterator at(fs::path(dir) / parent, failure);
  for (; !failure && at != fs::directory_iterator(); at.increment(failure)) {
    const std::string name = at->path().filename().string();
    if (::fnmatch(last.c_str(), name.c_str(), FNM_PERIOD) == 0) names.push_back((parent / name).string());
  }
  if (failure) throw DataError((fs::path(dir) / parent).string(), ": ", failure.message());
  std::sort(names.begin(), names.end());
  return names;
}

bool holds_wildcard(const std::string& pattern) { return pattern.find_first_of("*?") != std::string::npos; }

/// The members of one key.
struct Example {
  std::string key{};
  std::optional<ImageFile> picture{};
  std::optional<std::int64_t> label{};
};

/// The examples of one shard.
struct Index {
  std::vector<ImageFile> files{};
  std::int64_t ignored = 0;
};

std::int64_t read_label(TarReader& tar, const TarMember& member, const std::string& where) {
  std::string content(static_cast<std::size_t>(std::min(member.bytes, kLongestLabel)), '\0');
  tar.read(content.data(), content.size());
  while (!content.empty() && std::isspace(static_cast<unsigned char>(content.back()))) content.pop_back();
  std::int64_t label = -1;
  const auto [stop, failure] = std::from_chars(content.data(), content.data() + content.size(), label);
  if (member.bytes > kLongestLabel || failure != std::errc() || stop != content.data() + content.size() ||
      label < 0 || label >= kMostLabel)
    throw DataError(where, ": a label is a whole number from 0 to ", kMostLabel - 1, ", as text");
  return label;
}

Index index_shard(const std::string& dir, const std::string& shard, std::int64_t number) {
  PlainStream stream((fs::path(dir) / shard).string());
  TarReader tar(stream);
  Index index;
  Example example;
  const auto finish = [&] {
    if (!example.picture && !example.label) return;  // nothing of ours
    if (!example.picture || !example.label)
      throw DataError(stream.name(), "/", example.key, ": an example without a ",
                      example.picture ? "label (.cls)" : "picture (.jpg, .jpeg, .png)");
    example.picture->label = *example.label;
    index.files.push_back(std::move(*example.picture));
  };
  while (const std::optional<TarMember> member = tar.next()) {
    if (member->kind != TarMember::Kind::file) continue;
    const std::size_t base = member->name.rfind('/') + 1;  // 0 without one
    const std::size_t dot = member->name.find('.', base);
    if (dot == std::string::npos || dot == base) {
      ++index.ignored;
      continue;
    }
    const std::string key = member->name.substr(0, dot), where = stream.name() + "/" + member->name;
    std::string ending = member->name.substr(dot + 1);
    for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (key != example.key) {
      finish();
      example = {.key = key};
    }
    if (ending == "jpg" || ending == "jpeg" || ending == "png") {
      if (example.picture) throw DataError(where, ": a second picture of one example");
      example.picture = ImageFile{.path = shard + "/" + member->name,
                                  .bytes = member->bytes,
                                  .shard = number,
                                  .offset = member->offset};
    } else if (ending == "cls") {
      if (example.label) throw DataError(where, ": a second label of one example");
      example.label = read_label(tar, *member, where);
    } else {
      ++index.ignored;
    }
  }
  finish();
  return index;
}

}  // namespace

std::vector<std::string> find_shards(const std::string& dir, const std::string& pattern) {
  std::vector<std::string> all;
  for (const std::string& name : expanded(pattern)) {
    if (holds_wildcard(name)) {
      for (std::string& found : matching(dir, name)) all.push_back(std::move(found));
    } else {
      std::error_code ignored;
      if (!fs::exists(fs::path(dir) / name, ignored))
        throw DataError((fs::path(dir) / name).string(), ": no such shard (of ", pattern, ")");
      all.push_back(name);
    }
  }
  if (all.empty()) throw DataError(dir, ": no shard ", pattern);
  return all;
}

ImageFolder index_shards(const std::string& dir, const std::vector<std::string>& shards,
                         const std::vector<std::string>& class_names) {
  ImageFolder folder{.root = dir, .class_names = class_names, .shards = shards};
  std::vector<Index> indices(shards.size());
  std::vector<std::exception_ptr> failures(shards.size());
  parallel_for(static_cast<std::int64_t>(shards.size()), [&](std::int64_t number, int) {
    const auto i = static_cast<std::size_t>(number);
    try {
      indices[i] = index_shard(dir, shards[i], number);
    } catch (...) {
      failures[i] = std::current_exception();
    }
  });
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  std::int64_t largest = -1;
  for (Index& index : indices) {
    folder.ignored += index.ignored;
    for (ImageFile& file : index.files) {
      largest = std::max(largest, file.label);
      if (!class_names.empty() && file.label >= folder.classes())
        throw DataError((fs::path(dir) / file.path).string(), ": label ", file.label, " is not below ",
                        folder.classes(), ", the number of classes");
      folder.files.push_back(std::move(file));
    }
  }
  if (folder.files.empty()) throw DataError(dir, ": no example in ", shards.size(), " shards");
  for (std::int64_t label = 0; class_names.empty() && label <= largest; ++label)
    folder.class_names.push_back(std::to_string(label));
  folder.hash = folder_hash(folder);
  return folder;
}

ImageFolders load_webdataset(const std::string& dir, const std::string& train, const std::string& test) {
  ImageFolders folders;
  folders.train =
      index_shards(dir, find_shards(dir, train), read_class_names((fs::path(dir) / "classes.txt").string()));
  std::string split = "test";
  std::vector<std::string> shards;
  if (!test.empty()) {
    shards = find_shards(dir, test);
  } else {
    for (const char* name : {"test", "val", "validation"}) {
      if (!shards.empty()) break;
      split = name;
      shards = matching(dir, split + "-*.tar");
    }
  }
  if (shards.empty()) throw DataError(dir, ": no shards test-*.tar, val-*.tar or validation-*.tar");
  folders.test = index_shards(dir, shards, folders.train.class_names);
  folders.train.split = "train";
  folders.test.split = split;
  return folders;
}

}  // namespace basin::data
