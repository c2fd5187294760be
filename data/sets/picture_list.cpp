#include "data/sets/picture_list.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <system_error>

#include "core/error.h"
#include "core/io/csv.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "data/formats/file.h"
#include "data/sets/picture_files.h"

namespace basin::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostPets = 1000;  // classes

/// "FILE:LINE", counted from 1.
std::string place(const std::string& path, std::size_t line) { return text(path, ":", line + 1); }

/// The cells of a line of CSV. Errors: DataError for a quotation mark in the wrong place.
std::vector<std::string> cells_of(const std::string& line, const std::string& where) {
  std::vector<std::string> cells;
  std::size_t at = 0;
  if (read_csv_row(line, at, cells))
    throw DataError(where,
                    ": a quotation mark in the wrong place; a cell stands in two of them, and one inside is "
                    "doubled");
  return cells;
}

/// The first of the names that is a file in `dir`. Errors: DataError naming all.
std::string first_file(const std::string& dir, const std::vector<std::string>& names) {
  std::string searched;
  for (const std::string& name : names) {
    const fs::path path = fs::path(dir) / name;
    if (kind_of_file(path.string()) == FileKind::regular) return path.string();
    searched += (searched.empty() ? "" : " or ") + name;
  }
  throw DataError(dir, ": no ", searched, packed_there(dir));
}

struct PetSplit {
  ImageFolder folder{};
  std::vector<std::string> names{};  // of the classes, by ID - 1; empty where none occurred
};

PetSplit read_pets(const std::string& dir, const std::string& split) {
  const std::string path = (fs::path(dir) / "annotations" / (split + ".txt")).string();
  PetSplit pets{.folder = {.root = dir, .split = split}};
  const std::vector<std::string> lines = read_lines(path);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty() || lines[i].front() == '#') continue;
    std::istringstream words(lines[i]);
    std::string name, rest;
    std::int64_t id = 0, species = 0, breed = 0;
    const bool read = static_cast<bool>(words >> name >> id >> species >> breed) && !(words >> rest);
    const std::size_t number = name.rfind('_');
    if (!read || id < 1 || id > kMostPets || number == 0 || number == std::string::npos ||
        name.find('/') != std::string::npos) {
      throw DataError(place(path, i),
                      ": expected a line such as \"Abyssinian_100 1 1 1\": a picture's name, "
                      "its class, its species, its breed");
    }
    const auto label = static_cast<std::size_t>(id - 1);
    if (pets.names.size() <= label) pets.names.resize(label + 1);
    std::string& breed_name = pets.names[label];
    if (breed_name.empty()) breed_name = name.substr(0, number);
    if (breed_name != name.substr(0, number))
      throw DataError(place(path, i), ": class ", id, " is ", breed_name, ", not ", name.substr(0, number));
    const std::string file = "images/" + name + ".jpg";
    pets.folder.files.push_back({.path = file, .label = id - 1});
  }
  if (pets.folder.files.empty()) throw DataError(path, ": names no picture");
  return pets;
}

}  // namespace

std::vector<std::string> read_lines(const std::string& path) {
  std::string content = read_file(path);
  if (const Packing* packing = packing_of(content)) throw DataError(unpack_first(path, *packing));
  if (content.starts_with("\xef\xbb\xbf")) content.erase(0, 3);
  std::vector<std::string> lines;
  std::istringstream in(content);
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> read_class_names(const std::string& path) {
  if (kind_of_file(path) == FileKind::none) return {};
  const std::vector<std::string> names = read_lines(path);
  std::set<std::string> known;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) throw DataError(place(path, i), ": an empty line; a class's name is expected");
    if (!known.insert(names[i]).second)
      throw DataError(place(path, i), ": class ", names[i], " a second time");
  }
  if (names.empty()) throw DataError(path, ": the file is empty; one class's name a line is expected");
  return names;
}

ImageFolder read_picture_list(const std::string& path, const std::string& root,
                              const std::vector<std::string>& class_names, const Watch& watch) {
  ImageFolder list{.root = root, .split = fs::path(path).stem().string(), .class_names = class_names};
  const std::vector<std::string> lines = read_lines(path);
  if (lines.empty() || lines[0] != "file,class")
    throw DataError(place(path, 0), ": the first line must be \"file,class\"",
                    lines.empty() ? "; the file is empty" : "");
  std::vector<std::string> names;  // of each picture's class
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::string where = place(path, i);
    const std::vector<std::string> cells = cells_of(lines[i], where);
    if (cells.size() != 2 || cells[0].empty() || cells[1].empty())
      throw DataError(where, ": expected two cells, a picture's path and its class");
    list.files.push_back({.path = cells[0]});
    names.push_back(cells[1]);
    if (!class_names.empty() &&
        std::find(class_names.begin(), class_names.end(), cells[1]) == class_names.end())
      throw DataError(where, ": class ", cells[1], " is not among the ", class_names.size(), " classes");
  }
  if (list.files.empty()) throw DataError(path, ": names no picture");
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  if (class_names.empty()) list.class_names = sorted;
  std::map<std::string, std::int64_t> labels;
  for (const std::string& name : list.class_names)
    labels.emplace(name, static_cast<std::int64_t>(labels.size()));
  for (std::size_t i = 0; i < names.size(); ++i) list.files[i].label = labels.at(names[i]);
  look_up(list, watch);
  list.hash = folder_hash(list);
  return list;
}

ImageFolders load_picture_lists(const std::string& dir, const Watch& watch) {
  const std::string train = first_file(dir, {"train.csv"});
  const std::string test = first_file(dir, {"test.csv", "val.csv", "validation.csv"});
  ImageFolders lists;
  lists.train =
      read_picture_list(train, dir, read_class_names((fs::path(dir) / "classes.txt").string()), watch);
  lists.test = read_picture_list(test, dir, lists.train.class_names, watch);
  return lists;
}

ImageFolders load_pets(const std::string& dir, const Watch& watch) {
  PetSplit train = read_pets(dir, "trainval"), test = read_pets(dir, "test");
  const auto missing = std::find(train.names.begin(), train.names.end(), "");
  if (missing != train.names.end())
    throw DataError(dir, "/annotations/trainval.txt: no picture of class ",
                    missing - train.names.begin() + 1);
  for (std::size_t k = 0; k < test.names.size(); ++k) {
    if (test.names[k].empty() || (k < train.names.size() && test.names[k] == train.names[k])) continue;
    throw DataError(dir, "/annotations/test.txt: class ", k + 1, " is ", test.names[k], ", in trainval.txt ",
                    k < train.names.size() ? train.names[k] : "there is none");
  }
  for (PetSplit* split : {&train, &test}) {
    split->folder.class_names = train.names;
    look_up(split->folder, watch);
    split->folder.hash = folder_hash(split->folder);
  }
  return {.train = std::move(train.folder), .test = std::move(test.folder)};
}

}  // namespace basin::data
