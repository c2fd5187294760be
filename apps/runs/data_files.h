// The files that a run's data are of: recorded with the run, recognised when it is resumed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "data/sets/dataset.h"
#include "data/sets/image_folder.h"

namespace basin::apps {

/// A picture of the run, or all images in memory of one part (path "*").
struct DataFile {
  std::string part{};  // "train", "validation" or "test"
  std::string path{};  // below the data directory
  std::int64_t label = 0;
  std::uint64_t bytes = 0;
  data::FileStamp stamp{};
  std::string sum{};  // SHA-256 of the content; empty where it is not known
};

/// By part, path and label.
using DataFiles = std::map<std::tuple<std::string, std::string, std::int64_t>, DataFile>;

constexpr const char* kDataFilesName = "data-files.tsv";

/// The line of a part in memory.
DataFile whole_part(const std::string& part, const data::Dataset& set);
/// Adds the pictures of a part.
void add_files(std::vector<DataFile>& files, const std::string& part, const data::ImageFolder& folder);

/// Gives each picture of the part whose size and stamp are as recorded the recorded sum. True if the record
/// has sums of this part at all.
bool take_sums(const DataFiles& recorded, const std::string& part, data::ImageFolder& folder);

/// A line of titles and one a file, cells between tabs; a backslash stands before what would break a line.
std::string to_text(const std::vector<DataFile>& files);
/// What to_text() wrote; nothing if the file is missing or is not of this form, for it is a record only.
DataFiles read_data_files(const std::string& path);

/// How the files differ from the record, by content where both are known, else by size: "2 of 300 files:
/// train/a.jpg has other content, train/b.jpg is gone". Empty if nothing shows.
std::string difference(const DataFiles& recorded, const std::vector<DataFile>& now);
/// How many files have another stamp than recorded, with no recorded content to compare.
std::int64_t touched(const DataFiles& recorded, const std::vector<DataFile>& now);

}  // namespace basin::apps
