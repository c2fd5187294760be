// A spectrum as tables and as a plot.
#include <cmath>
#include <limits>

#include "apps/cli/format.h"
#include "apps/lab/curvature/hessian.h"

namespace basin::apps {
namespace {

std::string number(const Json& json) { return significant(recorded_number(json), 5); }

FigureTable table_of_top(const Json& result) {
  FigureTable table{.title = "Eigenvalues", .columns = {"", "eigenvalue", "residual"}};
  for (const Json& pair : result.at("top").array())
    table.rows.push_back(
        {std::to_string(table.rows.size() + 1), number(pair.at("value")), number(pair.at("residual"))});
  return table;
}

FigureTable table_of_traces(const Json& result) {
  FigureTable table{.title = "Trace", .columns = {"", "value", "standard error", "samples"}};
  for (const auto& [key, words] :
       {std::pair{"trace", "trace"}, {"squared_diagonal", "sum of squared diagonal"}}) {
    const Json* e = result.find(key);
    if (e)
      table.rows.push_back({words, number(e->at("value")), number(e->at("standard_error")),
                            std::to_string(e->at("samples").integer())});
  }
  return table;
}

FigureTable table_of_groups(const Json& result) {
  FigureTable table{.title = "Blocks", .columns = {"group", "parameters"}};
  const Json& first = result.at("groups").array().front();
  const bool traced = first.find("trace"), top = first.find("top");
  if (traced) table.columns.insert(table.columns.end(), {"trace", "standard error", "share of trace %"});
  if (top) table.columns.insert(table.columns.end(), {"largest eigenvalue", "residual"});
  for (const Json& group : result.at("groups").array()) {
    std::vector<std::string> row = {group.at("name").string(), grouped(group.at("parameters").integer())};
    if (traced) {
      row.push_back(number(group.at("trace").at("value")));
      row.push_back(number(group.at("trace").at("standard_error")));
      row.push_back(percent(recorded_number(group.at("share")), 1));
    }
    if (top) {
      row.push_back(number(group.at("top").at("value")));
      row.push_back(number(group.at("top").at("residual")));
    }
    table.rows.push_back(row);
  }
  return table;
}

Plot plot_of_density(const Json& result) {
  const DensityCurve curve = density_curve(result);
  Plot plot{
      .title = text("Density of eigenvalues (Gaussians of deviation ", significant(curve.sigma, 3), ")"),
      .x_label = "eigenvalue",
      .y_label = "density",
      .log_y = true};
  double highest = 0;
  for (const double y : curve.density) highest = std::max(highest, y);
  // Below a millionth of the peak there is the Gaussians' tail alone.
  const auto shown = [&](double y) {
    return y > 1e-6 * highest ? y : std::numeric_limits<double>::quiet_NaN();
  };
  Curve mean{.label = "mean over starts"}, low{.label = "mean - standard error", .dashed = true},
      high{.label = "mean + standard error", .dashed = true};
  const bool several = std::isfinite(curve.standard_error.front());
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    const double x = curve.x[i], y = curve.density[i], e = curve.standard_error[i];
    mean.points.emplace_back(x, shown(y));
    low.points.emplace_back(x, shown(y - e));
    high.points.emplace_back(x, shown(y + e));
  }
  plot.curves = {mean};
  if (several) plot.curves.insert(plot.curves.end(), {low, high});
  return plot;
}

}  // namespace

DensityCurve density_curve(const Json& result) {
  const Json& density = result.at("density");
  std::vector<Quadrature> measures;
  for (const Json& start : density.at("starts").array()) {
    Quadrature q{.low = recorded_number(start.at("low")), .high = recorded_number(start.at("high"))};
    q.nodes = recorded_numbers(start.at("nodes"));
    q.weights = recorded_numbers(start.at("weights"));
    measures.push_back(std::move(q));
  }
  return smoothed_density(measures, 1001, density.at("width").number());
}

std::vector<Figure> figures_of_spectrum(const Json& result) {
  std::vector<Figure> figures;
  if (result.find("top")) figures.push_back({"eigenvalues", table_of_top(result)});
  if (result.find("trace")) figures.push_back({"trace", table_of_traces(result)});
  if (result.find("density")) figures.push_back({"density", plot_of_density(result)});
  if (result.find("groups")) figures.push_back({"groups", table_of_groups(result)});
  return figures;
}

}  // namespace basin::apps
