#include "apps/report/figure_files.h"

#include "apps/options/bindings.h"
#include "apps/report/svg.h"
#include "core/io/csv.h"
#include "core/io/files.h"

namespace basin::apps {
namespace {

std::string csv(const Plot& plot) {
  std::string out = csv_row({"curve", plot.x_label, plot.y_label});
  for (const Curve& curve : plot.curves)
    for (const auto& [x, y] : curve.points) out += csv_row({curve.label, print_real(x), print_real(y)});
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

}  // namespace

std::string csv_of(const Figure& figure) {
  return std::visit([](const auto& content) { return csv(content); }, figure.content);
}

void write_figure_files(const std::string& directory, const std::vector<Figure>& figures) {
  for (const Figure& figure : figures) {
    const std::string path = directory + "/" + figure.name;
    write_file_atomically(path + ".csv", csv_of(figure));
    if (const auto* plot = std::get_if<Plot>(&figure.content))
      write_file_atomically(path + ".svg", svg({*plot}));
  }
}

}  // namespace basin::apps
