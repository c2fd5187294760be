// Counts by two names as squares.
#include <algorithm>
#include <cmath>

#include "apps/cli/format.h"
#include "apps/report/heights.h"
#include "apps/report/pictures.h"

namespace basin::apps {
namespace {

constexpr double kWidth = 480, kLeft = 110, kTop = 34, kBottom = 96, kSide = 340;
constexpr std::size_t kMostNamed = 40;     // more names have no room beside their rows
constexpr std::size_t kMostNumbered = 12;  // more counts have none in their squares

/// From nearly white at 0 to dark blue at 1, by the root, so that few mistakes show as a tint.
std::string shade(double part) {
  const double root = std::sqrt(part);
  const auto mixed = [&](double light, double dark) { return light + root * (dark - light); };
  return hex({mixed(246, 8), mixed(248, 56), mixed(251, 112)});
}

}  // namespace

std::string matrix_svg(const CountMatrix& m) {
  const std::size_t n = m.names.size();
  Svg page(kWidth, kTop + kSide + kBottom, m.title);
  page.title(kWidth / 2, 18, m.title, kWidth - 24);
  const double side = kSide / static_cast<double>(std::max<std::size_t>(1, n));
  const auto place = [&](std::size_t i) { return side * static_cast<double>(i); };
  for (std::size_t row = 0; row < n; ++row) {
    std::int64_t all = 0;
    for (std::size_t column = 0; column < n; ++column) all += m.counts[row * n + column];
    for (std::size_t column = 0; column < n; ++column) {
      const std::int64_t count = m.counts[row * n + column];
      const double part = all > 0 ? static_cast<double>(count) / static_cast<double>(all) : 0;
      const std::string x = coordinate(kLeft + place(column)), y = coordinate(kTop + place(row));
      page.add("<rect x=\"" + x + "\" y=\"" + y + "\" width=\"" + coordinate(side) + "\" height=\"" +
               coordinate(side) + "\" fill=\"" + shade(part) + "\"><title>" +
               escaped_xml(text(m.names[row], " as ", m.names[column], ": ", grouped(count))) +
               "</title></rect>");
      if (n <= kMostNumbered && count > 0)
        page.words(kLeft + place(column) + side / 2, kTop + place(row) + side / 2 + 4, "middle",
                   std::to_string(count),
                   std::string(" pointer-events=\"none\" style=\"fill:") +
                       (part > 0.25 ? "#ffffff" : "#000000") + "\"");
    }
    if (n > kMostNamed) continue;
    const double middle = place(row) + side / 2;
    page.words(kLeft - 6, kTop + middle + 4, "end", shortened(m.names[row], 15));
    const std::string x = coordinate(kLeft + middle + 4), y = coordinate(kTop + kSide + 8);
    page.words(kLeft + middle + 4, kTop + kSide + 8, "end", shortened(m.names[row], 12),
               " transform=\"rotate(-50 " + x + " " + y + ")\"");
  }
  page.words(kLeft + kSide / 2, kTop + kSide + kBottom - 8, "middle", m.column_label);
  page.words(16, kTop + kSide / 2, "middle", m.row_label,
             " transform=\"rotate(-90 16 " + coordinate(kTop + kSide / 2) + ")\"");
  return page.text();
}

}  // namespace basin::apps
