// Curves of learning: a run's own, and those of several runs over each other.
#pragma once

#include <string>
#include <vector>

#include "apps/report/figure.h"
#include "apps/report/page/reported_run.h"
#include "apps/runs/records.h"

namespace basin::apps {

/// Loss and accuracy over epochs.
std::vector<Plot> training_plots(const std::vector<EpochRecord>& epochs);

/// The curve's mean under a Gaussian of `width` points around each of its points, those that are not finite
/// left out: sum_j k(i - j) y_j / sum_j k(i - j), k(t) = exp(-t^2 / (2 width^2)), |t| <= 3 width.
Curve smoothed(const Curve& curve, double width);

/// What is learned, of each run in a colour of its own: test accuracy, test loss and training loss over
/// epochs, loss and gradient norm over steps. Curves of 20 points and more are smoothed by 2 % of their
/// length, and are there themselves behind, faintly; of more than 600 only every second, third, ... point.
std::vector<Figure> learning_figures(const std::vector<ReportedRun>& runs);

/// Plots of one kind, each with its run's label, drawn over each other, their labels joined. No curves where
/// the axes differ, or colours would not tell the curves apart.
Plot overlaid(const std::vector<std::pair<std::string, const Plot*>>& plots);

}  // namespace basin::apps
