#include "data/sets/webdataset.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/glob.h"
#include "core/io/utf8.h"
#include "data/formats/file.h"
#include "data/formats/tar.h"
#include "data/sets/picture_files.h"
#include "data/sets/picture_list.h"

namespace basin::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostNames = 1'000'000;  // that the braces of a pattern stand for
constexpr std::int64_t kMostLabel = 1'000'000;
constexpr std::uint64_t kLongestLabel = 64;  // bytes of a .cls member

/// The numbers of a brace, each in as many digits, and the text before it.
struct Brace {
  std::string before{};
  std::int64_t first = 0, last = 0;
  std::size_t digits = 0;
};

/// A pattern cut at its braces. Names are formed one at a time: what braces stand for together may be much.
class Pattern {
 public:
  explicit Pattern(const std::string& pattern) : shown_(excerpt(pattern)) {
    std::size_t at = 0;
    std::int64_t names = 1;
    for (std::size_t open; (open = pattern.find('{', at)) != std::string::npos;) {
      const std::size_t close = pattern.find('}', open), dots = pattern.find("..", open);
      Brace brace{.before = pattern.substr(at, open - at)};
      if (close == std::string::npos || dots > close || !read(pattern, open + 1, dots, brace.first) ||
          !read(pattern, dots + 2, close, brace.last) || brace.last < brace.first)
        refuse("expected ranges such as {000000..000146}");
      if (brace.last - brace.first >= kMostNames / names)
        refuse(text("its ranges stand for more than ", kMostNames, " names"));
      names *= brace.last - brace.first + 1;
      brace.digits = dots - open - 1;
      braces_.push_back(std::move(brace));
      at = close + 1;
    }
    rest_ = pattern.substr(at);
    for (const Brace& brace : braces_) numbers_.push_back(brace.first);
  }

  /// The next name, the last range running fastest; none after the last.
  std::optional<std::string> next() {
    if (done_) return {};
    std::string name;
    for (std::size_t i = 0; i < braces_.size(); ++i) {
      const std::string number = std::to_string(numbers_[i]);
      name += braces_[i].before;
      if (number.size() < braces_[i].digits) name.append(braces_[i].digits - number.size(), '0');
      name += number;
    }
    std::size_t i = braces_.size();
    while (i > 0 && numbers_[i - 1] == braces_[i - 1].last) {
      --i;
      numbers_[i] = braces_[i].first;
    }
    if (i == 0)
      done_ = true;
    else
      ++numbers_[i - 1];
    return name + rest_;
  }

  const std::string& shown() const { return shown_; }

 private:
  static bool read(const std::string& pattern, std::size_t begin, std::size_t end, std::int64_t& number) {
    const auto [stop, failure] = std::from_chars(pattern.data() + begin, pattern.data() + end, number);
    return failure == std::errc() && stop == pattern.data() + end && number >= 0;
  }
  [[noreturn]] void refuse(const std::string& why) const { throw DataError("shards '", shown_, "': ", why); }

  std::string shown_;  // in messages
  std::vector<Brace> braces_{};
  std::string rest_{};
  std::vector<std::int64_t> numbers_{};  // one for each brace: the next name's
  bool done_ = false;
};

/// The names in folders, each folder read once.
class Folders {
 public:
  explicit Folders(std::string dir) : dir_(std::move(dir)) {}

  /// What a * or ? in the last part of a path stands for, sorted; a name that begins with a dot only where
  /// the pattern does.
  std::vector<std::string> matching(const std::string& pattern) {
    const fs::path parent = fs::path(pattern).parent_path();
    const std::string last = fs::path(pattern).filename().string();
    std::vector<std::string> found;
    for (const std::string& name : names(parent)) {
      const bool hidden = name.starts_with('.') && !last.starts_with('.');
      if (!hidden && glob_matches(last, name)) found.push_back((parent / name).string());
    }
    return found;
  }

 private:
  const std::vector<std::string>& names(const fs::path& parent) {
    const auto [place, fresh] = names_.try_emplace(parent.string());
    if (!fresh) return place->second;
    std::error_code failure;
    fs::directory_iterator at(fs::path(dir_) / parent, failure);
    for (; !failure && at != fs::directory_iterator(); at.increment(failure))
      place->second.push_back(at->path().filename().string());
    if (failure) throw DataError((fs::path(dir_) / parent).string(), ": ", failure.message());
    std::sort(place->second.begin(), place->second.end());
    return place->second;
  }

  std::string dir_;
  std::map<std::string, std::vector<std::string>> names_{};
};

bool holds_wildcard(const std::string& pattern) { return pattern.find_first_of("*?") != std::string::npos; }

/// The members of one key.
struct Example {
  std::string key{};
  std::optional<ImageFile> picture{};
  std::optional<ImageFile> doubtful{};  // a picture by an ending of another format, see Ending
  std::optional<std::int64_t> label{};
  std::vector<std::string> others{};  // members with a picture's ending that are neither
};

