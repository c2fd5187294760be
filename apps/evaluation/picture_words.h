// Pictures by the words of a command line: files, folders, lists, or what comes on stdin.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "data/loading/given_pictures.h"

namespace basin::apps {

/// The pictures that words name, and the classes that lists give to some of them.
struct PicturesByWords {
  std::vector<data::GivenPicture> pictures{};  // label: place in class_names
  std::vector<std::string> class_names{};      // of the labels, sorted by byte; empty if no list has any
};

/// Each word is, by what it is and not by what it is called:
///  - a folder: every picture below it whose name ends as pictures do, sorted by path; links to folders and
///    hidden names are passed over;
///  - a text file whose first line is "file,class": a list of pictures and their classes, as --data list
///    reads, its paths below the list's folder;
///  - a file that ends in .txt: a picture's path a line, below the list's folder;
///  - "-": stdin, a picture or else a path a line, below the current folder;
///  - any other word: a picture. Whether it is there shows when it is read.
/// Errors: DataError for a folder without pictures, an empty list, a list that cannot be read, a second "-".
PicturesByWords pictures_of(const std::vector<std::string>& words, std::istream& in);

}  // namespace basin::apps
