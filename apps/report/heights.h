// HeightScale: the heights of surfaces as numbers from 0 to 1, and the colours of these.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "apps/report/figure.h"

namespace basin::apps {

/// One scale for all surfaces that are drawn with it, so that equal colours are equal heights.
struct HeightScale {
  bool log = false;
  double low = 0, high = 1;  // heights

  /// Whether a height can be shown: finite, and above 0 on a scale of powers of ten.
  bool has(double z) const;
  /// 0 at the lowest, 1 at the highest; NaN where there is no place for it.
  double part(double z) const;
  /// Round heights from low to high.
  std::vector<double> marks() const;
  /// More of them, of the lines on a surface.
  std::vector<double> contours() const;
};

/// The scale of all heights of the surfaces; by powers of ten where each of them is drawn so.
HeightScale scale_of(const std::vector<const Surface*>& surfaces);

/// The surface's scale among these figures: that of its group, or its own.
HeightScale scale_in(const std::vector<const Figure*>& figures, const Surface& surface);

/// A colour of viridis, from dark violet at 0 over green to yellow at 1: its lightness rises, so that it
/// reads without colours too. {red, green, blue} from 0 to 255.
std::array<double, 3> viridis(double part);

/// "#440154", the colour times `light`.
std::string hex(const std::array<double, 3>& colour, double light = 1);

}  // namespace basin::apps
