// What `basin landscape` answers: pictures, a table, and numbers.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/table.h"
#include "apps/lab/landscape/landscape.h"
#include "apps/report/figure.h"

namespace basin::apps {

/// The landscape of one run, or of one plane.
struct Surveyed {
  std::string label{};  // of the run
  Slice slice{};
  Landscape landscape{};
  std::string measured{};  // "1,000 train images"
  bool test = false;
  std::int64_t passes = 0;  // forward over examples
};

/// On a line one plot of losses and one of accuracies, a curve for each run, dashed over test images. Over a
/// plane a surface for each run and measurement, those of one measurement in one group.
std::vector<Figure> figures_of(const std::vector<Surveyed>& all);

/// A list, a run each: its axes, centre, marks, lowest and highest point, the profile through the centre
/// along each axis, and the passes.
Json to_json(const std::vector<Surveyed>& all);

/// The same for people: a row a run; or a row a mark.
Table table_of(const Json& result);
Table marks_of(const Json& result);

}  // namespace basin::apps
