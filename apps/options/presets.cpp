// The table itself is written by CMake (apps/embed_recipes.cmake).
#include "apps/options/presets.h"

namespace basin::apps {

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.push_back(preset.name);
  return names;
}

}  // namespace basin::apps
