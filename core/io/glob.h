// Patterns with stars, matched in a time that grows with pattern times text, never faster.
#pragma once

#include <cstddef>
#include <string_view>

namespace basin {

/// Whether all of `text` is `pattern`, in which '*' stands for any characters, none too, and '?' for one
/// byte: "fc.*", "train-??.tar". Only the last star met is ever tried again, which is enough: what stands
/// before it has matched as early as it can.
inline bool glob_matches(std::string_view pattern, std::string_view text) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t p = 0, t = 0, star = kNone, from = 0;  // the star's text ends at `from`
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p, ++t;
    } else if (star != kNone) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == kNone;
}

}  // namespace basin
