// Identity: what a network's inputs and outputs mean. It is written beside weights and compared where weights
// meet data, for tensors that fit say nothing of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/config/train_config.h"
#include "apps/weights/image_set.h"
#include "core/io/archive.h"
#include "core/io/json.h"

namespace basin::apps {

/// What is unknown is empty: files of other programs say nothing, those of older Basins little.
struct Identity {
  std::string model{};                      // "resnet20"
  std::string shortcut{};                   // "B"; empty for A and for models without the choice
  std::string data{};                       // the set that it was trained on: "cifar10"
  Shape image{};                            // {H,W,C}
  std::int64_t classes = 0;                 // columns of the logits
  std::vector<std::string> class_names{};   // one a column, in their order
  std::vector<double> mean{}, deviation{};  // that inputs are normalised with, a channel each
};

/// That of a network trained on those images. Classes that have numbers and no names (a webdataset without
/// classes.txt) leave class_names empty.
Identity identity_of(const ModelConfig& model, const ImageSet& set);

/// As text beside tensors: model, shortcut, data, image ("32x32x3"), classes, class_names, mean and deviation
/// (JSON arrays). What is unknown is left out.
ArchiveMetadata to_metadata(const Identity& identity);

/// The inverse. A key that is not in that form, as another program may have it, counts as unknown.
Identity identity_in(const ArchiveMetadata& metadata);

/// The same for run.json and `basin info`: image, class_names, mean and deviation as arrays.
Json to_json(const Identity& identity);

/// What each logit is called: its class, or "class 0", "class 1", ... where the identity has no names for
/// all.
std::vector<std::string> logit_names(const Identity& identity, std::int64_t logits);

/// The model for people: "resnet20", "resnet20-B".
std::string model_label(const Identity& identity);

/// Names for one line: "'a', 'b', 'c' and 7 more".
std::string few_names(const std::vector<std::string>& names);

/// Where two identities differ, as far as both know, for an error: "model resnet56, here resnet20"; empty if
/// nowhere. Data sets may have other names.
std::string differences(const Identity& theirs, const Identity& ours);

}  // namespace basin::apps
