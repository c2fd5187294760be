// WebDataset: pictures and labels in tar shards, read without unpacking them.
#pragma once

#include <string>
#include <vector>

#include "data/sets/image_folder.h"
#include "data/watch.h"

namespace basin::data {

/// The shards that a pattern names below `dir`: {000..009} stands for each number from 000 to 009, in as many
/// digits, and * and ? in the last part of the path for any characters, one character. Numbers in their
/// order, names sorted by byte. Errors: DataError for ranges that are none or stand for more than a million
/// names together; for a number for which no file is there; for a file named twice.
std::vector<std::string> find_shards(const std::string& dir, const std::string& pattern);

/// Lists the examples of tar shards in their order, reading headers and labels and no picture. Consecutive
/// members with the same key (the path up to the first dot of its last part) are one example; of it
/// .jpg, .jpeg or another ending that is read (Ending in data/sets/picture_files.h), else one of another
/// format of pictures, is the picture and .cls its label, a whole number. Others are counted in `ignored`,
/// and so are members whose last part begins with a dot; pictures of a key that has neither picture nor label
/// (a/1.1.png: its key is a/1) are in `passed_over`. Pictures are read later from where they stand in the
/// shard, so any order costs the same. Labels are places in `class_names`, or without them below one more
/// than the largest, by which classes are then called. Errors: DataError naming shard and member: damage
/// (TarReader), an example without picture or label or with two, a label out of range (at most a million), no
/// example.
ImageFolder index_shards(const std::string& dir, const std::vector<std::string>& shards,
                         const std::vector<std::string>& class_names = {}, const Watch& watch = {});

/// DIR's shards of the two patterns; an empty `test` is test-*.tar, else val-*.tar, else validation-*.tar.
/// Classes: DIR/classes.txt if there is one, else those of the training shards.
ImageFolders load_webdataset(const std::string& dir, const std::string& train = "train-*.tar",
                             const std::string& test = {}, const Watch& watch = {});

}  // namespace basin::data
