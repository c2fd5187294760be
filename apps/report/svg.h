// Line plots as SVG: axes with round ticks, a legend, curves. Equal plots give equal bytes.
#pragma once

#include <string>
#include <vector>

#include "apps/report/figure.h"

namespace basin::apps {

/// The plots side by side as one SVG document, 480 x 340 each.
std::string svg(const std::vector<Plot>& plots);

/// Round numbers (1, 2 or 5 times a power of ten apart, and at least `apart`), about `wanted` of them, that
/// enclose [low, high].
std::vector<double> ticks(double low, double high, int wanted, double apart = 0);

/// Text as XML and HTML show it: & < > " ' escaped, control characters replaced by spaces.
std::string escaped_xml(const std::string& text);

}  // namespace basin::apps
