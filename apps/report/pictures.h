// Pictures of figures as SVG documents. Equal figures give equal bytes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/report/figure.h"
#include "apps/report/heights.h"
#include "apps/report/svg.h"

namespace basin::apps {

/// The plots side by side as one document, each 480 wide and 340 high, higher where its legend takes rows.
std::string svg(const std::vector<Plot>& plots);

/// Looking down on a surface: colours, contour lines with their heights, marks, paths, a bar that explains
/// the colours. Where a height is not known there is a hole.
std::string contour_svg(const Surface& surface, const HeightScale& scale);

/// The same in three dimensions, from the side, shaded; `turn` degrees round the axis of heights.
std::string relief_svg(const Surface& surface, const HeightScale& scale, double turn = 35);

/// A square for each pair of names, the darker the larger its part of the row; numbers where there is room.
std::string matrix_svg(const CountMatrix& matrix);

/// The labels of the curves in rows from (x, y) on, none wider than `room`; draws nothing where no curve has
/// one. Returns how many rows there are.
int add_legend(Svg& page, const std::vector<Curve>& curves, double x, double y, double room);
/// The rows that add_legend() takes.
int legend_rows(const std::vector<Curve>& curves, double room);

/// How a curve in the place `place` is stroked: class, colour, dashes, width.
std::string stroke_of(const Curve& curve, std::size_t place);

}  // namespace basin::apps
