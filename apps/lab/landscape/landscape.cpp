#include "apps/lab/landscape/landscape.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/recalibration.h"

namespace basin::apps {
namespace {

constexpr std::int64_t kKeptBytes = std::int64_t{1} << 30;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

std::vector<double> places(const SliceAxis& axis, const GridSpan& span) {
  std::vector<double> list;
  for (std::int64_t i = 0; i < span.points; ++i) {
    const auto steps = static_cast<double>(span.points - 1), at = static_cast<double>(i);
    double t = steps > 0 ? (span.low * (steps - at) + span.high * at) / steps : span.low;
    if (std::abs(t - std::round(t)) < 1e-12) t = std::round(t);
    list.push_back(axis.from * (1 - t) + axis.to * t);
  }
  return list;
}

Json to_json(const Height& h) {
  return Json::Array{recorded(h.loss), recorded(h.accuracy), recorded(h.test_loss),
                     recorded(h.test_accuracy)};
}

Height height_of(const Json& json) {
  const Json::Array& list = json.array();
  return {recorded_number(list.at(0)), recorded_number(list.at(1)), recorded_number(list.at(2)),
          recorded_number(list.at(3))};
}

/// How far from places[zero] the losses, taken one by one in that direction, first reach `level`.
double reach(const std::vector<double>& places, const std::vector<double>& losses, std::ptrdiff_t zero,
             std::ptrdiff_t step, double level) {
  const auto loss = [&](std::ptrdiff_t i) { return losses[static_cast<std::size_t>(i)]; };
  const auto place = [&](std::ptrdiff_t i) { return places[static_cast<std::size_t>(i)]; };
  for (std::ptrdiff_t i = zero; i + step >= 0 && i + step < std::ssize(places); i += step) {
    const double here = loss(i), next = loss(i + step);
    if (std::isnan(next)) return kUnknown;
    if (next < level) continue;
    const double part = std::isinf(next) ? 1 : (level - here) / (next - here);
    return std::abs(place(i) + part * (place(i + step) - place(i)) - place(zero));
  }
  return kUnknown;
}

void recalibrate(const Subject& subject, data::KeptBatches& images, const data::Watch& watch) {
  nn::Recalibration recalibration(*subject.run.model);
  std::int64_t done = 0;
  images.each([&](const data::Batch& batch) {
    recalibration.add(batch.images.to(subject.w->dtype()));
    done += batch.size();
    if (watch) watch(done, images.size());
  });
  recalibration.finish();
}

}  // namespace

void recompute_statistics(const Subject& subject, const std::shared_ptr<const data::ExampleSource>& images,
                          const data::Watch& watch) {
  if (!nn::needs_recalibration(*subject.run.model)) return;
  const EvaluationOptions passes = evaluation_options(subject.run.config);
  data::KeptBatches batches(images, passes.batch_size, passes.workers, subject.w->values().device());
  recalibrate(subject, batches, watch);
}

Grid grid_of(const std::vector<SliceAxis>& axes, const std::vector<GridSpan>& spans) {
  return {places(axes.at(0), spans.at(0)),
          axes.size() == 2 ? places(axes[1], spans.at(1)) : std::vector<double>{0}};
}

HeightsOf::HeightsOf(const Subject& subject, std::shared_ptr<const data::ExampleSource> test,
                     std::shared_ptr<const data::ExampleSource> recomputed, const data::Watch& watch)
    : subject_(subject), measured_(subject.objective(watch)), watch_(watch) {
  measured_.keep_batches();
  EvaluationOptions passes = evaluation_options(subject.run.config);
  passes.watch = watch;
  if (test) {
    test_.emplace(*subject.run.model, *subject.w, std::move(test), passes, subject.loss);
    test_->keep_batches();
  }
  if (recomputed && nn::needs_recalibration(*subject.run.model)) {
    recomputed_.emplace(std::move(recomputed), passes.batch_size, passes.workers,
                        subject.w->values().device(), kKeptBytes);
  }
}

Height HeightsOf::operator()() {
  if (recomputed_) recalibrate(subject_, *recomputed_, watch_);
  Height height{.test_loss = kUnknown, .test_accuracy = kUnknown};
  const optim::Evaluation own = measured_.forward();
  height.loss = own.loss + measured_.penalty();
  height.accuracy = own.correct / static_cast<double>(own.rows);
  if (test_) {
    const optim::Evaluation others = test_->forward();
    height.test_loss = others.loss + test_->penalty();
    height.test_accuracy = others.correct / static_cast<double>(others.rows);
  }
  return height;
}

Landscape survey(const Slice& slice, const Grid& grid, optim::ParameterVector& w,
                 const std::vector<NamedBuffer>& buffers, const std::function<Height()>& height,
                 UnitResults& results, const std::string& name, const data::Watch& watch) {
  std::vector<std::function<void(SliceVisit&)>> ways;
  std::vector<std::string> units;
  const auto add = [&](const std::string& unit, std::function<void(SliceVisit&)> way) {
    units.push_back(name + unit);
    ways.push_back(std::move(way));
  };
  if (slice.centred) add("centre", [](SliceVisit& visit) { visit.stand_at(0, 0); });
  for (std::size_t k = 0; k < slice.marks.size(); ++k)
    add(text("mark ", k),
        [&solution = slice.marks[k].solution](SliceVisit& visit) { visit.stand_at(solution); });
  const std::size_t first_point = units.size();
  for (std::size_t j = 0; j < grid.y.size(); ++j)
    for (std::size_t i = 0; i < grid.x.size(); ++i)
      add(text(i, ",", j), [x = grid.x[i], y = grid.y[j]](SliceVisit& visit) { visit.stand_at(x, y); });

  SliceVisit visit(slice, w, buffers);
  results.complete(
      units,
      [&](const std::string& unit) {
        const auto place = std::find(units.begin(), units.end(), unit) - units.begin();
        ways[static_cast<std::size_t>(place)](visit);
        return to_json(height());
      },
      watch);

  Landscape found{.grid = grid};
  if (slice.centred) found.centre = height_of(results.at(units.front()));
  for (std::size_t k = slice.centred ? 1 : 0; k < first_point; ++k)
    found.marks.push_back(height_of(results.at(units[k])));
  for (std::size_t k = first_point; k < units.size(); ++k)
    found.heights.push_back(height_of(results.at(units[k])));
  return found;
}

Profile profile(const std::vector<double>& places, const std::vector<double>& losses) {
  const auto zero = std::find(places.begin(), places.end(), 0.0) - places.begin();
  Profile p{kUnknown, kUnknown, kUnknown, kUnknown, kUnknown};
  if (zero == std::ssize(places)) return p;
  const double here = losses[static_cast<std::size_t>(zero)];
  p.doubles_left = reach(places, losses, zero, -1, 2 * here);
  p.doubles_right = reach(places, losses, zero, 1, 2 * here);
  p.rises_left = reach(places, losses, zero, -1, here + 0.1);
  p.rises_right = reach(places, losses, zero, 1, here + 0.1);
  if (zero == 0 || zero + 1 == std::ssize(places)) return p;
  const auto at = static_cast<std::size_t>(zero);
  const double h = (places[at + 1] - places[at - 1]) / 2;
  p.curvature = (losses[at + 1] - 2 * here + losses[at - 1]) / (h * h);
  return p;
}

}  // namespace basin::apps
