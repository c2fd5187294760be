// The pictures of a finished run: curves.svg, and report.html, one file with curves, results and
// configuration.
#pragma once

#include <string>
#include <vector>

#include "apps/report/svg.h"
#include "apps/runs/records.h"

namespace basin::apps {

/// Loss and accuracy over epochs.
std::vector<Plot> training_plots(const std::vector<EpochRecord>& epochs);

/// Writes DIR/curves.svg and DIR/report.html from the run's metrics.csv, result.json, config.toml and
/// run.json. The page needs nothing from outside. Errors: DataError for a file that is missing or damaged;
/// OutputError.
void write_report(const std::string& directory);

}  // namespace basin::apps
