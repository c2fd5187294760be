// Sets of pictures by name, that are decoded when they are asked for: what `--data folder` and its like mean.
#pragma once

#include <string>
#include <vector>

#include "data/sets/folder.h"

namespace basin::data {

/// A kind of picture set that load_pictures() knows.
struct PictureSetInfo {
  std::string name;     // "folder"
  std::string summary;  // what is looked for below the data directory
};

/// folder, list, pets, cars, webdataset.
const std::vector<PictureSetInfo>& known_picture_sets();

bool is_picture_set(const std::string& name);

struct PictureRequest {
  std::string name{};
  std::string dir{};
  std::string train_shards = "train-*.tar";  // webdataset only, see find_shards()
  std::string test_shards{};                 // the same; empty: see load_webdataset()
};

/// Lists a set's training and test pictures; pets also in DIR/oxford-iiit-pet, cars in DIR/stanford_cars.
/// Errors: UsageError for an unknown name; DataError: no directory, and those of load_image_folders(),
/// load_picture_lists(), load_pets(), load_webdataset().
ImageFolders load_pictures(const PictureRequest& request, const Watch& watch = {});

}  // namespace basin::data
