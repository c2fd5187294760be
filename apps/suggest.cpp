// Optimal string alignment distance, three rows at a time.
#include "apps/suggest.h"

#include <algorithm>
#include <cstddef>

namespace basin::apps {

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, last);
    std::swap(last, row);
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  // Words of the command line are short; a long one is pasted text, and the table is quadratic.
  if (word.empty() || word.size() > 64) return "";
  const std::string* best = nullptr;
  int least = 1 << 20;
  for (const std::string& candidate : candidates) {
    if (candidate.empty()) continue;
    const std::size_t shorter = std::min(word.size(), candidate.size());
    const bool begins = shorter >= 2 && candidate.compare(0, shorter, word.substr(0, shorter)) == 0;
    const int distance = edit_distance(word, candidate);
    const int allowed = std::max<int>(1, static_cast<int>(std::max(word.size(), candidate.size())) / 3);
    // A shared beginning is taken only where no spelling is closer.
    const int cost = distance <= allowed ? distance : begins ? 100 + distance : least;
    if (cost < least) {
      least = cost;
      best = &candidate;
    }
  }
  return best ? *best : "";
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates,
                         std::string_view prefix) {
  const std::string found = nearest(word, candidates);
  if (found.empty()) return "";
  return "; did you mean " + std::string(prefix) + found + "?";
}

}  // namespace basin::apps
