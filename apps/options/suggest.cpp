// Optimal string alignment distance, three rows at a time.
#include "apps/options/suggest.h"

#include <algorithm>
#include <cstddef>
#include <utility>

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

std::vector<std::string> nearest_few(std::string_view word, const std::vector<std::string>& candidates,
                                     std::size_t most) {
  // Words of the command line are short; a long one is pasted text, and the table is quadratic.
  if (word.size() < 2 || word.size() > 64) return {};
  constexpr int kBeginning = 1000;
  std::vector<std::pair<int, std::string>> near_enough;
  for (const std::string& candidate : candidates) {
    if (candidate.empty()) continue;
    const std::string_view beginning = std::string_view(candidate).substr(0, word.size());
    const auto near = [](int distance, std::size_t length) {
      return distance <= std::max(1, static_cast<int>(length) / 3);
    };
    const int distance = edit_distance(word, candidate), to_beginning = edit_distance(word, beginning);
    if (near(distance, std::max(word.size(), candidate.size()))) {
      // of equals, the one that the word begins
      near_enough.emplace_back(2 * distance - (to_beginning == 0), candidate);
    } else if (((to_beginning == 0 || word.size() > 2) && near(to_beginning, word.size())) ||
               (word.starts_with(candidate) && candidate.size() > 2)) {
      near_enough.emplace_back(kBeginning + 2 * distance, candidate);  // where no spelling is closer
    }
  }
  std::stable_sort(near_enough.begin(), near_enough.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> few;
  for (const auto& [cost, candidate] : near_enough)
    if (few.size() < most) few.push_back(candidate);
  return few;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::vector<std::string> one = nearest_few(word, candidates, 1);
  return one.empty() ? "" : one[0];
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates,
                         std::string_view prefix) {
  const std::string found = nearest(word, candidates);
  if (found.empty()) return "";
  return "; did you mean " + std::string(prefix) + found + "?";
}

std::string did_you_mean_one_of(std::string_view word, const std::vector<std::string>& candidates,
                                std::string_view prefix) {
  constexpr std::size_t kMost = 3;
  std::string words;
  const std::vector<std::string> few = nearest_few(word, candidates, kMost);
  for (std::size_t i = 0; i < few.size(); ++i)
    words += (i == 0 ? "" : i + 1 == few.size() ? " or " : ", ") + std::string(prefix) + few[i];
  return words.empty() ? "" : "; did you mean " + words + "?";
}

}  // namespace basin::apps
