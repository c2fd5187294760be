#include "data/sets/annotated.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>

#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/utf8.h"
#include "data/sets/picture_files.h"
#include "data/sets/picture_list.h"

namespace basin::data {
namespace {

namespace fs = std::filesystem;

std::optional<std::int64_t> number_in(const std::string& word) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return {};
  return number;
}

/// The place of the class that the word names; none: there is no such class. A number counts only where no
/// class is called by one: which was meant could not be told.
std::optional<std::int64_t> class_of(const std::string& word, const std::vector<std::string>& names) {
  if (const auto found = std::find(names.begin(), names.end(), word); found != names.end())
    return found - names.begin();
  if (std::any_of(names.begin(), names.end(), [](const std::string& name) { return number_in(name); }))
    return {};
  const std::optional<std::int64_t> number = number_in(word);
  return number && *number >= 0 && *number < std::ssize(names) ? number : std::nullopt;
}

/// Lines of a picture's name, its class and `more` numbers; the name may hold blanks where tabs part them.
ImageFolder read(const std::string& file, const std::string& root, int more,
                 const std::vector<std::string>& class_names, const Watch& watch) {
  ImageFolder folder{.root = root, .split = "val", .class_names = class_names};
  const std::vector<std::string> lines = read_lines(file);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::string where = text(file, ":", i + 1);
    const char between = lines[i].find('\t') != std::string::npos ? '\t' : ' ';
    std::vector<std::string> cells;
    std::istringstream line(lines[i]);
    for (std::string cell; std::getline(line, cell, between);) cells.push_back(cell);
    if (std::ssize(cells) != 2 + more || cells[0].empty())
      throw DataError(where, ": expected a picture's name and its class",
                      more > 0 ? text(", and ", more, " numbers between tabs") : "");
    const std::optional<std::int64_t> label = class_of(cells[1], class_names);
    if (!label)
      throw DataError(where, ": class ", quote(cells[1]), " is not among the ", class_names.size(),
                      " of the training folder");
    folder.files.push_back({.path = cells[0], .label = *label});
  }
  if (folder.files.empty()) throw DataError(file, ": names no picture");
  look_up(folder, watch);
  folder.hash = folder_hash(folder);
  return folder;
}

bool there(const fs::path& file) { return kind_of_file(file.string()) != FileKind::none; }

bool has_class_folders(const fs::path& folder, const std::vector<std::string>& class_names) {
  return std::any_of(class_names.begin(), class_names.end(), [&](const std::string& name) {
    return kind_of_file((folder / name).string()) == FileKind::directory;
  });
}

}  // namespace

std::optional<ImageFolder> read_annotated(const std::string& dir, const std::vector<std::string>& class_names,
                                          const Watch& watch) {
  const fs::path val = fs::path(dir) / "val";
  if (const fs::path tiny = val / "val_annotations.txt"; there(tiny))
    return read(tiny.string(), (val / "images").string(), 4, class_names, watch);
  // Beside folders of classes to evaluate on val.txt may be anything.
  if (const fs::path list = fs::path(dir) / "val.txt";
      there(list) && !has_class_folders(val, class_names) &&
      !has_class_folders(fs::path(dir) / "test", class_names))
    return read(list.string(), val.string(), 0, class_names, watch);
  return {};
}

}  // namespace basin::data
