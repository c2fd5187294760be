// Classes of data and of weights, by name: what eval, --init, ensembles and --resume agree on or refuse.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/weights/identity.h"
#include "data/loading/source.h"

namespace basin::apps {

/// Where each class of the data stands among the logits of some weights.
struct ClassMatch {
  std::vector<std::int64_t> place{};
  std::string words{};   // for people; empty if names and order are the same
  bool in_order = true;  // place[k] == k for all k, and there are no other logits
};

/// Matches by name. If either side has no names, by number alone, and the words say so. Errors:
/// CheckpointError for classes that the weights in `path` do not have, with `remedy` ("; ...") behind it.
ClassMatch match_classes(const std::string& path, const Identity& weights, const Identity& data,
                         const std::string& remedy);

/// The same examples, label k as place[k].
std::shared_ptr<const data::ExampleSource> relabelled(std::shared_ptr<const data::ExampleSource> source,
                                                      std::vector<std::int64_t> place);

/// Checks that weights may be evaluated as `wanted`: the same model and channels. Returns a line for each
/// thing that differs and may: the size of images. Errors: CheckpointError.
std::vector<std::string> expect_same_network(const std::string& path, const Identity& weights,
                                             const Identity& wanted);

/// What the files of an ensemble say of themselves together. Errors: CheckpointError for two that differ in
/// model, classes or normalisation: they do not vote on the same question.
Identity common_identity(const std::vector<std::string>& paths);

/// Checks that a checkpoint or a member is of this run. Errors: CheckpointError naming what differs.
void expect_same_run(const std::string& path, const Identity& saved, const Identity& wanted);

}  // namespace basin::apps
