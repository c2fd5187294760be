// Line plots: axes with round ticks, a legend, curves with their bounds.
#include <algorithm>
#include <functional>

#include "apps/cli/format.h"
#include "apps/report/axis.h"
#include "apps/report/pictures.h"

namespace basin::apps {
namespace {

constexpr double kWidth = 480, kHeight = 340;
constexpr double kLeft = 62, kRight = 16, kTop = 36, kBottom = 48;
constexpr double kRoom = kWidth - kLeft - kRight;
constexpr double kRow = 16;              // of the legend
constexpr std::size_t kMostMarked = 30;  // more points are a line without circles, more bounds a band
constexpr int kLabel = 60;               // columns

std::size_t colour_of(const Curve& curve, std::size_t place) {
  return curve.colour >= 0 ? static_cast<std::size_t>(curve.colour) : place;
}

std::string class_of(std::size_t colour) { return "s" + std::to_string(colour % kPalette); }

/// Calls row(i, x, y) for each curve with a label: where its sample is, within `room` from 0 on.
int lay_out(const std::vector<Curve>& curves, double room,
            const std::function<void(std::size_t, double, int)>& place) {
  int rows = 0;
  double x = 0;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    if (curves[i].label.empty() || curves[i].faint) continue;
    const double wide = 40 + 6.2 * columns(shortened(curves[i].label, kLabel));
    if (rows == 0 || x + wide - 12 > room) ++rows, x = 0;
    if (place) place(i, x, rows - 1);
    x += wide;
  }
  return rows;
}

class PlotPicture {
 public:
  PlotPicture(Svg& page, const Plot& plot, double origin, int rows) : page_(page), plot_(plot) {
    const double top = kTop + kRow * rows;
    std::vector<double> xs, ys;
    for (const Curve& curve : plot.curves) {
      for (const auto& [x, y] : curve.points)
        if (within(x, plot.log_x) && within(y, plot.log_y)) xs.push_back(x), ys.push_back(y);
      for (const auto& [low, high] : curve.bounds) ys.push_back(low), ys.push_back(high);
    }
    x_ = axis_over(xs, plot.log_x, plot.whole_x, 7, origin + kLeft, origin + kWidth - kRight);
    y_ = axis_over(ys, plot.log_y, false, 6, top + (kHeight - kTop - kRow - kBottom), top);
    page.title((x_.begin + x_.end) / 2, 18, plot.title, kWidth - 24);
    draw_axes(origin);
    add_legend(page, plot.curves, x_.begin, kTop, kRoom);
    for (std::size_t i = 0; i < plot.curves.size(); ++i) draw(plot.curves[i], i);
  }

 private:
  static bool within(double value, bool log) { return Axis{.log = log}.has(value); }
  bool drawable(double x, double y) const { return x_.has(x) && y_.has(y); }

  void draw_axes(double origin) {
    for (const double mark : y_.marks) {
      page_.line(x_.begin, y_.at(mark), x_.end, y_.at(mark), "grid");
      page_.words(x_.begin - 6, y_.at(mark) + 4, "end", y_.words(mark));
    }
    for (const double mark : x_.marks) {
      page_.line(x_.at(mark), y_.begin, x_.at(mark), y_.begin + 4, "axis");
      page_.words(x_.at(mark), y_.begin + 17, "middle", x_.words(mark));
    }
    page_.line(x_.begin, y_.begin, x_.end, y_.begin, "axis");
    page_.line(x_.begin, y_.begin, x_.begin, y_.end, "axis");
    page_.words((x_.begin + x_.end) / 2, y_.begin + 36, "middle", shortened(plot_.x_label, 70));
    const double middle = (y_.begin + y_.end) / 2;
    page_.words(origin + 16, middle, "middle", shortened(plot_.y_label, 40),
                " transform=\"rotate(-90 " + coordinate(origin + 16) + " " + coordinate(middle) + ")\"");
  }

