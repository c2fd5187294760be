#include "apps/report/page/learning.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "apps/report/svg.h"

namespace basin::apps {
namespace {

constexpr std::size_t kSmoothed = 20;  // points from which on a curve is smoothed
constexpr std::size_t kMostRaw = 600;  // points that are drawn of it itself
constexpr std::size_t kMostSmooth = 300;
constexpr const char *kLargest = "Largest eigenvalue of the Hessian", *kTrace = "Trace of the Hessian";

Curve thinned(const Curve& curve, std::size_t most) {
  Curve thin = curve;
  const std::size_t stride = (curve.points.size() + most - 1) / most;
  if (stride <= 1) return thin;
  thin.points.clear();
  for (std::size_t i = 0; i < curve.points.size(); i += stride) thin.points.push_back(curve.points[i]);
  return thin;
}

/// The largest eigenvalue or the trace along the training of those runs that measured it.
Figure curvature_over_epochs(const std::vector<ReportedRun>& runs, const std::string& name,
                             const std::string& title, double EpochCurvature::*of) {
  Plot plot{.title = title, .x_label = "epoch", .y_label = title, .whole_x = true};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    Curve curve{.label = runs[i].label, .points = {}};
    curve.colour = static_cast<int>(i);
    for (const EpochRecord& r : runs[i].epochs)
      if (r.hessian) curve.points.emplace_back(static_cast<double>(r.epoch), (*r.hessian).*of);
    if (!curve.points.empty()) plot.curves.push_back(std::move(curve));
  }
  return {name, plot};
}

/// Adds the curve of a run, and what it is smoothed from.
void add_learned(Plot& plot, Curve curve, const std::string& label, int colour) {
  curve.label = label;
  curve.colour = colour;
  if (curve.points.size() < kSmoothed) {
    plot.curves.push_back(std::move(curve));
    return;
  }
  const Curve smooth = smoothed(curve, std::max(1.0, 0.02 * static_cast<double>(curve.points.size())));
  Curve raw = thinned(curve, kMostRaw);
  raw.faint = true;
  plot.curves.push_back(std::move(raw));
  plot.curves.push_back(thinned(smooth, kMostSmooth));
}

double in_percent(double fraction) { return 100 * fraction; }
std::optional<double> in_percent(const std::optional<double>& fraction) {
  return fraction ? std::optional(100 * *fraction) : std::nullopt;
}

Figure over_epochs(const std::vector<ReportedRun>& runs, const std::string& name, const std::string& title,
                   const std::string& unit,
                   const std::function<std::optional<double>(const EpochRecord&)>& value) {
  Plot plot{.title = title, .x_label = "epoch", .y_label = unit, .whole_x = true};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    Curve curve;
    for (const EpochRecord& r : runs[i].epochs)
      if (const std::optional<double> y = value(r))
        curve.points.emplace_back(static_cast<double>(r.epoch), *y);
    add_learned(plot, std::move(curve), runs[i].label, static_cast<int>(i));
  }
  return {name, plot};
}

Figure over_steps(const std::vector<ReportedRun>& runs, const std::string& name, const std::string& title,
                  const std::string& unit, Curve ReportedRun::*of) {
  Plot plot{.title = title, .x_label = "step", .y_label = unit, .whole_x = true, .log_y = true};
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (!(runs[i].*of).points.empty())
      add_learned(plot, runs[i].*of, runs.size() > 1 ? runs[i].label : "", static_cast<int>(i));
  return {name, plot};
}

}  // namespace

std::vector<Plot> training_plots(const std::vector<EpochRecord>& epochs) {
  Curve train_loss{.label = "train", .points = {}}, test_loss{.label = "test", .points = {}};
  Curve perturbed_loss{.label = "train at w+e", .points = {}, .dashed = true};
  Curve train_accuracy{.label = "train", .points = {}}, test_accuracy{.label = "test", .points = {}};
  Curve largest{.label = "largest eigenvalue", .points = {}}, trace{.label = "trace", .points = {}};
  for (const EpochRecord& r : epochs) {
    const auto x = static_cast<double>(r.epoch);
    train_loss.points.emplace_back(x, r.train_loss);
    if (r.test_loss) test_loss.points.emplace_back(x, *r.test_loss);
    if (r.train_loss_perturbed) perturbed_loss.points.emplace_back(x, *r.train_loss_perturbed);
    train_accuracy.points.emplace_back(x, 100 * r.train_accuracy);
    if (r.test_accuracy) test_accuracy.points.emplace_back(x, 100 * *r.test_accuracy);
    if (!r.hessian) continue;
    largest.points.emplace_back(x, r.hessian->largest);
    trace.points.emplace_back(x, r.hessian->trace);
  }
  const auto plot = [](const char* title, const char* unit, std::vector<Curve> curves) {
    return Plot{
        .title = title, .x_label = "epoch", .y_label = unit, .whole_x = true, .curves = std::move(curves)};
  };
  std::vector<Plot> plots = {plot("Loss", "cross-entropy", {train_loss, test_loss}),
                             plot("Accuracy", "%", {train_accuracy, test_accuracy})};
  if (!perturbed_loss.points.empty()) plots.front().curves.push_back(perturbed_loss);
  if (!largest.points.empty()) {
    plots.push_back(plot(kLargest, "lambda_max", {largest}));
    plots.push_back(plot(kTrace, "trace", {trace}));
  }
  return plots;
}

