// Line plots as SVG: axes with round ticks, a legend, curves. Equal plots give equal bytes.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace basin::apps {

/// Points joined by lines; a point that is not finite leaves a gap.
struct Curve {
  std::string label{};
  std::vector<std::pair<double, double>> points{};
  bool dashed = false;
};

/// One pair of axes.
struct Plot {
  std::string title{};
  std::string x_label{};
  std::string y_label{};
  bool whole_x = false;         // ticks of x only at whole numbers
  std::vector<Curve> curves{};  // each in a colour of its own that colour-blind people tell apart
};

/// The plots side by side as one SVG document, 480 x 340 each.
std::string svg(const std::vector<Plot>& plots);

/// Round numbers (1, 2 or 5 times a power of ten apart, and at least `apart`), about `wanted` of them, that
/// enclose [low, high].
std::vector<double> ticks(double low, double high, int wanted, double apart = 0);

/// Text as XML and HTML show it: & < > " ' escaped, control characters replaced by spaces.
std::string escaped_xml(const std::string& text);

}  // namespace basin::apps
