// Svg: a document of words, lines and shapes. Equal calls give equal bytes.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace basin::apps {

/// Text as XML and HTML show it: & < > " ' escaped, control characters replaced by spaces.
std::string escaped_xml(const std::string& text);

/// A place on the page, without the zeros that end it: "12.5". Without a locale, which is all it takes to be
/// deterministic.
std::string coordinate(double x, int decimals = 2);

/// Points in a row, "1,2 3,4.5".
std::string coordinates(const std::vector<std::pair<double, double>>& points, int decimals = 2);

/// `text` in at most `most` columns, its end replaced by an ellipsis.
std::string shortened(const std::string& text, int most);

/// How many colours there are; they are told apart by colour-blind people (Okabe and Ito, and a grey).
constexpr std::size_t kPalette = 7;
/// Number i of them, beginning anew after the last: "#0072b2".
const std::string& palette_colour(std::size_t i);

/// A document. Everything is drawn in colours for a white page, and carries a class by which a page can draw
/// it in its own (apps/report/page/style.cpp): ink, grid, axis, paper, halo, and s0, s1, ... of the palette.
class Svg {
 public:
  /// `name` is what a reader of the screen says.
  Svg(double width, double height, const std::string& name);

  /// Words at a place; `anchor` is start, middle or end, `more` further attributes.
  void words(double x, double y, const char* anchor, const std::string& text, const std::string& more = "");
  /// The title of a picture in the middle above it, in a size at which it has room.
  void title(double middle, double y, const std::string& text, double room);
  /// A line of that class: "grid", "axis".
  void line(double x1, double y1, double x2, double y2, const char* kind);
  /// One element.
  void add(const std::string& element) { body_ += element + "\n"; }

  /// The whole document.
  std::string text() const;

 private:
  double width_, height_;
  std::string name_, body_;
};

}  // namespace basin::apps