Curve smoothed(const Curve& curve, double width) {
  Curve smooth = curve;
  const auto reach = static_cast<std::ptrdiff_t>(std::ceil(3 * width));
  const auto count = std::ssize(curve.points);
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    double sum = 0, weights = 0;
    for (std::ptrdiff_t j = std::max<std::ptrdiff_t>(0, i - reach); j <= std::min(count - 1, i + reach);
         ++j) {
      const double y = curve.points[static_cast<std::size_t>(j)].second,
                   t = static_cast<double>(i - j) / width;
      if (!std::isfinite(y)) continue;
      const double weight = std::exp(-t * t / 2);
      sum += weight * y;
      weights += weight;
    }
    smooth.points[static_cast<std::size_t>(i)].second =
        weights > 0 ? sum / weights : std::numeric_limits<double>::quiet_NaN();
  }
  return smooth;
}

std::vector<Figure> learning_figures(const std::vector<ReportedRun>& runs) {
  std::vector<Figure> all;
  if (runs.size() > 1) {
    all = {over_epochs(runs, "test-accuracy", "Test accuracy", "%",
                       [](const EpochRecord& r) { return in_percent(r.test_accuracy); }),
           over_epochs(runs, "test-loss", "Test loss", "cross-entropy",
                       [](const EpochRecord& r) { return r.test_loss; }),
           over_epochs(runs, "train-loss", "Training loss at w, mean of an epoch", "cross-entropy",
                       [](const EpochRecord& r) { return r.train_loss; }),
           over_epochs(runs, "train-accuracy", "Training accuracy, mean of an epoch", "%",
                       [](const EpochRecord& r) { return in_percent(r.train_accuracy); })};
  }
  for (const Figure& figure : {curvature_over_epochs(runs, "lambda-max", kLargest, &EpochCurvature::largest),
                               curvature_over_epochs(runs, "trace", kTrace, &EpochCurvature::trace)})
    if (!std::get<Plot>(figure.content).curves.empty()) all.push_back(figure);
  for (const Figure& figure :
       {over_steps(runs, "step-loss", "Loss of a step's batch, at w", "cross-entropy",
                   &ReportedRun::step_losses),
        over_steps(runs, "step-norm", "Norm of a step's gradient", "|g|", &ReportedRun::step_norms)})
    if (!std::get<Plot>(figure.content).curves.empty()) all.push_back(figure);
  return all;
}

Plot overlaid(const std::vector<std::pair<std::string, const Plot*>>& plots) {
  Plot all;
  std::size_t curves = 0;
  bool by_run = plots.size() <= kPalette;  // a run's curves have its colour: they are told apart by dashes
  for (const auto& [label, plot] : plots) {
    const Plot& first = *plots.front().second;
    if (plot->x_label != first.x_label || plot->y_label != first.y_label || plot->log_x != first.log_x ||
        plot->log_y != first.log_y || plot->title != first.title)
      return {};
    curves += plot->curves.size();
    const auto dashed = std::count_if(plot->curves.begin(), plot->curves.end(),
                                      [](const Curve& curve) { return curve.dashed; });
    by_run = by_run && dashed <= 1 && std::ssize(plot->curves) - dashed <= 1;
  }
  if (plots.size() < 2 || curves > 2 * kPalette) return {};
  all = *plots.front().second;
  all.title += ", all runs";
  all.curves.clear();
  for (std::size_t i = 0; i < plots.size(); ++i) {
    const auto& [label, plot] = plots[i];
    for (Curve curve : plot->curves) {
      curve.label = plot->curves.size() > 1 && !curve.label.empty() ? label + ": " + curve.label : label;
      curve.colour = static_cast<int>(by_run ? i : all.curves.size());
      all.curves.push_back(std::move(curve));
    }
  }
  return all;
}

}  // namespace basin::apps
