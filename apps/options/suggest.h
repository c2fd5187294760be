// "Did you mean": the known word nearest to a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace basin::apps {

/// Edits that turn `a` into `b`: insertions, deletions, substitutions and swaps of neighbours, each counted
/// once (optimal string alignment distance).
int edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `word` if it is near enough to be meant: at most a third of its length in edits,
/// else one with a beginning that near; empty otherwise. The first of equals wins.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// Those near enough, the nearest first, at most so many.
std::vector<std::string> nearest_few(std::string_view word, const std::vector<std::string>& candidates,
                                     std::size_t most);

/// "; did you mean X, Y or Z?", at most three and each behind the prefix, or nothing.
std::string did_you_mean_one_of(std::string_view word, const std::vector<std::string>& candidates,
                                std::string_view prefix = "");

/// "; did you mean X?" with X = prefix + nearest, or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates,
                         std::string_view prefix = "");

}  // namespace basin::apps