/// The examples of one shard.
struct Index {
  std::vector<ImageFile> files{};
  std::int64_t ignored = 0;
  std::vector<std::string> passed_over{};
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

std::string why_not_read(const std::string& member, const std::string& key) {
  if (ending_of(member) == Ending::foreign)
    return member + ": of a format that is not read, convert it to JPEG or PNG";
  return text(member, ": not read, its key ends at the first dot and its ending is ",
              member.substr(key.size()));
}

bool is_label(std::string ending) {
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return ending == "cls";
}

Index index_shard(const std::string& dir, const std::string& shard, std::int64_t number) {
  PlainStream stream((fs::path(dir) / shard).string());
  TarReader tar(stream);
  Index index;
  Example example;
  const auto finish = [&] {
    if (example.picture && example.doubtful) ++index.ignored;
    if (!example.picture) example.picture = std::move(example.doubtful);
    if (!example.picture && !example.label) {
      for (const std::string& member : example.others)
        index.passed_over.push_back(shard + "/" + why_not_read(member, example.key));
      return;
    }
    index.ignored += static_cast<std::int64_t>(example.others.size());
    if (!example.picture || !example.label)
      throw DataError(
          stream.name(), "/", example.key, ": an example without a ",
          example.picture ? "label (.cls)" : "picture (.jpg, .jpeg, .png)",
          example.picture || example.others.empty() ? "" : "; not read is " + example.others.front());
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
    const std::string ending = member->name.substr(dot + 1);
    if (key != example.key) {
      finish();
      example = {.key = key};
    }
    const bool one_dot = ending.find('.') == std::string::npos;
    const Ending kind = ending_of(member->name);
    const ImageFile file{.path = shard + "/" + member->name,
                         .bytes = member->bytes,
                         .shard = number,
                         .offset = member->offset};
    if (kind == Ending::foreign || (kind != Ending::other && !one_dot)) {
      example.others.push_back(member->name);
    } else if (kind == Ending::read) {
      if (example.picture) throw DataError(where, ": a second picture of one example");
      example.picture = file;
    } else if (kind == Ending::doubtful) {
      if (example.doubtful) ++index.ignored;
      if (!example.doubtful) example.doubtful = file;
    } else if (is_label(ending)) {
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
  constexpr std::size_t kLongestShown = 400;
  std::vector<std::string> all;
  std::set<std::string> known;
  const auto take = [&](std::string name) {
    if (!known.insert(name).second)
      throw DataError("shards '", excerpt(pattern), "' names ", excerpt(name, kLongestShown), " twice");
    all.push_back(std::move(name));
  };
  Pattern names(pattern);
  Folders folders(dir);
  while (std::optional<std::string> name = names.next()) {
    if (holds_wildcard(*name)) {
      std::vector<std::string> found = folders.matching(*name);
      if (found.empty())
        throw DataError(dir, ": no shard ", excerpt(*name, kLongestShown), packed_there(dir));
      for (std::string& one : found) take(std::move(one));
      continue;
    }
    if (kind_of_file((fs::path(dir) / *name).string()) == FileKind::none)
      throw DataError((fs::path(dir) / excerpt(*name, kLongestShown)).string(), ": no such shard (of ",
                      names.shown(), ")");
    take(std::move(*name));
  }
  return all;
}

ImageFolder index_shards(const std::string& dir, const std::vector<std::string>& shards,
                         const std::vector<std::string>& class_names, const Watch& watch) {
  ImageFolder folder{.root = dir, .class_names = class_names, .shards = shards};
  std::vector<Index> indices(shards.size());
  std::vector<std::exception_ptr> failures(shards.size());
  watched_for(static_cast<std::int64_t>(shards.size()), watch, [&](std::int64_t number) {
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
    folder.passed_over.insert(folder.passed_over.end(), index.passed_over.begin(), index.passed_over.end());
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
  look_up(folder);
  folder.hash = folder_hash(folder);
  return folder;
}

ImageFolders load_webdataset(const std::string& dir, const std::string& train, const std::string& test,
                             const Watch& watch) {
  ImageFolders folders;
  folders.train = index_shards(dir, find_shards(dir, train),
                               read_class_names((fs::path(dir) / "classes.txt").string()), watch);
  std::string split = "test";
  std::vector<std::string> shards;
  if (!test.empty()) {
    shards = find_shards(dir, test);
  } else {
    Folders folders_of_shards(dir);
    for (const char* name : {"test", "val", "validation"}) {
      if (!shards.empty()) break;
      split = name;
      shards = folders_of_shards.matching(split + "-*.tar");
    }
  }
  if (shards.empty())
    throw DataError(dir, ": no shards test-*.tar, val-*.tar or validation-*.tar", packed_there(dir));
  folders.test = index_shards(dir, shards, folders.train.class_names, watch);
  folders.train.split = "train";
  folders.test.split = split;
  return folders;
}

}  // namespace basin::data