  void draw_bounds(const Curve& curve, std::size_t colour) {
    const std::string& rgb = palette_colour(colour);
    std::vector<std::pair<double, double>> lower, upper;
    std::string bars;
    for (std::size_t i = 0; i < std::min(curve.points.size(), curve.bounds.size()); ++i) {
      const auto& [low, high] = curve.bounds[i];
      const double px = curve.points[i].first;
      if (!drawable(px, high)) continue;
      const double x = x_.at(px), top = y_.at(high), foot = y_.has(low) ? y_.at(low) : y_.begin;
      lower.emplace_back(x, foot);
      upper.emplace_back(x, top);
      const std::string left = coordinate(x - 3), bar = coordinate(x);
      bars += "M" + bar + " " + coordinate(foot) + "V" + coordinate(top) + "M" + left + " " +
              coordinate(foot) + "h6M" + left + " " + coordinate(top) + "h6";
    }
    if (lower.empty()) return;
    if (curve.points.size() <= kMostMarked) {
      page_.add("<path class=\"" + class_of(colour) + "\" d=\"" + bars + "\" fill=\"none\" stroke=\"" + rgb +
                "\" stroke-width=\"1.2\"/>");
      return;
    }
    lower.insert(lower.end(), upper.rbegin(), upper.rend());
    page_.add("<polygon class=\"f" + class_of(colour) + "\" points=\"" + coordinates(lower) + "\" fill=\"" +
              rgb + "\" fill-opacity=\"0.18\"/>");
  }

  void draw(const Curve& curve, std::size_t place) {
    const std::size_t colour = colour_of(curve, place);
    draw_bounds(curve, colour);
    std::vector<std::pair<double, double>> run;
    std::string circles;
    const auto end_run = [&] {
      if (run.size() > 1)
        page_.add("<polyline points=\"" + coordinates(run) + "\"" + stroke_of(curve, place) + "/>");
      run.clear();
    };
    for (const auto& [px, py] : curve.points) {
      if (!drawable(px, py)) {
        end_run();
        continue;
      }
      run.emplace_back(x_.at(px), y_.at(py));
      circles += "<circle class=\"f" + class_of(colour) + "\" cx=\"" + coordinate(run.back().first) +
                 "\" cy=\"" + coordinate(run.back().second) + "\" r=\"2.4\" fill=\"" +
                 palette_colour(colour) + "\"/>\n";
    }
    end_run();
    if (curve.points.size() <= kMostMarked && !curve.faint && !circles.empty()) {
      circles.pop_back();
      page_.add(circles);
    }
  }

  Svg& page_;
  const Plot& plot_;
  Axis x_, y_;
};

}  // namespace

std::string stroke_of(const Curve& curve, std::size_t place) {
  const std::size_t colour = colour_of(curve, place);
  // Where colours begin anew, lines are dotted.
  const bool again = (colour / kPalette) % 2 == 1;
  const char* dashes = curve.dashed ? (again ? "1.5 2.5 5 2.5" : "5 3") : again ? "1.5 2.5" : nullptr;
  return " class=\"" + class_of(colour) + "\" fill=\"none\" stroke=\"" + palette_colour(colour) +
         "\" stroke-width=\"" + (curve.faint ? "1\" stroke-opacity=\"0.35\"" : "1.8\"") +
         (dashes ? std::string(" stroke-dasharray=\"") + dashes + "\"" : "");
}

int legend_rows(const std::vector<Curve>& curves, double room) { return lay_out(curves, room, {}); }

int add_legend(Svg& page, const std::vector<Curve>& curves, double left, double top, double room) {
  return lay_out(curves, room, [&](std::size_t i, double x, int row) {
    const double y = top + kRow * row;
    page.add("<path d=\"M" + coordinate(left + x) + " " + coordinate(y) + "h18\"" + stroke_of(curves[i], i) +
             "/>");
    page.words(left + x + 23, y + 4, "start", shortened(curves[i].label, kLabel));
  });
}

std::string svg(const std::vector<Plot>& plots) {
  int rows = 1;
  std::string name;
  for (const Plot& plot : plots) {
    rows = std::max(rows, legend_rows(plot.curves, kRoom));
    name += (name.empty() ? "" : "; ") + plot.title;
  }
  Svg page(kWidth * static_cast<double>(std::max<std::size_t>(1, plots.size())), kHeight + kRow * (rows - 1),
           name);
  for (std::size_t i = 0; i < plots.size(); ++i)
    PlotPicture(page, plots[i], kWidth * static_cast<double>(i), rows);
  return page.text();
}

}  // namespace basin::apps
