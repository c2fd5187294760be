#include "apps/statistics/rank_correlation.h"

#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "core/random.h"

namespace basin::apps {
namespace {

using Groups = std::vector<std::int64_t>;

int sign(double x) { return (x > 0) - (x < 0); }

/// Places by group, in rising order.
std::map<std::int64_t, std::vector<std::size_t>> places_of(const Groups& groups, std::size_t n) {
  std::map<std::int64_t, std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < n; ++i) places[groups.empty() ? 0 : groups[i]].push_back(i);
  return places;
}

}  // namespace

double kendall_tau(const std::vector<double>& a, const std::vector<double>& b, const Groups& groups) {
  if (a.size() != b.size() || (!groups.empty() && groups.size() != a.size()))
    throw ArgumentError("[kendall_tau] pairs are needed, got ", a.size(), " numbers, ", b.size(), " and ",
                        groups.size(), " groups");
  std::int64_t excess = 0, ordered_by_a = 0, ordered_by_b = 0;  // C - D, P - T_a, P - T_b
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = i + 1; j < a.size(); ++j) {
      if (!groups.empty() && groups[i] != groups[j]) continue;
      const int x = sign(a[j] - a[i]), y = sign(b[j] - b[i]);
      excess += x * y;
      ordered_by_a += x != 0;
      ordered_by_b += y != 0;
    }
  }
  if (ordered_by_a == 0 || ordered_by_b == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(excess) /
         std::sqrt(static_cast<double>(ordered_by_a) * static_cast<double>(ordered_by_b));
}

double kendall_p(const std::vector<double>& a, const std::vector<double>& b, const Groups& groups) {
  const double found = kendall_tau(a, b, groups);
  if (std::isnan(found)) return found;
  const auto places = places_of(groups, a.size());
  std::int64_t reached = 1;
  for (std::int64_t k = 0; k < kShuffles; ++k) {
    Random random(0, Stream::user, static_cast<std::uint64_t>(k));
    std::vector<double> shuffled = b;
    for (const auto& [group, of_group] : places)
      for (std::size_t last = of_group.size(); last-- > 1;)  // Fisher and Yates, from the last place down
        std::swap(shuffled[of_group[last]], shuffled[of_group[random.below(last + 1)]]);
    // The denominator is the same for every order; the numerators are whole numbers.
    reached += std::abs(kendall_tau(a, shuffled, groups)) >= std::abs(found) * (1 - 1e-12);
  }
  return static_cast<double>(reached) / static_cast<double>(kShuffles + 1);
}

}  // namespace basin::apps
