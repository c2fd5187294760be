// What `basin landscape` is asked: the slice, the grid, the statistics.
#pragma once

#include <string>
#include <vector>

#include "apps/lab/landscape/landscape.h"
#include "apps/options/names.h"

namespace basin::apps {

class OptionTable;

/// random: filter-normalised Gaussian vectors. eigen: of the Hessian. pca: principal axes of a training.
/// plane: through solutions.
enum class Directions { random, eigen, pca, plane };

const NamesOf<StatisticsAt>& statistics_names();  // "frozen", "recomputed"

struct LandscapeConfig {
  int dims = 2;
  Directions directions = Directions::random;
  DirectionOptions random{};
  std::string vectors;    // file of eigenvectors; empty: computed
  std::string solutions;  // of one run, between commas
  std::vector<std::int64_t> grid{25, 25};
  std::vector<GridSpan> span{{}};  // low and high of x, and of y where it has its own
  StatisticsAt statistics = StatisticsAt::frozen;
  bool test = false;

  /// One for each axis. Errors: UsageError for a grid or a span of more axes than there are.
  std::vector<GridSpan> spans() const;
  /// All that decides the slice and the grid, but weights and seed.
  Json question() const;
  /// The same in one line: "plane of random directions, filter-normalised; running statistics frozen".
  std::string in_words() const;
};

/// Adds the group "The landscape".
void add(OptionTable& table, LandscapeConfig& config);

}  // namespace basin::apps
