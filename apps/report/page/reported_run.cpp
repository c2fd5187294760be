#include "apps/report/page/reported_run.h"

#include <algorithm>
#include <string_view>

#include "apps/config/train_config.h"
#include "apps/options/toml_file.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"

namespace basin::apps {
namespace {

Json read_json(const std::string& path) {
  try {
    return parse_json(read_file(path));
  } catch (const JsonError& error) {
    throw DataError("[report] ", path, ": ", error.what());
  }
}

/// They are records, not state: a line that is none is passed over.
void read_steps(const std::string& path, ReportedRun& run) {
  if (kind_of_file(path) != FileKind::regular) return;
  const std::string all = read_file(path);
  std::string_view rest = all;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    try {
      const Json step = parse_json(line);
      const auto at = static_cast<double>(step.at("step").integer());
      run.step_losses.points.emplace_back(at, recorded_number(step.at("loss")));
      run.step_norms.points.emplace_back(at, recorded_number(step.at("gradient_norm")));
    } catch (const JsonError&) {
      continue;
    }
  }
}

}  // namespace

ReportedRun read_reported_run(const std::string& directory) {
  ReportedRun run{.path = directory};
  run.config = read_file(directory + "/config.toml");
  run.epochs = read_metrics(directory + "/metrics.csv");
  if (run.epochs.empty()) throw DataError("[report] ", directory, "/metrics.csv: no epoch in it");
  run.run = read_json(directory + "/run.json");
  if (kind_of_file(directory + "/result.json") == FileKind::regular)
    run.result = read_json(directory + "/result.json");
  read_steps(directory + "/steps.jsonl", run);
  try {
    run.name = run.run.at("name").string();
  } catch (const JsonError& error) {
    throw DataError("[report] ", directory, "/run.json: ", error.what());
  }
  return run;
}

void label_runs(std::vector<ReportedRun>& runs) {
  for (ReportedRun& run : runs) run.label = last_name(run.path);
  std::vector<std::string> all;
  for (const ReportedRun& run : runs) all.push_back(run.label);
  for (ReportedRun& run : runs)
    if (run.label.empty() || std::count(all.begin(), all.end(), run.label) > 1) run.label = run.path;
}

std::string recipe_without_seed(const ReportedRun& run) {
  TrainConfig config = train_config_of(parse_toml(run.config, run.path + "/config.toml"));
  config.run.seed = 0;
  return recipe_toml(config);
}

}  // namespace basin::apps
