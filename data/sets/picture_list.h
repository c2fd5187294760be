// Pictures named in lists: CSV files of one's own, Stanford Cars through them, Oxford-IIIT Pets.
#pragma once

#include <string>
#include <vector>

#include "data/sets/image_folder.h"
#include "data/watch.h"

namespace basin::data {

/// The lines of a text file without their ends (LF or CRLF) and a byte order mark. Errors: DataError.
std::vector<std::string> read_lines(const std::string& path);

/// Names of classes, one a line, from `path`; none if there is no such file. Errors: DataError naming file
/// and line: an empty line, a name that is there twice.
std::vector<std::string> read_class_names(const std::string& path);

/// Reads `path`, whose first line is "file,class" and each other one a picture: its path below `root` (or an
/// absolute one) and the name of its class. Cells with commas or quotation marks stand in quotation marks
/// (RFC 4180). The order is the file's. Classes are `class_names`, or those that occur, sorted by byte.
/// Errors: DataError naming file and line; no picture; a class that is not among `class_names`. Whether the
/// pictures are there is in their `error`.
ImageFolder read_picture_list(const std::string& path, const std::string& root,
                              const std::vector<std::string>& class_names = {}, const Watch& watch = {});

/// DIR/train.csv and the list to evaluate on: DIR/test.csv, else DIR/val.csv, else DIR/validation.csv. Both
/// have the classes of DIR/classes.txt if there is one (one name a line), else those of train.csv.
ImageFolders load_picture_lists(const std::string& dir, const Watch& watch = {});

/// Oxford-IIIT Pets (Parkhi et al. 2012): DIR/annotations/trainval.txt and test.txt, lines "NAME ID SPECIES
/// BREED" of the pictures DIR/images/NAME.jpg. The label is ID - 1, the class's name NAME without its number.
/// Errors: DataError naming file and line: another form, one ID with two names, an ID up to the largest that
/// does not occur.
ImageFolders load_pets(const std::string& dir, const Watch& watch = {});

}  // namespace basin::data
