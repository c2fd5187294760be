// Image folders: one folder a split, in it one folder a class, in that JPEG and PNG files.
#pragma once

#include <string>
#include <vector>

#include "data/sets/image_folder.h"
#include "data/watch.h"

namespace basin::data {

/// Lists a split. Classes are the folders in `root`, by name; their pictures are the files in them and in
/// folders below whose names end as those of pictures do, see ending_of() in data/sets/picture_files.h (other
/// formats are listed so that they are reported, not silently missing). Names that begin with a dot are
/// counted in `ignored`; links to files are followed, links to folders only at the level of classes. Pictures
/// beside the classes or behind such links are passed over. The order does not depend on the file system.
///
/// With `class_names` given, labels are places in it, and a class without pictures is fine; otherwise each
/// class needs one. Errors: DataError naming the folder: missing, unreadable, no class, no picture, a class
/// that is not among `class_names`.
ImageFolder scan_image_folder(const std::string& root, const std::vector<std::string>& class_names = {},
                              const Watch& watch = {});

/// Every picture in a folder and in those below it, as a path below `root`, sorted by byte: by the names and
/// links of scan_image_folder(). Errors: DataError for a folder that cannot be read.
std::vector<std::string> pictures_below(const std::string& root);

/// Lists DIR/train and the folder to evaluate on: DIR/val, if a file tells its pictures' classes
/// (read_annotated()), else DIR/test, else DIR/val, else DIR/validation, or `evaluate` if given. Both have
/// the classes of train. Errors: those of scan_image_folder(); DataError naming what was looked for.
ImageFolders load_image_folders(const std::string& dir, const std::string& evaluate = {},
                                const Watch& watch = {});

}  // namespace basin::data
