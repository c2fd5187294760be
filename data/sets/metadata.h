// What the inputs and outputs of a network mean, as text beside its weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/io/archive.h"
#include "data/sets/dataset.h"

namespace basin::data {

/// The keys data ("cifar10"), image ("32x32x3"), classes ("10"), class_names (a JSON array, one a column of
/// the logits, in their order), mean and deviation (JSON arrays: what inputs are normalised with, a channel
/// each). A value that is empty, 0 classes or an image of other than three extents is unknown and left out.
ArchiveMetadata metadata_of(const std::string& data, const Shape& image, std::int64_t classes,
                            const std::vector<std::string>& class_names, const std::vector<double>& mean,
                            const std::vector<double>& deviation);

/// What `basin` writes beside the weights of that model, "resnet20", trained on that set: the keys above,
/// model, and format "pt", which says that convolution weights lie as PyTorch has them.
ArchiveMetadata weight_metadata(const std::string& model, const Dataset& set);

/// "32x32x3".
std::string image_label(const Shape& image);

}  // namespace basin::data
