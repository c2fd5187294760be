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
///     DIR/val/val_annotations.txt   lines "NAME CLASS X Y WIDTH HEIGHT" between tabs, of
///     DIR/val/images/NAME:
///                                   Tiny ImageNet
///     DIR/val.txt                   lines "NAME CLASS" of DIR/val/NAME; CLASS is a class's name, or its
///     number
///                                   from 0 in the order of `class_names`: Caffe's lists of ImageNet
///
/// None where there is neither file. Errors: DataError naming file and line: another form, a class that is
/// not among `class_names`, no picture. Whether the pictures are there is in their `error`.
std::optional<ImageFolder> read_annotated(const std::string& dir, const std::vector<std::string>& class_names,
                                          const Watch& watch = {});

}  // namespace basin::data
