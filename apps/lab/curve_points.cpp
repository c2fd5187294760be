#include "apps/lab/curve_points.h"

#include <limits>
#include <numeric>
#include <utility>

#include "core/ops.h"

namespace basin::apps {
namespace {

EvaluationOptions passes_of(const Subject& subject, const data::Watch& watch) {
  EvaluationOptions passes = evaluation_options(subject.run.config);
  passes.watch = watch;
  return passes;
}

bool of_training(const Subject& subject) { return subject.statement.at("split").string() == "train"; }

Json to_json(const Barrier& b) {
  Json json;
  json.set("highest", recorded(b.highest)).set("at", b.at).set("lowest", recorded(b.lowest));
  json.set("mean", recorded(b.mean)).set("over_ends", recorded(b.over_ends));
  json.set("over_mean", recorded(b.over_mean)).set("over_line", recorded(b.over_line));
  return json;
}

/// sum_j c_j buffers_j of what is a number; counters are the first end's.
Tensors interpolated(const CurvePath& path, double t) {
  const std::vector<double> c = coefficients(path.curve.kind(), path.curve.points().size(), t);
  Tensors all;
  for (std::size_t i = 0; i < path.buffers[0].size(); ++i) {
    if (!is_floating(path.buffers[0][i].dtype())) {
      all.push_back(path.buffers[0][i]);
      continue;
    }
    Tensor sum =
        Tensor::zeros(path.buffers[0][i].shape(), path.buffers[0][i].dtype(), path.buffers[0][i].device());
    for (std::size_t j = 0; j < c.size(); ++j)
      if (c[j] != 0) axpby(c[j], path.buffers[j][i], 1, sum);
    all.push_back(sum);
  }
  return all;
}

}  // namespace

std::int64_t recompute_statistics(Subject& subject, std::uint64_t seed, const data::Watch& watch) {
  if (!nn::needs_recalibration(*subject.run.model)) return 0;
  return recalibrate(*subject.run.model, of_training(subject) ? subject.examples : subject.run.data.train,
                     seed, /*epoch=*/0, nn::RecalibrationMode::pooled, passes_of(subject, watch));
}

bool CurveMeasure::has_test() const { return subject_.statement.at("split").string() != "test"; }

/// weight_decay |w|^2 / 2 over the weights that decay.
double CurveMeasure::decay() const {
  if (subject_.loss.weight_decay == 0) return 0;
  const Tensor &w = subject_.w->values(), &mask = subject_.w->decay_mask();
  return subject_.loss.weight_decay / 2 * static_cast<double>(dot(w, mask.defined() ? w * mask : w));
}

Json CurveMeasure::at(const CurvePath& path, double t, const data::Watch& watch) const {
  subject_.w->values().copy_from(path.curve.at(t));
  std::int64_t images = 0;
  Json point;
  try {
    if (statistics_ == PointStatistics::recomputed)
      images = recompute_statistics(subject_, seed_, watch);
    else
      put_buffers(statistics_ == PointStatistics::frozen ? frozen_ : interpolated(path, t), subject_);
  } catch (const NumericalError&) {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    point.set("loss", recorded(kNone)).set("accuracy", recorded(kNone));
    if (has_test()) point.set("test_loss", recorded(kNone)).set("test_accuracy", recorded(kNone));
    return point.set("images", images);
  }
  const Tally tally = subject_.tally(watch);
  images += tally.rows;
  double loss = tally.loss();
  if (subject_.loss.cross_entropy.label_smoothing > 0) {
    loss = subject_.objective(watch).loss();
    images += tally.rows;
  }
  point.set("loss", recorded(loss + decay())).set("accuracy", recorded(tally.accuracy()));
  if (has_test()) {
    const Tally test = evaluate(*subject_.run.model, subject_.run.data.test, subject_.run.logits,
                                passes_of(subject_, watch));
    images += test.rows;
    point.set("test_loss", recorded(test.loss())).set("test_accuracy", recorded(test.accuracy()));
  }
  return point.set("images", images);
}

Json path_result(const CurvePath& path, const std::vector<double>& t, const std::vector<Json>& measured) {
  const std::vector<double> piece = lengths(path.curve, t);
  Json result, points = Json::Array{}, barriers = Json::Object{};
  double so_far = 0;
  for (std::size_t i = 0; i < t.size(); ++i) {
    Json point;
    point.set("t", t[i]).set("length", so_far);
    for (const auto& [key, value] : measured[i].object())
      if (key != "images") point.set(key, value);
    points.append(point);
    if (i < piece.size()) so_far += piece[i];
  }
  for (const auto& [key, value] : measured[0].object()) {
    if (key == "images") continue;
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
