// The rooms of the house: its folders, and which of them may include which.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/architecture/rules.h"

namespace basin::house {

/// A folder with sources, and what its files may include besides their own folder. Between two top folders
/// the arrows of the top folders count, over others too; inside one top folder those of its rooms, over
/// others too.
struct Room {
  std::string_view name;
  std::vector<std::string_view> arrows;
};
const std::vector<Room>& rooms();
/// The room of that name, or null.
const Room* find_room(std::string_view name);

/// "autograd" of "autograd/ops/ops.h".
std::string_view top_of(std::string_view path);
/// The folder that a file lies in: "autograd/ops" of "autograd/ops/ops.h".
std::string_view folder_of(std::string_view path);
/// tests/ and bench/ stand above the house: they may include anything, and nothing includes them.
bool outside(std::string_view folder);

/// The files of each folder.
std::map<std::string, std::vector<const Source*>> files_by_folder(const std::vector<Source>& sources);

}  // namespace basin::house
