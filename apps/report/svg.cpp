#include "apps/report/svg.h"

#include <algorithm>
#include <array>

#include "apps/cli/format.h"

namespace basin::apps {

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

std::string coordinate(double x, int decimals) {
  std::string digits = fixed(x, decimals);
  if (digits.find('.') == std::string::npos) return digits;
  while (digits.back() == '0') digits.pop_back();
  if (digits.back() == '.') digits.pop_back();
  return digits == "-0" ? "0" : digits;
}

std::string coordinates(const std::vector<std::pair<double, double>>& points, int decimals) {
  std::string out;
  for (const auto& [x, y] : points)
    out += (out.empty() ? "" : " ") + coordinate(x, decimals) + "," + coordinate(y, decimals);
  return out;
}

std::string shortened(const std::string& text, int most) {
  if (columns(text) <= most) return text;
  std::string out;
  int taken = 0;
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (begins && ++taken == most) break;
    out += c;
  }
  return out + "…";
}

const std::string& palette_colour(std::size_t i) {
  static const std::array<std::string, kPalette> all = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                        "#e69f00", "#56b4e9", "#767676"};
  return all[i % all.size()];
}

Svg::Svg(double width, double height, const std::string& name)
    : width_(width), height_(height), name_(name) {}

void Svg::words(double x, double y, const char* anchor, const std::string& text, const std::string& more) {
  add("<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" text-anchor=\"" + anchor + "\"" + more +
      ">" + escaped_xml(text) + "</text>");
}

void Svg::title(double middle, double y, const std::string& text, double room) {
  const auto wide = static_cast<double>(std::max(1, columns(text)));
  const double size = std::clamp(room / (0.56 * wide), 10.0, 14.0);
  words(middle, y, "middle", shortened(text, static_cast<int>(room / (0.56 * size))),
        " font-size=\"" + coordinate(size, 1) + "\" font-weight=\"bold\"");
}

void Svg::line(double x1, double y1, double x2, double y2, const char* kind) {
  const char* colour = kind == std::string("grid") ? "#dddddd" : "#333333";
  add("<line class=\"" + std::string(kind) + "\" x1=\"" + coordinate(x1) + "\" y1=\"" + coordinate(y1) +
      "\" x2=\"" + coordinate(x2) + "\" y2=\"" + coordinate(y2) + "\" stroke=\"" + colour + "\"/>");
}

std::string Svg::text() const {
  const std::string width = coordinate(width_), height = coordinate(height_);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"picture\" role=\"img\" aria-label=\"" +
         escaped_xml(name_) + "\" width=\"" + width + "\" height=\"" + height + "\" viewBox=\"0 0 " + width +
         " " + height + "\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#333333\">\n" +
         "<rect class=\"paper\" width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n" + body_ + "</svg>\n";
}

}  // namespace basin::apps
