#include "apps/report/heights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/report/axis.h"

namespace basin::apps {

bool HeightScale::has(double z) const { return std::abs(z) < 1e300 && (!log || z > 1e-300); }

double HeightScale::part(double z) const {
  if (!has(z)) return std::numeric_limits<double>::quiet_NaN();
  return log ? std::log(z / low) / std::log(high / low) : (z - low) / (high - low);
}

std::vector<double> HeightScale::marks() const {
  std::vector<double> all;
  for (const double mark : log ? log_ticks(low, high, 8) : ticks(low, high, 8))
    if (mark >= low && mark <= high) all.push_back(mark);
  return all;
}

std::vector<double> HeightScale::contours() const {
  std::vector<double> all;
  if (log && high / low < 1e5) {
    for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10)
      for (const double factor : {1.0, 2.0, 5.0})
        if (factor * power >= low && factor * power <= high) all.push_back(factor * power);
    if (all.size() >= 5) return all;
    all.clear();
  }
  for (const double mark : log ? log_ticks(low, high, 14) : ticks(low, high, 14))
    if (mark >= low && mark <= high) all.push_back(mark);
  return all;
}

HeightScale scale_of(const std::vector<const Surface*>& surfaces) {
  HeightScale scale{.log = true};
  for (const Surface* surface : surfaces) scale.log = scale.log && surface->log_z;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Surface* surface : surfaces) {
    for (const double z : surface->z) {
      if (!scale.has(z)) continue;
      low = std::min(low, z);
      high = std::max(high, z);
    }
  }
  if (low > high) low = scale.log ? 1 : 0, high = scale.log ? 10 : 1;
  if (high - low <= 1e-9 * std::max(std::abs(low), std::abs(high))) {
    const double room = low == 0 ? 1 : std::abs(low) * 0.5;
    low -= room, high += room;
  }
  scale.low = low;
  scale.high = high;
  return scale;
}

HeightScale scale_in(const std::vector<const Figure*>& figures, const Surface& surface) {
  std::vector<const Surface*> group;
  if (!surface.group.empty()) {
    for (const Figure* figure : figures) {
      const auto* other = std::get_if<Surface>(&figure->content);
      if (other && other->group == surface.group) group.push_back(other);
    }
  }
  if (group.empty()) group.push_back(&surface);
  return scale_of(group);
}

std::array<double, 3> viridis(double part) {
  // Every eighth of the map of matplotlib, which is in the public domain (CC0); straight between them.
  static const std::array<std::array<double, 3>, 9> stops = {{{68, 1, 84},
                                                              {71, 45, 123},
                                                              {59, 82, 139},
                                                              {44, 114, 142},
                                                              {33, 145, 140},
                                                              {40, 174, 128},
                                                              {94, 201, 98},
                                                              {173, 220, 48},
                                                              {253, 231, 37}}};
  const double place = std::clamp(part, 0.0, 1.0) * (stops.size() - 1);
  const auto k = std::min(static_cast<std::size_t>(place), stops.size() - 2);
  const double rest = place - static_cast<double>(k);
  std::array<double, 3> colour{};
  for (std::size_t c = 0; c < 3; ++c) colour[c] = stops[k][c] + rest * (stops[k + 1][c] - stops[k][c]);
  return colour;
}

std::string hex(const std::array<double, 3>& colour, double light) {
  static const char* const digits = "0123456789abcdef";
  std::string out = "#";
  for (const double c : colour) {
    const auto value = static_cast<std::size_t>(std::lround(std::clamp(c * light, 0.0, 255.0)));
    out += digits[value / 16];
    out += digits[value % 16];
  }
  return out;
}

}  // namespace basin::apps
