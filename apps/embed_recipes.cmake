# Writes OUTPUT, a C++ source whose function NAME returns the texts of RECIPES/*.toml:
# cmake -DRECIPES=... -DNAME=... -DOUTPUT=... -P embed_recipes.cmake
file(GLOB recipes ${RECIPES}/*.toml)
list(SORT recipes)
set(entries "")
foreach(recipe ${recipes})
  get_filename_component(name ${recipe} NAME_WE)
  file(READ ${recipe} content)
  string(REGEX MATCH "^# ([^\n]*)\n" first "${content}")
  if(NOT first)
    message(FATAL_ERROR "${recipe} must begin with a comment that says what it is")
  endif()
  string(APPEND entries "      {\"${name}\", R\"recipe(${CMAKE_MATCH_1})recipe\", R\"recipe(${content})recipe\"},\n")
endforeach()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [=[
// Written by apps/embed_recipes.cmake.
#include "apps/options/presets.h"

namespace basin::apps {

const std::vector<Preset>& @NAME@() {
  static const std::vector<Preset> all = {
@entries@  };
  return all;
}

}  // namespace basin::apps
]=])
