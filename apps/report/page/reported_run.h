// ReportedRun: what a run left behind, read back for its page.
#pragma once

#include <string>
#include <vector>

#include "apps/report/figure.h"
#include "apps/runs/records.h"
#include "core/io/json.h"

namespace basin::apps {

/// What a command of the laboratory found.
struct ReportedAnswer {
  std::string command{};                  // "hessian"
  std::string name{};                     // of its directory: "hessian-2"
  std::vector<std::string> statements{};  // what was measured, a line for each set of weights
  std::vector<Figure> figures{};
};

struct ReportedRun {
  std::string path{};
  std::string name{};    // of run.json
  std::string label{};   // what it is called among the runs of a page
  std::string config{};  // config.toml
  std::vector<EpochRecord> epochs{};
  Curve step_losses{}, step_norms{};  // of each optimization step that steps.jsonl has: the loss, |g|
  Json run{}, result{};               // run.json, result.json; null where a run has not ended
  std::vector<ReportedAnswer> answers{};
};

/// Reads config.toml, metrics.csv, run.json, and what is there of result.json and steps.jsonl. Errors:
/// DataError for a file that is missing or damaged, or a run without an epoch.
ReportedRun read_reported_run(const std::string& directory);

/// Gives each run a label of its own: the last part of its path, or all of it where two would be called the
/// same.
void label_runs(std::vector<ReportedRun>& runs);

/// A text by which runs of one recipe agree, whatever their seeds. Errors: those of train_config_of().
std::string recipe_without_seed(const ReportedRun& run);

}  // namespace basin::apps
