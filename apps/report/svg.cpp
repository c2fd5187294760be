// Coordinates have two decimals, printed without a locale: that is all it takes to be deterministic.
#include "apps/report/svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "apps/cli/format.h"

namespace basin::apps {

namespace {

constexpr double kWidth = 480, kHeight = 340;
constexpr double kLeft = 62, kRight = 16, kTop = 52, kBottom = 48;
constexpr std::array kColours = {"#0072b2", "#d55e00", "#009e73",
                                 "#cc79a7", "#e69f00", "#56b4e9"};  // Okabe and Ito

/// Whether there is a place for the point on a page.
bool drawable(double x, double y) {
  constexpr double kMost = 1e300;  // differences of values must be finite
  return std::abs(x) < kMost && std::abs(y) < kMost;
}

// The values on one axis, and where they are on the page.
struct Axis {
  double low = 0, high = 1;   // values
  double begin = 0, end = 1;  // page
  std::vector<double> marks;

  double at(double value) const { return begin + (value - low) / (high - low) * (end - begin); }
};

Axis axis_for(const Plot& plot, bool x, double begin, double end) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Curve& curve : plot.curves) {
    for (const auto& [px, py] : curve.points) {
      if (!drawable(px, py)) continue;
      low = std::min(low, x ? px : py);
      high = std::max(high, x ? px : py);
    }
  }
  if (low > high) low = 0, high = 1;  // no points
  // Apart by rounding errors is not apart: marks between them could not be told from each other.
  if (high - low <= 1e-9 * std::max(std::abs(low), std::abs(high))) {
    const double room = low == 0 ? 1 : std::abs(low) * 0.5;
    low -= room, high += room;
  }
  Axis axis;
  axis.begin = begin;
  axis.end = end;
  axis.marks = ticks(low, high, x ? 7 : 6, x && plot.whole_x ? 1 : 0);
  axis.low = axis.marks.front();
  axis.high = axis.marks.back();
  return axis;
}

std::string number(double x) { return fixed(x == 0 ? 0 : x, 2); }  // no "-0.00"

std::string tick_text(double x, double step) {
  const int decimals = static_cast<int>(std::clamp(-std::floor(std::log10(step) + 1e-9), 0.0, 8.0));
  return std::abs(x) >= 1e6 ? significant(x, 4) : fixed(x == 0 ? 0 : x, decimals);
}

std::string words(double x, double y, const char* anchor, const std::string& text,
                  const std::string& more = "") {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\"" + more + ">" +
         escaped_xml(text) + "</text>\n";
}

std::string straight(double x1, double y1, double x2, double y2, const std::string& more) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" +
         number(y2) + "\" " + more + "/>\n";
}

std::string draw(const Curve& curve, const Axis& x, const Axis& y, const std::string& colour) {
  std::string out, run;
  std::size_t drawn = 0;
  const std::string dash = curve.dashed ? " stroke-dasharray=\"5 3\"" : "";
  const auto end_run = [&] {
    if (!run.empty())
      out += "<polyline points=\"" + run + "\" fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"1.8\"" +
             dash + "/>\n";
    run.clear();
  };
  const bool marked = curve.points.size() <= 30;
  std::string marks;
  for (const auto& [px, py] : curve.points) {
    if (!drawable(px, py)) {
      end_run();
      continue;
    }
    const std::string cx = number(x.at(px)), cy = number(y.at(py));
    run += (run.empty() ? "" : " ") + cx + "," + cy;
    if (marked) marks += "<circle cx=\"" + cx + "\" cy=\"" + cy + "\" r=\"2.4\" fill=\"" + colour + "\"/>\n";
    ++drawn;
  }
  end_run();
  return drawn == 0 ? "" : out + marks;
}

std::string draw(const Plot& plot, double origin) {
  const Axis x = axis_for(plot, true, origin + kLeft, origin + kWidth - kRight);
  const Axis y = axis_for(plot, false, kHeight - kBottom, kTop);
  std::string out =
      words((x.begin + x.end) / 2, 18, "middle", plot.title, " font-size=\"14\" font-weight=\"bold\"");
  for (const double mark : y.marks) {
    out += straight(x.begin, y.at(mark), x.end, y.at(mark), "stroke=\"#dddddd\"");
    out += words(x.begin - 6, y.at(mark) + 4, "end", tick_text(mark, y.marks[1] - y.marks[0]));
  }
  for (const double mark : x.marks) {
    out += straight(x.at(mark), y.begin, x.at(mark), y.begin + 4, "stroke=\"#333333\"");
    out += words(x.at(mark), y.begin + 17, "middle", tick_text(mark, x.marks[1] - x.marks[0]));
  }
  out += straight(x.begin, y.begin, x.end, y.begin, "stroke=\"#333333\"");
  out += straight(x.begin, y.begin, x.begin, y.end, "stroke=\"#333333\"");
  out += words((x.begin + x.end) / 2, kHeight - 12, "middle", plot.x_label);
  const std::string turned = number(origin + 16) + " " + number((y.begin + y.end) / 2);
  out += words(origin + 16, (y.begin + y.end) / 2, "middle", plot.y_label,
               " transform=\"rotate(-90 " + turned + ")\"");

  double legend = x.begin;
  for (std::size_t i = 0; i < plot.curves.size(); ++i) {
    const Curve& curve = plot.curves[i];
    const std::string colour = kColours[i % kColours.size()];
    out += draw(curve, x, y, colour);
    out += straight(
        legend, 36, legend + 18, 36,
        "stroke=\"" + colour + "\" stroke-width=\"2.5\"" + (curve.dashed ? " stroke-dasharray=\"5 3\"" : ""));
    out += words(legend + 23, 40, "start", curve.label);
    legend += 40 + 6.2 * columns(curve.label);
  }
  return out;
}

}  // namespace

std::vector<double> ticks(double low, double high, int wanted, double apart) {
  const double raw = std::max(apart, (high - low) / std::max(1, wanted - 1));
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw * (1 - 1e-9)) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> marks;
  const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  for (double i = first; i <= last; ++i) marks.push_back(i * step);
  return marks;
}

std::string escaped_xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::string svg(const std::vector<Plot>& plots) {
  const double width = kWidth * static_cast<double>(std::max<std::size_t>(1, plots.size()));
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + fixed(width, 0) + "\" height=\"" +
                    fixed(kHeight, 0) + "\" viewBox=\"0 0 " + fixed(width, 0) + " " + fixed(kHeight, 0) +
                    "\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#333333\">\n";
  out += "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
  for (std::size_t i = 0; i < plots.size(); ++i) out += draw(plots[i], kWidth * static_cast<double>(i));
  return out + "</svg>\n";
}

}  // namespace basin::apps
