// Surfaces from above: bands of colour, contour lines, marks and paths.
#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/report/axis.h"
#include "apps/report/contours.h"
#include "apps/report/pictures.h"

namespace basin::apps {
namespace {

constexpr double kWidth = 480, kLeft = 62, kRight = 92, kTop = 36, kBottom = 48;
constexpr double kMostWide = kWidth - kLeft - kRight, kMostHigh = 320;
constexpr double kRow = 16;
constexpr int kBands = 32;  // of colour

class ContourPicture {
 public:
  ContourPicture(const Surface& surface, const HeightScale& scale) : s_(surface), scale_(scale) {
    const double x_range = s_.x.back() - s_.x.front(), y_range = s_.y.back() - s_.y.front();
    double wide = kMostWide, high = kMostHigh * 0.9;
    // Equal lengths are equal on the page, unless that makes a stripe.
    if (const double ratio = y_range / x_range; ratio > 1.0 / 3 && ratio < 3) {
      wide = std::min(kMostWide, kMostHigh / ratio);
      high = wide * ratio;
    }
    const int rows = legend_rows(s_.paths, kMostWide);
    const double top = kTop + (rows > 0 ? kRow * rows - 8 : 0);
    x_ = {.low = s_.x.front(), .high = s_.x.back(), .begin = kLeft, .end = kLeft + wide};
    y_ = {.low = s_.y.front(), .high = s_.y.back(), .begin = top + high, .end = top};
    for (Axis* axis : {&x_, &y_})
      for (const double mark : ticks(axis->low, axis->high, 6))
        if (mark >= axis->low && mark <= axis->high) axis->marks.push_back(mark);
    grid_ = {s_.x, s_.y, {}};
    for (const double z : s_.z) grid_.z.push_back(scale.part(z));
  }

  std::string text() {
    Svg page(kWidth, y_.begin + kBottom, s_.title);
    page.title(kWidth / 2, 18, s_.title, kWidth - 24);
    for (const Mark& mark : s_.marks) labels_.emplace_back(x_.at(mark.x), y_.at(mark.y) - 6);
    draw_bands(page);
    draw_lines(page);
    draw_axes(page);
    draw_bar(page);
    add_legend(page, s_.paths, x_.begin, kTop, kMostWide);
    for (std::size_t i = 0; i < s_.paths.size(); ++i) draw_path(page, i);
    for (const Mark& mark : s_.marks) draw_mark(page, mark);
    return page.text();
  }

 private:
  std::pair<double, double> place(const PlanePoint& p) const { return {x_.at(p.first), y_.at(p.second)}; }
  std::string path_of(const std::vector<PlanePoint>& points) const {
    std::string out;
    for (const PlanePoint& p : points) {
      const auto [x, y] = place(p);
      out += (out.empty() ? "M" : "L") + coordinate(x, 1) + " " + coordinate(y, 1);
    }
    return out;
  }

  void draw_bands(Svg& page) const {
    page.add("<rect class=\"hole\" x=\"" + coordinate(x_.begin) + "\" y=\"" + coordinate(y_.end) +
             "\" width=\"" + coordinate(x_.end - x_.begin) + "\" height=\"" + coordinate(y_.begin - y_.end) +
             "\" fill=\"#e4e4e4\"/>");
    for (int band = 0; band < kBands; ++band) {
      const double level =
          band == 0 ? -std::numeric_limits<double>::infinity() : static_cast<double>(band) / kBands;
      std::string path;
      for (const auto& polygon : region_above(grid_, level)) path += path_of(polygon) + "z";
      if (!path.empty()) page.add("<path d=\"" + path + "\" fill=\"" + hex(colour_of(band)) + "\"/>");
    }
  }
  static std::array<double, 3> colour_of(int band) { return viridis((band + 0.5) / kBands); }

  void draw_lines(Svg& page) {
    const std::vector<double> levels = scale_.contours();
    for (std::size_t k = 0; k < levels.size(); ++k) {
      const double part = scale_.part(levels[k]);
      const auto lines = contour_lines(grid_, part);
      std::string path;
      const std::vector<PlanePoint>* longest = nullptr;
      double most = 0;
      for (const auto& line : lines) {
        path += path_of(line);
        if (const double length = length_of(line); length > most) most = length, longest = &line;
      }
      if (path.empty()) continue;
      const std::string ink = part < 0.55 ? "#ffffff" : "#000000";
      page.add("<path d=\"" + path + "\" fill=\"none\" stroke=\"" + ink +
               "\" stroke-opacity=\"0.65\" stroke-width=\"0.9\"/>");
      if (most > 70) draw_label(page, *longest, 0.2 + 0.3 * static_cast<double>(k % 3), levels[k], ink, part);
    }
  }

  double length_of(const std::vector<PlanePoint>& line) const {
    double length = 0;
    for (std::size_t i = 1; i < line.size(); ++i) {
      const auto a = place(line[i - 1]), b = place(line[i]);
      length += std::hypot(b.first - a.first, b.second - a.second);
    }
    return length;
  }

