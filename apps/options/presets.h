// The recipes in apps/recipes/*.toml, built into the program: `--preset NAME`; and its studies.
#pragma once

#include <string>
#include <vector>

namespace basin::apps {

struct Preset {
  std::string name;  // the file's name without .toml
  std::string help;  // its first line, a comment
  std::string toml;  // all of it
};

const std::vector<Preset>& presets();
std::vector<std::string> preset_names();

/// apps/recipes/studies/*.toml: the experiments of `basin reproduce`.
const std::vector<Preset>& study_files();

}  // namespace basin::apps
