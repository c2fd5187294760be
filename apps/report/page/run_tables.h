// The tables of a page: epochs, results, means over seeds, what the runs differ in.
#pragma once

#include <string>
#include <vector>

#include "apps/report/figure.h"
#include "apps/report/page/reported_run.h"

namespace basin::apps {

/// The last epoch, and the best one where result.json names it.
FigureTable headline_table(const ReportedRun& run);
FigureTable epochs_table(const ReportedRun& run);

/// A row for each set of weights that a run reports; of a run that has not ended its last epoch.
FigureTable results_table(const std::vector<ReportedRun>& runs);

/// Mean and standard deviation (n - 1) over the runs that share a recipe and differ in their seeds, a row for
/// each recipe and set of weights; no rows where no two runs do.
FigureTable seeds_table(const std::vector<ReportedRun>& runs);

/// The options of config.toml in which the runs differ, and what they ran on where that differs; no rows
/// where nothing does.
FigureTable differences_table(const std::vector<ReportedRun>& runs);

}  // namespace basin::apps
