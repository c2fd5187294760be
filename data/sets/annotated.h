// Pictures in one folder whose classes a file tells, as ImageNet and Tiny ImageNet have them for evaluation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/sets/image_folder.h"
#include "data/watch.h"

namespace basin::data {

/// The pictures to evaluate on of a set whose classes are known, in the order of the file that names them:
///
///     DIR/val/val_annotations.txt   Tiny ImageNet: lines "NAME CLASS X Y WIDTH HEIGHT" between tabs, of
///                                   DIR/val/images/NAME
///     DIR/val.txt                   Caffe's lists of ImageNet: lines "NAME CLASS" of DIR/val/NAME, where
///                                   neither DIR/val nor DIR/test has folders of classes
///
/// CLASS is a class's name or, where no class is called by a number, its number from 0 in the order of
/// `class_names`.
/// None where there is neither. Errors: DataError naming file and line: another form, a class that is
/// not among `class_names`, no picture. Whether the pictures are there is in their `error`.
std::optional<ImageFolder> read_annotated(const std::string& dir, const std::vector<std::string>& class_names,
                                          const Watch& watch = {});

}  // namespace basin::data
