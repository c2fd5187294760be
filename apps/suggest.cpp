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
  if (word.size() < 2 || word.size() > 64) return "";
  constexpr int kNone = 1 << 20, kBeginning = 1000;
  const std::string* best = nullptr;
  int least = kNone;
  for (const std::string& candidate : candidates) {
    if (candidate.empty()) continue;
    const std::string_view beginning = std::string_view(candidate).substr(0, word.size());
    const auto near = [](int distance, std::size_t length) {
      return distance <= std::max(1, static_cast<int>(length) / 3);
    };
    const int distance = edit_distance(word, candidate), to_beginning = edit_distance(word, beginning);
    int cost = kNone;
    if (near(distance, std::max(word.size(), candidate.size()))) {
      cost = 2 * distance - (to_beginning == 0);  // of equals, the one that the word begins
    } else if ((to_beginning == 0 || word.size() > 2) && near(to_beginning, word.size())) {
      cost = kBeginning + 2 * distance;  // taken only where no spelling is closer
    } else if (word.starts_with(candidate) && candidate.size() > 2) {
      cost = kBeginning + 2 * distance;
    }
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
