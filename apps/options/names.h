// The words that options, records and reports have for a choice: one list each, read both ways.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

namespace basin::apps {

/// Each word with the value it stands for, in the order of --help: {{"sgd", Optimizer::sgd}, ...}.
template <class T>
using NamesOf = std::vector<std::pair<std::string, T>>;

/// The word for a value.
template <class T>
std::string name_of(const NamesOf<T>& names, T value) {
  for (const auto& [word, meaning] : names)
    if (meaning == value) return word;
  throw InternalError("[names] a value without a name");
}

}  // namespace basin::apps
