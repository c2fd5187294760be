#include "apps/report/page/html.h"

#include <algorithm>

#include "apps/options/bindings.h"
#include "apps/report/axis.h"
#include "apps/report/figure_files.h"
#include "apps/report/heights.h"
#include "apps/report/page/style.h"
#include "apps/report/svg.h"

namespace basin::apps {
namespace {

std::string row(const std::vector<std::string>& cells, const std::string& tag) {
  std::string out = "<tr>";
  for (const std::string& cell : cells) out += "<" + tag + ">" + escaped_xml(cell) + "</" + tag + ">";
  return out + "</tr>\n";
}

/// As part of a URI: letters, digits and a few marks stay, the rest is %XX.
std::string percent_encoded(const std::string& bytes) {
  static const char* const digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == ',';
    if (plain)
      out += c;
    else
      out += {'%', digits[byte / 16], digits[byte % 16]};
  }
  return out;
}

/// An SVG document as an element of a page, where it needs no name space.
std::string inline_svg(std::string svg) {
  const std::string space = " xmlns=\"http://www.w3.org/2000/svg\"";
  if (const std::size_t at = svg.find(space); at != std::string::npos) svg.erase(at, space.size());
  return svg;
}

std::string attribute(const std::string& name, const std::string& value) {
  return " " + name + "=\"" + escaped_xml(value) + "\"";
}

/// What the script needs to know beside the numbers.
std::string relief_attributes(const Surface& s, const HeightScale& scale, const std::string& numbers) {
  Json marks = Json::Array{};
  for (const double mark : scale.marks())
    marks.append(Json::Array{scale.part(mark), tick_text(mark, scale.marks(), scale.log)});
  return attribute("data-numbers", numbers) + attribute("data-title", s.title) +
         attribute("data-x", shortened(s.x_label, 24)) + attribute("data-y", shortened(s.y_label, 24)) +
         attribute("data-z", shortened(s.z_label, 24)) + attribute("data-log", scale.log ? "1" : "0") +
         attribute("data-low", print_real(scale.low)) + attribute("data-high", print_real(scale.high)) +
         attribute("data-marks", marks.compact());
}

}  // namespace

std::string html_table(const FigureTable& table, bool words) {
  std::string out = std::string("<div class=\"wide\"><table") + (words ? " class=\"words\"" : "") + ">\n";
  if (!table.title.empty()) out += "<caption>" + escaped_xml(table.title) + "</caption>\n";
  out += row(table.columns, "th");
  for (const auto& cells : table.rows) out += row(cells, "td");
  return out + "</table></div>\n";
}

std::string html_paragraph(const std::string& text, const std::string& kind) {
  return "<p" + (kind.empty() ? "" : attribute("class", kind)) + ">" + escaped_xml(text) + "</p>\n";
}

std::string html_preformatted(const std::string& content) {
  return "<pre>" + escaped_xml(content) + "</pre>\n";
}

std::string html_details(const std::string& summary, const std::string& body) {
  return "<details><summary>" + escaped_xml(summary) + "</summary>\n" + body + "</details>\n";
}

void Html::section(const std::string& title) {
  const std::string id = "part" + std::to_string(++sections_);
  contents_ += "<li><a href=\"#" + id + "\">" + escaped_xml(title) + "</a></li>\n";
  body_ += "<h2 id=\"" + id + "\">" + escaped_xml(title) + "</h2>\n";
}

std::string Html::drawn(const ShownFigure& shown, const std::vector<const Figure*>& all) {
  const Figure& figure = *shown.figure;
  const std::string id = "figure" + std::to_string(++figures_), numbers = id + "-numbers";
  const auto* surface = std::get_if<Surface>(&figure.content);
  const auto surfaces = std::count_if(all.begin(), all.end(), [](const Figure* other) {
    return std::holds_alternative<Surface>(other->content);
  });
  std::string views;
  if (const auto* table = std::get_if<FigureTable>(&figure.content)) views = html_table(*table);
  for (const Picture& picture : pictures_of(figure, all)) {
    const std::string svg = inline_svg(picture.svg);
    views += picture.suffix.empty()
                 ? svg
                 : "<div class=\"relief\"" + relief_attributes(*surface, scale_in(all, *surface), numbers) +
                       ">" + svg + "</div>\n";
  }
  if (surface) views = "<div class=\"views\">" + views + "</div>\n";
  return "<figure" + attribute("id", id) + attribute("data-figure", figure.name) +
         (surface && surfaces == 1 ? " class=\"pair\"" : "") + ">\n" + views + "<figcaption>" +
         escaped_xml(shown.caption) + (shown.caption.empty() ? "" : " · ") + "<a" + attribute("id", numbers) +
         attribute("download", figure.name + ".csv") + " href=\"data:text/csv;charset=utf-8," +
         percent_encoded(csv_of(figure)) + "\">numbers (CSV)</a></figcaption>\n</figure>\n";
}

void Html::figures(const std::vector<ShownFigure>& shown) {
  std::vector<const Figure*> all;
  for (const ShownFigure& one : shown) all.push_back(one.figure);
  body_ += "<div class=\"figures\">\n";
  for (const ShownFigure& one : shown) body_ += drawn(one, all);
  body_ += "</div>\n";
}

void Html::fold(const std::string& summary, const std::vector<ShownFigure>& shown) {
  body_ += "<details><summary>" + escaped_xml(summary) + "</summary>\n";
  figures(shown);
  body_ += "</details>\n";
}

std::string Html::text() const {
  const std::string name = escaped_xml(title_);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
         "<link rel=\"icon\" href=\"data:,\">\n<title>" +
         name + "</title>\n<style>" + page_style() + "</style>\n</head>\n<body>\n<h1>" + name +
         "</h1>\n<div class=\"lead\">" + lead_ + "</div>\n<nav aria-label=\"Contents\"><ul>\n" + contents_ +
         "</ul></nav>\n" + body_ + "<script>\n" + page_script() + "</script>\n</body>\n</html>\n";
}

}  // namespace basin::apps
