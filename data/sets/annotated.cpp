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

/// The place of the class that the word names, by its name or its number; -1: there is none.
std::int64_t class_of(const std::string& word, const std::vector<std::string>& names) {
  if (const auto found = std::find(names.begin(), names.end(), word); found != names.end())
    return found - names.begin();
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool whole = error == std::errc() && end == word.data() + word.size();
  return whole && number >= 0 && number < std::ssize(names) ? number : -1;
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
    const std::int64_t label = class_of(cells[1], class_names);
    if (label < 0)
      throw DataError(where, ": class ", quote(cells[1]), " is not among the ", class_names.size(),
                      " of the training folder");
    folder.files.push_back({.path = cells[0], .label = label});
  }
  if (folder.files.empty()) throw DataError(file, ": names no picture");
  look_up(folder, watch);
  folder.hash = folder_hash(folder);
  return folder;
}

bool there(const fs::path& file) { return kind_of_file(file.string()) != FileKind::none; }

}  // namespace

std::optional<ImageFolder> read_annotated(const std::string& dir, const std::vector<std::string>& class_names,
                                          const Watch& watch) {
  const fs::path val = fs::path(dir) / "val";
  if (const fs::path tiny = val / "val_annotations.txt"; there(tiny))
    return read(tiny.string(), (val / "images").string(), 4, class_names, watch);
  if (const fs::path list = fs::path(dir) / "val.txt"; there(list))
    return read(list.string(), val.string(), 0, class_names, watch);
  return {};
}

}  // namespace basin::data
