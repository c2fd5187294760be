#include "apps/lab/curve/assignment.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace basin::apps {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

/// Rows are assigned one after the other: each by a shortest path, in costs reduced by the dual prices of
/// rows and columns, over rows that are assigned already to a column that is free.
class Assignment {
 public:
  Assignment(const std::vector<double>& gain, std::size_t n)
      : gain_(gain), n_(n), row_price_(n), column_price_(n), column_of_(n, kNone), row_of_(n, kNone) {}

  std::vector<std::int64_t> solve() {
    for (std::size_t row = 0; row < n_; ++row) augment(row);
    return {column_of_.begin(), column_of_.end()};
  }

 private:
  double reduced(std::size_t row, std::size_t column) const {
    return -gain_[row * n_ + column] - row_price_[row] - column_price_[column];
  }

  void augment(std::size_t free_row) {
    std::vector<double> distance(n_, std::numeric_limits<double>::infinity());
    std::vector<std::size_t> before(n_, kNone), open(n_), seen_rows;
    for (std::size_t j = 0; j < n_; ++j) open[j] = j;
    std::vector<char> done(n_, 0);
    double reached = 0;
    std::size_t row = free_row, end = kNone;
    while (end == kNone) {
      seen_rows.push_back(row);
      std::size_t best = kNone;
      for (std::size_t at = 0; at < open.size(); ++at) {
        const std::size_t j = open[at];
        if (const double d = reached + reduced(row, j); d < distance[j]) {
          distance[j] = d;
          before[j] = row;
        }
        if (best == kNone || distance[j] < distance[open[best]]) best = at;
      }
      const std::size_t column = open[best];
      reached = distance[column];
      done[column] = 1;
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(best));
      if (row_of_[column] == kNone)
        end = column;
      else
        row = row_of_[column];
    }
    row_price_[free_row] += reached;
    for (const std::size_t i : seen_rows)
      if (i != free_row) row_price_[i] += reached - distance[column_of_[i]];
    for (std::size_t j = 0; j < n_; ++j)
      if (done[j]) column_price_[j] -= reached - distance[j];
    for (std::size_t column = end; column != kNone;) {
      const std::size_t i = before[column];
      row_of_[column] = i;
      const std::size_t next = column_of_[i];
      column_of_[i] = column;
      column = i == free_row ? kNone : next;
    }
  }

  const std::vector<double>& gain_;
  std::size_t n_;
  std::vector<double> row_price_, column_price_;
  std::vector<std::size_t> column_of_, row_of_;
};

}  // namespace

std::vector<std::int64_t> best_assignment(const std::vector<double>& gain, std::int64_t n) {
  if (n < 0 || static_cast<std::int64_t>(gain.size()) != n * n)
    throw ArgumentError("[assignment] ", gain.size(), " gains are no square of ", n, " rows");
  if (!std::all_of(gain.begin(), gain.end(), [](double g) { return std::isfinite(g); }))
    throw ArgumentError("[assignment] a gain is not finite");
  return Assignment(gain, static_cast<std::size_t>(n)).solve();
}

}  // namespace basin::apps
