#include "apps/lab/curve/curve_points.h"

#include <limits>
#include <utility>

namespace basin::apps {
namespace {

Json to_json(const Barrier& b) {
  Json json;
  json.set("highest", recorded(b.highest)).set("at", b.at).set("lowest", recorded(b.lowest));
  json.set("mean", recorded(b.mean)).set("over_ends", recorded(b.over_ends));
  json.set("over_mean", recorded(b.over_mean)).set("over_line", recorded(b.over_line));
  return json;
}

/// Weights and statistics of a place; `frozen`: the first end's.
Solution place_on(const CurvePath& path, double t, StatisticsAt how) {
  Solution place{"", path.curve.at(t), path.statistics.front()};
  if (how != StatisticsAt::interpolated) return place;
  const std::vector<double> c = coefficients(path.curve.kind(), path.curve.points().size(), t);
  for (std::size_t i = 0; i < place.statistics.size(); ++i) {
    Tensors parts;
    for (const Tensors& of_point : path.statistics) parts.push_back(of_point[i]);
    place.statistics[i] = combined(c, parts);
  }
  return place;
}

}  // namespace

Json CurveMeasure::at(const CurvePath& path, double t) const {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  put(place_on(path, t, statistics_), subject_);
  Height height{kNone, kNone, kNone, kNone};
  try {
    height = height_();
  } catch (const NumericalError&) {
    // Statistics that are not finite: no loss there.
  }
  Json point;
  point.set("loss", recorded(height.loss)).set("accuracy", recorded(height.accuracy));
  if (!height_.tests()) return point;
  return point.set("test_loss", recorded(height.test_loss))
      .set("test_accuracy", recorded(height.test_accuracy));
}

Json path_result(const CurvePath& path, const std::vector<double>& t, const std::vector<Json>& measured) {
  const std::vector<double> piece = lengths(path.curve, t);
  Json result, points = Json::Array{}, barriers = Json::Object{};
  double so_far = 0;
  for (std::size_t i = 0; i < t.size(); ++i) {
    Json point;
    point.set("t", t[i]).set("length", so_far);
    for (const auto& [key, value] : measured[i].object()) point.set(key, value);
    points.append(point);
    if (i < piece.size()) so_far += piece[i];
  }
  for (const auto& [key, value] : measured[0].object()) {
    const bool share = key.ends_with("accuracy");
    std::vector<double> values;
    for (const Json& point : measured) {
      const double v = recorded_number(point.at(key));
      values.push_back(share ? 1 - v : v);
    }
    const std::string name = share ? key.substr(0, key.size() - 8) + "error" : key;
    barriers.set(name, to_json(barrier_of(t, values, piece)));
  }
  result.set("name", path.name).set("label", path.label).set("length", so_far);
  return result.set("barriers", barriers).set("points", points);
}

}  // namespace basin::apps
