// An argument vector split by the options of a table.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/options/options.h"

namespace basin::apps {

/// Flags as given, in the order of the arguments: option and value ("true" or "false" for flags without one).
using GivenFlags = std::vector<std::pair<std::string, std::string>>;

/// Splits arguments by the options of `table`: "--lr 0.1", "--lr=0.1", "-o FILE", "-qv", "--no-progress".
/// An option that is no flag takes the next word, whatever it is ("-1", "[a,b]"), unless that is an option
/// itself. Every other word, and all words behind "--", go to `positionals`, at most `most` of them. Errors:
/// UsageError for an unknown option (with a suggestion), a missing value, a word without a place, an option
/// given twice with two values.
GivenFlags split_arguments(const OptionTable& table, const std::vector<std::string>& arguments,
                           std::size_t most, std::vector<std::string>& positionals);

}  // namespace basin::apps
