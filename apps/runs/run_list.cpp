#include "apps/runs/run_list.h"

#include <filesystem>
#include <sstream>

#include "apps/runs/checkpoint.h"
#include "apps/runs/directory_lock.h"
#include "apps/runs/records.h"
#include "apps/runs/result.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/io/utf8.h"

namespace basin::apps {
namespace {

namespace fs = std::filesystem;

bool is_run(const std::string& directory) {
  return kind_of_file(directory) == FileKind::directory &&
         kind_of_file(directory + "/config.toml") == FileKind::regular;
}

std::int64_t bytes_in(const std::string& directory) {
  std::int64_t sum = 0;
  std::error_code failure;
  for (fs::recursive_directory_iterator at(directory, failure), end; !failure && at != end;
       at.increment(failure)) {
    std::error_code unknown;
    if (!at->is_regular_file(unknown)) continue;
    const auto bytes = static_cast<std::int64_t>(at->file_size(unknown));
    if (!unknown) sum += bytes;
  }
  return sum;
}

/// How it ended, by its last session; `held` by a process.
void take_description(ListedRun& run, const Json& description, bool held) {
  const auto& sessions = description.at("sessions").array();
  if (sessions.empty()) return;
  run.started = sessions.front().at("started").string();
  for (const Json& session : sessions)
    if (const Json* took = session.find("seconds")) run.seconds += recorded_number(*took);
  const Json* code = sessions.back().find("exit_code");
  if (const Json* reason = sessions.back().find("exit_reason")) run.reason = reason->string();
  if (held)
    run.state = Standing::running;
  else if (code == nullptr)
    run.state = Standing::killed;
  else if (code->integer() != 0)
    run.state = code->integer() > 128 ? Standing::stopped : Standing::failed;
  else
    run.state = kind_of_file(run.directory + "/result.json") == FileKind::regular ? Standing::done
                                                                                  : Standing::stopped;
  if (run.state == Standing::done || run.state == Standing::running) run.reason.clear();
}

/// The figures of metrics.csv, which is there while a run is under way too.
void take_figures(ListedRun& run) {
  const std::vector<EpochRecord> epochs = read_metrics(run.directory + "/metrics.csv");
  if (epochs.empty()) return;
  run.epochs = epochs.back().epoch;
  if (const std::optional<EpochRecord> last = last_evaluated(epochs)) {
    run.loss = last->test_loss;
    run.accuracy = last->test_accuracy;
  }
  if (const std::optional<EpochRecord> best = best_of(epochs)) run.best = best->test_accuracy;
}

ListedRun look_at(const std::string& directory) {
  ListedRun run{.directory = directory};
  const bool held = is_locked(directory);
  if (held) run.state = Standing::running;
  const auto reading = [&](const char* name, const auto& take) {
    const std::string path = directory + "/" + name;
    try {
      if (kind_of_file(path) == FileKind::regular) take(path);
    } catch (const Error& error) {
      run.problems.push_back(text(path, ": ", error.what()));
    }
  };
  reading("run.json",
          [&](const std::string& path) { take_description(run, parse_json(read_file(path)), held); });
  reading("metrics.csv", [&](const std::string&) { take_figures(run); });
  run.bytes = bytes_in(directory);
  return run;
}

Json known(const std::optional<double>& figure) { return figure ? recorded(*figure) : Json(); }

}  // namespace

const char* name_of(Standing state) {
  switch (state) {
    case Standing::running:
      return "running";
    case Standing::done:
      return "done";
    case Standing::stopped:
      return "stopped";
    case Standing::failed:
      return "failed";
    case Standing::killed:
      break;
  }
  return "killed";
}

std::vector<ListedRun> list_runs(const std::string& directory) {
  if (kind_of_file(directory) != FileKind::directory)
    throw UsageError("runs: there is no folder ", quote(directory),
                     "; `basin train` makes runs/, or name another");
  std::vector<ListedRun> all;
  if (is_run(directory)) all.push_back(look_at(directory));
  for (const std::string& name : list_directory(directory)) {
    const std::string path = (fs::path(directory) / name).string();
    if (is_run(path)) all.push_back(look_at(path));
  }
  if (all.empty())
    throw UsageError("runs: ", quote(directory), " holds no run: no folder in it has a config.toml");
  return all;
}

std::vector<Removable> removable_of(const ListedRun& run) {
  std::vector<Removable> all;
  if (run.state == Standing::running) return all;
  const std::vector<CheckpointFile> checkpoints = list_checkpoints(run.directory);
  const bool weights = kind_of_file(run.directory + "/final.safetensors") == FileKind::regular;
  if (checkpoints.empty() && !weights) {
    all.push_back({run.directory, "nothing to go on from: neither a checkpoint nor weights", run.bytes});
    return all;
  }
  if (run.state != Standing::done || !weights) return all;
  for (std::size_t k = 1; k < checkpoints.size(); ++k)
    all.push_back({checkpoints[k].path, "the run is done, and a newer checkpoint is kept",
                   static_cast<std::int64_t>(InputFile(checkpoints[k].path).size())});
  return all;
}

Json to_json(const ListedRun& run) {
  Json j;
  j.set("run", run.directory).set("state", name_of(run.state)).set("reason", run.reason);
  j.set("started", run.started).set("seconds", run.seconds).set("bytes", run.bytes).set("epochs", run.epochs);
  return j.set("loss", known(run.loss)).set("accuracy", known(run.accuracy)).set("best", known(run.best));
}

}  // namespace basin::apps
