// The pictures and the table of curves between two solutions, from the numbers of their result.
#pragma once

#include <vector>

#include "apps/report/figure.h"

namespace basin::apps {

/// Each quantity over t and over the share of a curve's length; the table of barriers; where a curve was
/// trained the losses along that. `result` is what `basin curve` answers (docs/lab.md).
std::vector<Figure> curve_figures(const Json& result);

/// For each path and quantity the ends, the extremes, the mean, and the three heights of Barrier.
FigureTable barrier_table(const Json& result);

}  // namespace basin::apps
