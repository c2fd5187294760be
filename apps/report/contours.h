// Contours of heights over a grid, by marching squares.
#pragma once

#include <utility>
#include <vector>

namespace basin::apps {

using PlanePoint = std::pair<double, double>;

/// Heights over a grid: z[j * x.size() + i] at (x[i], y[j]). A cell with a height that is not finite is a
/// hole.
struct HeightGrid {
  std::vector<double> x{}, y{}, z{};

  double at(std::size_t i, std::size_t j) const { return z[j * x.size() + i]; }
  /// Whether the cell between (i, j) and (i + 1, j + 1) has its four heights.
  bool has_cell(std::size_t i, std::size_t j) const;
};

/// The lines where the height is `level`, straight within each cell and joined across cells; a closed one
/// ends where it begins. A height equal to the level counts as above it. In a cell whose corners across are
/// above and below in turn, its mean height decides which two are joined.
std::vector<std::vector<PlanePoint>> contour_lines(const HeightGrid& grid, double level);

/// What is at or above the level, as polygons that do not overlap, all turning one way; -infinity: all cells
/// that are no holes.
std::vector<std::vector<PlanePoint>> region_above(const HeightGrid& grid, double level);

}  // namespace basin::apps
