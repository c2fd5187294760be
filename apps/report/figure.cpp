#include "apps/report/figure.h"

#include "core/error.h"

namespace basin::apps {
namespace {

Json words(const std::vector<std::string>& list) {
  Json all = Json::Array{};
  for (const std::string& word : list) all.append(word);
  return all;
}

std::vector<std::string> words_of(const Json& list) {
  std::vector<std::string> all;
  for (const Json& word : list.array()) all.push_back(word.string());
  return all;
}

// What a curve need not have is written only where it has it.
Json to_json(const std::vector<Curve>& curves) {
  Json all = Json::Array{};
  for (const Curve& curve : curves) {
    std::vector<double> x, y, low, high;
    for (const auto& [px, py] : curve.points) x.push_back(px), y.push_back(py);
    for (const auto& [below, above] : curve.bounds) low.push_back(below), high.push_back(above);
    Json json = Json::Object{
        {"label", curve.label}, {"dashed", curve.dashed}, {"x", recorded(x)}, {"y", recorded(y)}};
    if (!curve.bounds.empty()) json.set("low", recorded(low)).set("high", recorded(high));
    if (curve.colour >= 0) json.set("colour", curve.colour);
    if (curve.faint) json.set("faint", true);
    all.append(std::move(json));
  }
  return all;
}

std::vector<std::pair<double, double>> pairs(const Json& first, const Json& second, std::size_t count) {
  const std::vector<double> x = recorded_numbers(first), y = recorded_numbers(second);
  if (x.size() != count || y.size() != count)
    throw JsonError("[figure] a curve has ", x.size(), " and ", y.size(), " numbers for ", count, " points");
  std::vector<std::pair<double, double>> all;
  for (std::size_t i = 0; i < count; ++i) all.emplace_back(x[i], y[i]);
  return all;
}

std::vector<Curve> curves_of(const Json& list) {
  std::vector<Curve> all;
  for (const Json& json : list.array()) {
    const Json &x = json.at("x"), *low = json.find("low"), *colour = json.find("colour");
    Curve curve{.label = json.at("label").string(), .points = {}, .dashed = json.at("dashed").boolean()};
    curve.points = pairs(x, json.at("y"), x.array().size());
    if (low) curve.bounds = pairs(*low, json.at("high"), curve.points.size());
    if (colour) curve.colour = static_cast<int>(colour->integer());
    if (const Json* faint = json.find("faint")) curve.faint = faint->boolean();
    all.push_back(std::move(curve));
  }
  return all;
}

Json content_of(const Plot& p) {
  return Json::Object{{"kind", "plot"},       {"title", p.title},           {"x_label", p.x_label},
                      {"y_label", p.y_label}, {"whole_x", p.whole_x},       {"log_x", p.log_x},
                      {"log_y", p.log_y},     {"curves", to_json(p.curves)}};
}

Json content_of(const Surface& s) {
  Json marks = Json::Array{};
  for (const Mark& mark : s.marks)
    marks.append(Json::Object{{"label", mark.label}, {"x", recorded(mark.x)}, {"y", recorded(mark.y)}});
  return Json::Object{{"kind", "surface"},    {"title", s.title},          {"x_label", s.x_label},
                      {"y_label", s.y_label}, {"z_label", s.z_label},      {"log_z", s.log_z},
                      {"x", recorded(s.x)},   {"y", recorded(s.y)},        {"z", recorded(s.z)},
                      {"marks", marks},       {"paths", to_json(s.paths)}, {"group", s.group}};
}

Json content_of(const FigureTable& t) {
  Json rows = Json::Array{};
  for (const std::vector<std::string>& row : t.rows) rows.append(words(row));
  return Json::Object{{"kind", "table"}, {"title", t.title}, {"columns", words(t.columns)}, {"rows", rows}};
}

Json content_of(const CountMatrix& m) {
  Json counts = Json::Array{};
  for (const std::int64_t count : m.counts) counts.append(count);
  return Json::Object{{"kind", "matrix"},         {"title", m.title},
                      {"row_label", m.row_label}, {"column_label", m.column_label},
                      {"names", words(m.names)},  {"counts", counts}};
}

Plot plot_of(const Json& json) {
  return {.title = json.at("title").string(),
          .x_label = json.at("x_label").string(),
          .y_label = json.at("y_label").string(),
          .whole_x = json.at("whole_x").boolean(),
          .log_x = json.at("log_x").boolean(),
          .log_y = json.at("log_y").boolean(),
          .curves = curves_of(json.at("curves"))};
}

Surface surface_of(const Json& json) {
  Surface s{.title = json.at("title").string(),
            .x_label = json.at("x_label").string(),
            .y_label = json.at("y_label").string(),
            .z_label = json.at("z_label").string(),
            .log_z = json.at("log_z").boolean(),
            .x = recorded_numbers(json.at("x")),
            .y = recorded_numbers(json.at("y")),
            .z = recorded_numbers(json.at("z")),
            .paths = curves_of(json.at("paths")),
            .group = json.at("group").string()};
  if (s.z.size() != s.x.size() * s.y.size())
    throw JsonError("[figure] a surface of ", s.x.size(), " x ", s.y.size(), " has ", s.z.size(), " heights");
  for (const Json& mark : json.at("marks").array())
    s.marks.push_back(
        {mark.at("label").string(), recorded_number(mark.at("x")), recorded_number(mark.at("y"))});
  return s;
}

FigureTable table_of(const Json& json) {
  FigureTable t{.title = json.at("title").string(), .columns = words_of(json.at("columns")), .rows = {}};
  for (const Json& row : json.at("rows").array()) {
    t.rows.push_back(words_of(row));
    if (t.rows.back().size() != t.columns.size())
      throw JsonError("[figure] a row of a table has ", t.rows.back().size(), " cells under ",
                      t.columns.size(), " titles");
  }
  return t;
}

CountMatrix matrix_of(const Json& json) {
  CountMatrix m{.title = json.at("title").string(),
                .row_label = json.at("row_label").string(),
                .column_label = json.at("column_label").string(),
                .names = words_of(json.at("names")),
                .counts = {}};
  for (const Json& count : json.at("counts").array()) m.counts.push_back(count.integer());
  if (m.counts.size() != m.names.size() * m.names.size())
    throw JsonError("[figure] a matrix of ", m.names.size(), " names has ", m.counts.size(), " counts");
  return m;
}

}  // namespace

const std::string& title_of(const Figure& figure) {
  return std::visit([](const auto& content) -> const std::string& { return content.title; }, figure.content);
}

Json to_json(const Figure& figure) {
  Json json = std::visit([](const auto& content) { return content_of(content); }, figure.content);
  json.set("name", figure.name);
  return json;
}

Figure figure_of(const Json& json) {
  Figure figure{.name = json.at("name").string(), .content = {}};
  const std::string& kind = json.at("kind").string();
  if (kind == "plot")
    figure.content = plot_of(json);
  else if (kind == "surface")
    figure.content = surface_of(json);
  else if (kind == "table")
    figure.content = table_of(json);
  else if (kind == "matrix")
    figure.content = matrix_of(json);
  else
    throw JsonError("[figure] there is no kind ", kind, " of figures");
  return figure;
}

}  // namespace basin::apps