  // At a point of the line where no other label is near, else nowhere: the bar says the heights too.
  void draw_label(Svg& page, const std::vector<PlanePoint>& line, double from, double level,
                  const std::string& ink, double part) {
    for (const double step : {0.0, 0.25, 0.5, 0.75}) {
      const double along = std::fmod(from + step, 1.0) * static_cast<double>(line.size() - 1);
      const std::pair<double, double> at = place(line[static_cast<std::size_t>(along)]);
      const double x = at.first, y = at.second;
      const bool inside = x > x_.begin + 20 && x < x_.end - 20 && y < y_.begin - 10 && y > y_.end + 10;
      const bool free = std::none_of(labels_.begin(), labels_.end(), [&](const auto& other) {
        return std::abs(other.first - x) < 42 && std::abs(other.second - y) < 14;
      });
      if (!inside || !free) continue;
      labels_.emplace_back(x, y);
      page.words(x, y + 3.5, "middle", tick_text(level, scale_.contours(), scale_.log),
                 " font-size=\"10\" fill=\"" + ink + "\" style=\"fill:" + ink + "\" stroke=\"" +
                     hex(viridis(part)) + "\" stroke-width=\"3\" paint-order=\"stroke\"");
      return;
    }
  }

  void draw_axes(Svg& page) const {
    page.line(x_.begin, y_.begin, x_.end, y_.begin, "axis");
    page.line(x_.begin, y_.begin, x_.begin, y_.end, "axis");
    for (const double mark : x_.marks) {
      page.line(x_.at(mark), y_.begin, x_.at(mark), y_.begin + 4, "axis");
      page.words(x_.at(mark), y_.begin + 17, "middle", x_.words(mark));
    }
    for (const double mark : y_.marks) {
      page.line(x_.begin - 4, y_.at(mark), x_.begin, y_.at(mark), "axis");
      page.words(x_.begin - 7, y_.at(mark) + 4, "end", y_.words(mark));
    }
    page.words((x_.begin + x_.end) / 2, y_.begin + 36, "middle", shortened(s_.x_label, 60));
    const double middle = (y_.begin + y_.end) / 2;
    page.words(16, middle, "middle", shortened(s_.y_label, 50),
               " transform=\"rotate(-90 16 " + coordinate(middle) + ")\"");
  }

  void draw_bar(Svg& page) const {
    const double left = x_.end + 16, high = (y_.begin - y_.end) / kBands;
    for (int band = 0; band < kBands; ++band)
      page.add("<rect x=\"" + coordinate(left) + "\" y=\"" + coordinate(y_.begin - high * (band + 1)) +
               "\" width=\"12\" height=\"" + coordinate(high + (band > 0 ? 0.5 : 0)) + "\" fill=\"" +
               hex(colour_of(band)) + "\"/>");
    for (const double mark : scale_.marks()) {
      const double y = y_.begin + scale_.part(mark) * (y_.end - y_.begin);
      page.line(left + 12, y, left + 16, y, "axis");
      page.words(left + 19, y + 4, "start", tick_text(mark, scale_.marks(), scale_.log));
    }
    page.words(left, y_.end - 6, "start", shortened(s_.z_label, 16));
  }

  void draw_path(Svg& page, std::size_t i) const {
    std::vector<std::pair<double, double>> points;
    std::string circles;
    for (const auto& [x, y] : s_.paths[i].points) {
      if (!x_.has(x) || !y_.has(y)) continue;
      points.push_back(place({x, y}));
      circles += "<circle cx=\"" + coordinate(points.back().first) + "\" cy=\"" +
                 coordinate(points.back().second) + "\" r=\"2.2\" fill=\"#ffffff\"/>\n";
    }
    if (points.empty()) return;
    const std::string all = coordinates(points);
    page.add("<polyline points=\"" + all + "\" fill=\"none\" stroke=\"#ffffff\" stroke-width=\"3.6\" " +
             "stroke-opacity=\"0.8\"/>\n<polyline points=\"" + all + "\"" + stroke_of(s_.paths[i], i) + "/>");
    if (points.size() > 60) return;
    circles.pop_back();
    page.add(circles);
  }

  void draw_mark(Svg& page, const Mark& mark) const {
    if (!x_.has(mark.x) || !y_.has(mark.y)) return;
    const auto [x, y] = place({mark.x, mark.y});
    page.add("<circle cx=\"" + coordinate(x) + "\" cy=\"" + coordinate(y) +
             "\" r=\"4.5\" fill=\"#d55e00\" stroke=\"#ffffff\" stroke-width=\"1.5\"/>");
    const bool right = x > (x_.begin + x_.end) / 2;
    page.words(x + (right ? -8 : 8), y - 6, right ? "end" : "start", shortened(mark.label, 40),
               " font-weight=\"bold\" style=\"fill:#000000\" stroke=\"#ffffff\" stroke-width=\"3\" "
               "stroke-opacity=\"0.85\" paint-order=\"stroke\"");
  }

  const Surface& s_;
  const HeightScale& scale_;
  Axis x_, y_;
  HeightGrid grid_;
  std::vector<std::pair<double, double>> labels_;  // where there is one, or a mark's
};

}  // namespace

std::string contour_svg(const Surface& surface, const HeightScale& scale) {
  if (surface.x.size() < 2 || surface.y.size() < 2) return Svg(kWidth, 60, surface.title).text();
  return ContourPicture(surface, scale).text();
}

}  // namespace basin::apps
