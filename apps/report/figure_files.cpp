#include "apps/report/figure_files.h"

#include <algorithm>

#include "apps/options/bindings.h"
#include "apps/report/pictures.h"
#include "apps/report/vtp.h"
#include "core/io/csv.h"
#include "core/io/files.h"
#include "core/io/npy.h"

namespace basin::apps {
namespace {

std::string csv(const Plot& plot) {
  const bool bounded = std::any_of(plot.curves.begin(), plot.curves.end(),
                                   [](const Curve& curve) { return !curve.bounds.empty(); });
  std::vector<std::string> titles = {"curve", plot.x_label, plot.y_label};
  if (bounded) titles.insert(titles.end(), {"low", "high"});
  std::string out = csv_row(titles);
  for (const Curve& curve : plot.curves) {
    for (std::size_t i = 0; i < curve.points.size(); ++i) {
      const auto& [x, y] = curve.points[i];
      std::vector<std::string> row = {curve.label, print_real(x), print_real(y)};
      if (i < curve.bounds.size())
        row.insert(row.end(), {print_real(curve.bounds[i].first), print_real(curve.bounds[i].second)});
      else if (bounded)
        row.insert(row.end(), {"", ""});
      out += csv_row(row);
    }
  }
  return out;
}

std::string csv(const Surface& s) {
  std::string out = csv_row({s.x_label, s.y_label, s.z_label});
  for (std::size_t j = 0; j < s.y.size(); ++j)
    for (std::size_t i = 0; i < s.x.size(); ++i)
      out += csv_row({print_real(s.x[i]), print_real(s.y[j]), print_real(s.z[j * s.x.size() + i])});
  return out;
}

std::string csv(const FigureTable& table) {
  std::string out = csv_row(table.columns);
  for (const auto& row : table.rows) out += csv_row(row);
  return out;
}

std::string csv(const CountMatrix& m) {
  std::vector<std::string> titles = {m.row_label + " \\ " + m.column_label};
  titles.insert(titles.end(), m.names.begin(), m.names.end());
  std::string out = csv_row(titles);
  for (std::size_t row = 0; row < m.names.size(); ++row) {
    std::vector<std::string> cells = {m.names[row]};
    for (std::size_t column = 0; column < m.names.size(); ++column)
      cells.push_back(std::to_string(m.counts[row * m.names.size() + column]));
    out += csv_row(cells);
  }
  return out;
}

}  // namespace

std::string csv_of(const Figure& figure) {
  return std::visit([](const auto& content) { return csv(content); }, figure.content);
}

std::string markdown_table(const FigureTable& table) {
  const auto line = [](const std::vector<std::string>& cells) {
    std::string out = "|";
    for (const std::string& cell : cells) {
      out += ' ';
      for (const char c : cell) out += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
      out += " |";
    }
    return out + "\n";
  };
  std::string out = line(table.columns) + "|";
  for (std::size_t i = 0; i < table.columns.size(); ++i) out += i == 0 ? " --- |" : " ---: |";
  out += "\n";
  for (const auto& cells : table.rows) out += line(cells);
  return out;
}

std::vector<Picture> pictures_of(const Figure& figure, const std::vector<const Figure*>& among) {
  if (const auto* plot = std::get_if<Plot>(&figure.content)) return {{"", svg({*plot})}};
  if (const auto* matrix = std::get_if<CountMatrix>(&figure.content)) return {{"", matrix_svg(*matrix)}};
  if (const auto* surface = std::get_if<Surface>(&figure.content)) {
    const HeightScale scale = scale_in(among, *surface);
    return {{"", contour_svg(*surface, scale)}, {"-relief", relief_svg(*surface, scale)}};
  }
  return {};
}

void write_figure_files(const std::string& directory, const std::vector<Figure>& figures) {
  std::vector<const Figure*> all;
  for (const Figure& figure : figures) all.push_back(&figure);
  for (const Figure& figure : figures) {
    const std::string path = directory + "/" + figure.name;
    write_file_atomically(path + ".csv", csv_of(figure));
    for (const Picture& picture : pictures_of(figure, all))
      write_file_atomically(path + picture.suffix + ".svg", picture.svg);
    if (const auto* table = std::get_if<FigureTable>(&figure.content))
      write_file_atomically(path + ".md", markdown_table(*table));
    if (const auto* s = std::get_if<Surface>(&figure.content)) {
      const Shape shape{static_cast<Index>(s->y.size()), static_cast<Index>(s->x.size())};
      write_npy(path + ".npy", Tensor::from(s->z, shape));
      write_file_atomically(path + ".vtp", vtp_of(*s));
    }
  }
}

}  // namespace basin::apps
