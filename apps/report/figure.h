// Figure: what a picture shows, in numbers. One kind for lines, one for heights over a plane, one for tables,
// one for counts by two names; how they are drawn is pictures.h's business, how they are stored
// figure_files.h's.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/io/json.h"

namespace basin::apps {

/// Points joined by lines; a point that is not finite leaves a gap.
struct Curve {
  std::string label{};
  std::vector<std::pair<double, double>> points{};
  bool dashed = false;
  /// Low and high of each point's y: error bars, or a band where the points are many; empty: none.
  std::vector<std::pair<double, double>> bounds{};
  int colour = -1;     // equal numbers, equal colours; -1: a colour by the curve's place
  bool faint = false;  // thin, pale and without a place in the legend: what another curve smooths
};

/// One pair of axes.
struct Plot {
  std::string title{};
  std::string x_label{};
  std::string y_label{};
  bool whole_x = false;  // ticks of x only at whole numbers
  bool log_x = false;    // an axis of powers of ten; points at or below 0 leave gaps
  bool log_y = false;
  std::vector<Curve> curves{};  // each in a colour of its own that colour-blind people tell apart
};

/// A place on a surface's plane: a solution, an average.
struct Mark {
  std::string label{};
  double x = 0, y = 0;
};

/// Heights over a grid of a plane: a loss landscape.
struct Surface {
  std::string title{};
  std::string x_label{};
  std::string y_label{};
  std::string z_label{};
  bool log_z = false;            // contours and colours by powers of ten
  std::vector<double> x{}, y{};  // of the grid's columns and rows, rising
  std::vector<double> z{};       // z[j * x.size() + i] is the height at (x[i], y[j]); NaN: not known
  std::vector<Mark> marks{};
  std::vector<Curve> paths{};  // on the plane: a trajectory of training
  /// Surfaces of one group are drawn with one scale of heights, so that they compare; empty: alone.
  std::string group{};
};

/// Words and numbers in rows.
struct FigureTable {
  std::string title{};
  std::vector<std::string> columns{};
  std::vector<std::vector<std::string>> rows{};
};

/// Counts by two names, both of one list: which class (row) was taken for which (column).
struct CountMatrix {
  std::string title{};
  std::string row_label{};
  std::string column_label{};
  std::vector<std::string> names{};
  std::vector<std::int64_t> counts{};  // counts[row * names.size() + column]
};

struct Figure {
  std::string name{};  // of its files: "density"
  std::variant<Plot, Surface, FigureTable, CountMatrix> content{};
};

/// What its picture is called.
const std::string& title_of(const Figure& figure);

/// With every number's bits (recorded()).
Json to_json(const Figure& figure);
/// The inverse. Errors: JsonError for anything else.
Figure figure_of(const Json& json);

}  // namespace basin::apps
