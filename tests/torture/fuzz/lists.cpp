// Lists of pictures and of names of classes.
#include "core/error.h"
#include "data/sets/picture_list.h"
#include "tests/torture/fuzz/target.h"

void basin::fuzz::read(std::string_view bytes) {
  const std::string& path = file_with(bytes);
  try {
    data::read_class_names(path);
  } catch (const DataError&) {  // it may be a list of pictures
  }
  data::read_picture_list(path, "/nowhere");
}
