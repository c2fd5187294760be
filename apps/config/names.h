// The words that configurations, records and reports have for choices: one list each, both ways.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/config/config.h"
#include "core/error.h"

namespace basin::apps {

/// Each word with the value it stands for, in the order of --help.
template <class T>
using Names = std::vector<std::pair<std::string, T>>;

const Names<Optimizer>& optimizer_names();    // "sgd", "adamw"
const Names<Sharpness>& sharpness_names();    // "none", "sam", "gam"
const Names<Average>& average_names();        // "none", "swa", "ema"
const Names<EnsembleKind>& ensemble_names();  // "none", "snapshot", "fge"
const Names<nn::RecalibrationMode>& recalibration_names();
const Names<ConvAlgorithm>& conv_algorithm_names();  // "winograd4", the words of core/conv_algorithm.h

/// The word for a value.
template <class T>
std::string name_of(const Names<T>& names, T value) {
  for (const auto& [word, meaning] : names)
    if (meaning == value) return word;
  throw InternalError("[names] a value without a name");
}

}  // namespace basin::apps
