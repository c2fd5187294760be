#include "apps/lab/landscape/landscape_answer.h"

#include <algorithm>
#include <cmath>

#include "apps/cli/format.h"

namespace basin::apps {
namespace {

/// One number of a height.
struct Measure {
  const char* name;  // of its figure
  const char* label;
  double Height::*value;
  bool is_loss, test;
};

constexpr Measure kMeasures[] = {{"loss", "loss", &Height::loss, true, false},
                                 {"accuracy", "accuracy", &Height::accuracy, false, false},
                                 {"test-loss", "test loss", &Height::test_loss, true, true},
                                 {"test-accuracy", "test accuracy", &Height::test_accuracy, false, true}};

std::vector<double> values_of(const std::vector<Height>& heights, double Height::*value) {
  std::vector<double> list;
  for (const Height& height : heights) list.push_back(height.*value);
  return list;
}

/// The label for a file's name.
std::string file_word(const std::string& label) {
  std::string word = label;
  for (char& c : word)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_' && c != '.') c = '-';
  return word;
}

Plot plot_of(const std::vector<Surveyed>& all, bool of_loss) {
  Plot plot{.title = of_loss ? "loss" : "accuracy",
            .x_label = all.front().slice.axes.front().label,
            .y_label = of_loss ? "loss" : "accuracy"};
  for (const Surveyed& one : all) {
    for (const Measure& measure : kMeasures) {
      if (measure.is_loss != of_loss || (measure.test && !one.test)) continue;
      Curve curve{.label = one.label + (measure.test ? " (test)" : ""), .points = {}, .dashed = measure.test};
      for (std::size_t i = 0; i < one.landscape.heights.size(); ++i)
        curve.points.emplace_back(one.landscape.grid.x[i], one.landscape.heights[i].*measure.value);
      plot.curves.push_back(std::move(curve));
    }
  }
  return plot;
}

Figure surface_of(const Surveyed& one, const Measure& measure, bool alone) {
  const std::string what = text(measure.label, " over ", measure.test ? "the test images" : one.measured);
  Surface surface{.title = one.label + ": " + what,
                  .x_label = one.slice.axes[0].label,
                  .y_label = one.slice.axes[1].label,
                  .z_label = measure.label,
                  .log_z = measure.is_loss,
                  .x = one.landscape.grid.x,
                  .y = one.landscape.grid.y,
                  .z = values_of(one.landscape.heights, measure.value),
                  .group = measure.name};
  for (const SliceMark& mark : one.slice.marks)
    surface.marks.push_back({mark.solution.label, mark.x, mark.y});
  if (!one.slice.path.empty()) surface.paths.push_back({.label = "training", .points = one.slice.path});
  return {alone ? measure.name : file_word(one.label) + "-" + measure.name, std::move(surface)};
}

void set_height(Json& json, const Height& height, bool test) {
  for (const Measure& measure : kMeasures) {
    if (measure.test && !test) continue;
    std::string key = measure.name;
    std::replace(key.begin(), key.end(), '-', '_');
    json.set(key, recorded(height.*measure.value));
  }
}

Json to_json(const Profile& p) {
  return Json::Object{{"doubles", Json::Array{recorded(p.doubles_left), recorded(p.doubles_right)}},
                      {"rises_by_0.1", Json::Array{recorded(p.rises_left), recorded(p.rises_right)}},
                      {"curvature", recorded(p.curvature)}};
}

/// The profiles through (0, 0), where the grid has it.
void set_profiles(Json& json, const Landscape& l) {
  const std::vector<double> losses = values_of(l.heights, &Height::loss);
  const std::size_t columns = l.grid.x.size();
  const auto row = std::find(l.grid.y.begin(), l.grid.y.end(), 0.0) - l.grid.y.begin();
  if (row < std::ssize(l.grid.y)) {
    const auto begin = losses.begin() + row * static_cast<std::ptrdiff_t>(columns);
    json.set("along_x", to_json(profile(l.grid.x, {begin, begin + static_cast<std::ptrdiff_t>(columns)})));
  }
  const auto column = std::find(l.grid.x.begin(), l.grid.x.end(), 0.0) - l.grid.x.begin();
  if (l.grid.y.size() == 1 || column == std::ssize(l.grid.x)) return;
  std::vector<double> along;
  for (std::size_t j = 0; j < l.grid.y.size(); ++j)
    along.push_back(losses[j * columns + static_cast<std::size_t>(column)]);
  json.set("along_y", to_json(profile(l.grid.y, along)));
}

Json point(const Surveyed& one, std::size_t at) {
  const std::size_t columns = one.landscape.grid.x.size();
  Json json = Json::Object{{"x", one.landscape.grid.x[at % columns]}};
  if (one.slice.dims() == 2) json.set("y", one.landscape.grid.y[at / columns]);
  set_height(json, one.landscape.heights[at], one.test);
  return json;
}

/// The lowest and the highest finite loss.
void set_extremes(Json& json, const Surveyed& one) {
  std::vector<std::size_t> finite;
  const std::vector<Height>& heights = one.landscape.heights;
  for (std::size_t k = 0; k < heights.size(); ++k)
    if (std::isfinite(heights[k].loss)) finite.push_back(k);
  json.set("points", heights.size()).set("points_not_finite", heights.size() - finite.size());
  if (finite.empty()) return;
  const auto lower = [&](std::size_t a, std::size_t b) { return heights[a].loss < heights[b].loss; };
  json.set("lowest", point(one, *std::min_element(finite.begin(), finite.end(), lower)));
  json.set("highest", point(one, *std::max_element(finite.begin(), finite.end(), lower)));
}

Json to_json(const Surveyed& one) {
  Json json = Json::Object{{"label", one.label}};
  Json axes = Json::Array{}, marks = Json::Array{};
  for (const SliceAxis& axis : one.slice.axes) {
    Json entry = Json::Object{{"label", axis.label}, {"at_0", axis.from}, {"at_1", axis.to}};
    for (const auto& [key, value] : axis.facts.object()) entry.set(key, value);
    axes.append(entry);
  }
  json.set("axes", axes);
  if (one.slice.centred) {
    Json centre = Json::Object{};
    set_height(centre, one.landscape.centre, one.test);
    json.set("centre", centre);
  }
  set_extremes(json, one);
  if (one.slice.centred) set_profiles(json, one.landscape);
  for (std::size_t k = 0; k < one.slice.marks.size(); ++k) {
    const SliceMark& mark = one.slice.marks[k];
    Json entry = Json::Object{{"label", mark.solution.label}, {"x", mark.x}};
    if (one.slice.dims() == 2) entry.set("y", mark.y);
    entry.set("distance", mark.distance);
    set_height(entry, one.landscape.marks[k], one.test);
    marks.append(entry);
  }
  if (!one.slice.path.empty()) {
    Json path = Json::Array{};
    for (const auto& [x, y] : one.slice.path)
      path.append(one.slice.dims() == 1 ? Json::Array{x} : Json::Array{x, y});
    json.set("path", path);
  }
  json.set("marks", marks).set("passes", one.passes).set("products", one.slice.products);
  return json;
}

std::string cell(const Json* value) {
  return value == nullptr ? "" : significant(recorded_number(*value), 4);
}

std::string percent_cell(const Json* value) {
  return value == nullptr ? "" : percent(recorded_number(*value), 2);
}

std::string in_profile(const Json& run, const char* axis, const char* what) {
  const Json* profile = run.find(axis);
  if (profile == nullptr) return "";
  const Json& value = profile->at(what);
  if (!value.is_array()) return cell(&value);
  std::string both;
  for (const Json& end : value.array()) {
    const double width = recorded_number(end);
    both += (both.empty() ? "" : " / ") + (std::isnan(width) ? std::string("beyond") : significant(width, 3));
  }
  return both;
}

using Rows = std::vector<std::vector<std::string>>;

/// The rows without the columns that have nothing in any.
Table filled(const std::vector<std::string>& titles, const Rows& rows) {
  std::vector<std::size_t> kept;
  std::vector<Table::Column> columns;
  for (std::size_t k = 0; k < titles.size(); ++k) {
    if (k > 0 && std::all_of(rows.begin(), rows.end(), [&](const auto& row) { return row[k].empty(); }))
      continue;
    kept.push_back(k);
    columns.push_back({.title = titles[k], .left = k == 0});
  }
  Table table(columns);
  for (const std::vector<std::string>& row : rows) {
    std::vector<std::string> cells;
    for (const std::size_t k : kept) cells.push_back(row[k]);
    table.add(cells);
  }
  return table;
}

}  // namespace

std::vector<Figure> figures_of(const std::vector<Surveyed>& all) {
  std::vector<Figure> figures;
  if (all.front().slice.dims() == 1)
    return {{"loss", plot_of(all, /*of_loss=*/true)}, {"accuracy", plot_of(all, /*of_loss=*/false)}};
  for (const Measure& measure : kMeasures)
    for (const Surveyed& one : all)
      if (!measure.test || one.test) figures.push_back(surface_of(one, measure, all.size() == 1));
  return figures;
}

Json to_json(const std::vector<Surveyed>& all) {
  Json list = Json::Array{};
  for (const Surveyed& one : all) list.append(to_json(one));
  return Json::Object{{"runs", list}};
}

Table table_of(const Json& result) {
  Rows rows;
  for (const Json& run : result.at("runs").array()) {
    const auto of = [&](const char* part, const char* what) {
      const Json* found = run.find(part);
      return found == nullptr ? nullptr : found->find(what);
    };
    rows.push_back({run.at("label").string(), cell(of("centre", "loss")),
                    percent_cell(of("centre", "accuracy")), percent_cell(of("centre", "test_accuracy")),
                    cell(of("lowest", "loss")), cell(of("highest", "loss")),
                    in_profile(run, "along_x", "doubles"), in_profile(run, "along_y", "doubles"),
                    in_profile(run, "along_x", "curvature"), in_profile(run, "along_y", "curvature")});
  }
  return filled({"", "loss at 0", "% right", "of test", "lowest", "highest", "doubles at x", "at y",
                 "curvature x", "y"},
                rows);
}

Table marks_of(const Json& result) {
  Rows rows;
  for (const Json& run : result.at("runs").array())
    for (const Json& mark : run.at("marks").array())
      rows.push_back({mark.at("label").string(), cell(mark.find("x")), cell(mark.find("y")),
                      cell(mark.find("distance")), cell(mark.find("loss")),
                      percent_cell(mark.find("accuracy")), cell(mark.find("test_loss")),
                      percent_cell(mark.find("test_accuracy"))});
  return filled({"solution", "x", "y", "off it by", "loss", "% right", "test loss", "of test"}, rows);
}

}  // namespace basin::apps
