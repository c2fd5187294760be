// The house in figures: a table of its rooms.
#include <algorithm>
#include <sstream>

#include "tests/architecture/rooms.h"

namespace basin::house {

std::string house_in_figures(const std::vector<Source>& sources) {
  std::ostringstream out;
  out << "| room | files | lines | longest file | includes of it | its own includes, by room |\n"
      << "| --- | --- | --- | --- | --- | --- |\n";
  std::map<std::string, std::map<std::string, int>> includes, included;
  for (const Source& source : sources) {
    const std::string from(folder_of(source.path));
    for (const Include& include : includes_of(source.text)) {
      const std::string to(folder_of(include.target));
      if (!include.quoted || from == to) continue;
      ++includes[from][to];
      if (!outside(from)) ++included[to][from];
    }
  }
  for (const auto& [folder, files] : files_by_folder(sources)) {
    std::size_t lines = 0, longest = 0;
    std::string name;
    for (const Source* file : files) {
      const auto length = static_cast<std::size_t>(std::count(file->text.begin(), file->text.end(), '\n'));
      lines += length;
      if (length > longest) longest = length, name = file->path.substr(file->path.rfind('/') + 1);
    }
    int incoming = 0;
    for (const auto& entry : included[folder]) incoming += entry.second;
    out << "| " << folder << " | " << files.size() << " | " << lines << " | " << name << " " << longest
        << " | " << incoming << " | ";
    bool first = true;
    for (const auto& [to, count] : includes[folder]) {
      out << (first ? "" : ", ") << to << " " << count;
      first = false;
    }
    out << " |\n";
  }
  std::size_t circles = 0;
  for (const Finding& finding : check_tree(sources)) circles += finding.rule == "cycle";
  out << "\nCircles: " << circles << "\n";
  return out.str();
}

}  // namespace basin::house
