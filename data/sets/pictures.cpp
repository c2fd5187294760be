#include "data/sets/pictures.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/utf8.h"
#include "data/sets/picture_list.h"
#include "data/sets/webdataset.h"

namespace basin::data {
namespace {

/// DIR/below if it is there, else DIR.
std::string or_below(const std::string& dir, const char* below) {
  const std::filesystem::path inner = std::filesystem::path(dir) / below;
  return kind_of_file(inner.string()) == FileKind::directory ? inner.string() : dir;
}

ImageFolders listed(const PictureRequest& request, const Watch& watch) {
  if (request.name == "folder") return load_image_folders(request.dir, {}, watch);
  if (request.name == "list") return load_picture_lists(request.dir, watch);
  if (request.name == "pets") return load_pets(or_below(request.dir, "oxford-iiit-pet"), watch);
  if (request.name == "cars") return load_picture_lists(or_below(request.dir, "stanford_cars"), watch);
  if (request.name == "webdataset")
    return load_webdataset(request.dir, request.train_shards, request.test_shards, watch);
  std::string names;
  for (const PictureSetInfo& info : known_picture_sets()) names += (names.empty() ? "" : ", ") + info.name;
  throw UsageError("unknown set of pictures ", quote(request.name), "; known are ", names);
}

}  // namespace

const std::vector<PictureSetInfo>& known_picture_sets() {
  static const std::vector<PictureSetInfo> all = {
      {"folder", "train/CLASS/*.jpg and test/ or val/ likewise"},
      {"list", "train.csv and test.csv, lines file,class"},
      {"pets", "Oxford-IIIT Pets: annotations/trainval.txt, annotations/test.txt, images/*.jpg"},
      {"cars", "Stanford Cars: train.csv and test.csv as data/tools/cars_to_csv.py writes them"},
      {"webdataset", "tar shards train-*.tar and test-*.tar or val-*.tar"},
  };
  return all;
}

bool is_picture_set(const std::string& name) {
  const auto& all = known_picture_sets();
  return std::any_of(all.begin(), all.end(), [&](const PictureSetInfo& info) { return info.name == name; });
}

ImageFolders load_pictures(const PictureRequest& request, const Watch& watch) {
  if (request.dir.empty() && is_picture_set(request.name)) {
    const auto& all = known_picture_sets();
    const auto info = std::find_if(all.begin(), all.end(),
                                   [&](const PictureSetInfo& set) { return set.name == request.name; });
    throw UsageError("--data ", request.name, " needs --data-dir DIR, with ", info->summary);
  }
  return listed(request, watch);
}

}  // namespace basin::data
