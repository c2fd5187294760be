#include "apps/evaluation/picture_words.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "data/formats/file.h"
#include "data/sets/folder.h"
#include "data/sets/picture_list.h"

namespace basin::apps {
namespace {

namespace fs = std::filesystem;

constexpr const char* kListHeader = "file,class";

/// The first bytes of a regular file; none of anything else.
std::string beginning(const std::string& path) {
  if (kind_of_file(path) != FileKind::regular) return "";
  std::array<char, 16> head{};
  const InputFile file(path);
  const auto known = static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), head.size()));
  file.read(0, head.data(), known);
  return {head.data(), known};
}

bool is_list(const std::string& path) {
  try {
    const std::string begin = beginning(path);
    return begin.starts_with(kListHeader) || begin.starts_with("\xef\xbb\xbf" + std::string(kListHeader));
  } catch (const DataError&) {
    return false;  // what cannot be read is told when the picture is
  }
}

/// JPEG and PNG begin so; a path never does.
bool is_picture(const std::string& bytes) {
  return bytes.starts_with("\xff\xd8\xff") || bytes.starts_with("\x89PNG\r\n");
}

class Words {
 public:
  explicit Words(std::istream& in) : in_(in) {}

  void take(const std::string& word) {
    if (word == "-")
      take_stdin();
    else if (kind_of_file(word) == FileKind::directory)
      take_folder(word);
    else if (is_list(word))
      take_list(word);
    else if (word.ends_with(".txt"))
      take_paths(data::read_lines(word), folder_of(word), word);
    else
      all_.push_back({.path = word});
  }

  /// With the classes of all lists together.
  PicturesByWords finish() {
    const std::set<std::string> names(classes_.begin(), classes_.end());
    PicturesByWords found{.pictures = std::move(all_)};
    found.class_names.assign(names.begin(), names.end());
    found.class_names.erase(std::remove(found.class_names.begin(), found.class_names.end(), ""),
                            found.class_names.end());
    classes_.resize(found.pictures.size());
    for (std::size_t i = 0; i < classes_.size(); ++i) {
      if (classes_[i].empty()) continue;
      const auto at = std::lower_bound(found.class_names.begin(), found.class_names.end(), classes_[i]);
      found.pictures[i].label = at - found.class_names.begin();
    }
    return found;
  }

 private:
  static std::string folder_of(const std::string& path) { return fs::path(path).parent_path().string(); }

  void take_folder(const std::string& word) {
    const std::vector<std::string> files = data::pictures_below(word);
    if (files.empty()) throw DataError(word, ": no picture in this folder or below it");
    for (const std::string& file : files) all_.push_back({.path = (fs::path(word) / file).string()});
  }

  void take_list(const std::string& word) {
    const data::ImageFolder list = data::read_picture_list(word, folder_of(word));
    classes_.resize(all_.size());
    for (std::int64_t i = 0; i < list.size(); ++i) {
      all_.push_back({.path = list.path_of(i)});
      classes_.push_back(
          list.class_names[static_cast<std::size_t>(list.files[static_cast<std::size_t>(i)].label)]);
    }
  }

  void take_paths(const std::vector<std::string>& lines, const std::string& folder, const std::string& from) {
    bool any = false;
    for (const std::string& line : lines) {
      if (line.empty()) continue;
      any = true;
      all_.push_back({.path = (fs::path(folder) / line).string()});
    }
    if (!any) throw DataError(from, ": names no picture");
  }

  void take_stdin() {
    if (stdin_taken_) throw DataError("stdin: '-' can be given once, it is read to its end");
    stdin_taken_ = true;
    const std::string bytes{std::istreambuf_iterator<char>(in_), {}};
    if (is_picture(bytes)) {
      all_.push_back({.path = "stdin", .bytes = bytes});
      return;
    }
    std::vector<std::string> lines;
    std::istringstream text(bytes);
    for (std::string line; std::getline(text, line);) {
      if (line.ends_with('\r')) line.pop_back();
      lines.push_back(line);
    }
    take_paths(lines, "", "stdin");
  }

  std::istream& in_;
  std::vector<data::GivenPicture> all_;
  std::vector<std::string> classes_;  // by name, of the first so many; "": unknown
  bool stdin_taken_ = false;
};

}  // namespace

PicturesByWords pictures_of(const std::vector<std::string>& words, std::istream& in) {
  Words all(in);
  for (const std::string& word : words) all.take(word);
  return all.finish();
}

}  // namespace basin::apps
