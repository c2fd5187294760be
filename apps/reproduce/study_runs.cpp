#include "apps/reproduce/study_runs.h"

#include <algorithm>
#include <filesystem>

#include "apps/runs/recipe.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/io/json.h"

namespace basin::apps {
namespace {

bool there(const std::string& path) { return kind_of_file(path) != FileKind::none; }

}  // namespace

std::vector<StudyRun> counted_runs(const Study& study, const StudyScale& scale, std::int64_t seeds,
                                   const std::map<std::string, StudyChoice>& chosen) {
  std::vector<StudyRun> runs;
  for (std::int64_t seed = kFirstSeed; seed < kFirstSeed + seeds; ++seed) {
    for (const StudyRow& row : study.trained()) {
      StudyRun run{
          .name = text(row.id, "-seed", seed), .row = row.id, .seed = static_cast<std::uint64_t>(seed)};
      if (const auto found = chosen.find(row.id); found != chosen.end()) run.choice = found->second;
      run.config = study_config(study, row, scale, run.choice, run.seed);
      runs.push_back(std::move(run));
    }
  }
  return runs;
}

std::vector<StudyRun> search_runs(const Study& study, const StudyScale& scale) {
  std::vector<StudyRun> runs;
  if (!scale.search) return runs;
  for (const std::uint64_t seed : scale.search->seeds) {
    for (const StudyRow& row : study.trained()) {
      for (const StudyChoice& choice : choices_of(*scale.search, row.id)) {
        StudyRun run{.name = row.id, .row = row.id, .choice = choice, .seed = seed};
        for (const auto& [path, value] : choice) run.name += "-" + path.substr(path.rfind('.') + 1) + value;
        run.name += text("-seed", seed);
        run.config = study_config(study, row, scale, choice, seed, scale.search->validation);
        runs.push_back(std::move(run));
      }
    }
  }
  return runs;
}

std::vector<StudyRun> start_runs(const Study& study, const StudyScale& scale,
                                 const std::vector<StudyRun>& runs) {
  std::vector<StudyRun> starts;
  for (const StudyRun& run : runs) {
    const std::string& id = study.row(run.row).starts_from;
    if (id.empty()) continue;
    const StudyStart& start = study.start(id);
    const std::string name = start_name(start, run.seed);
    if (std::any_of(starts.begin(), starts.end(), [&](const StudyRun& s) { return s.name == name; }))
      continue;
    const std::uint64_t seed = start.seed.value_or(run.seed);
    starts.push_back(
        {.name = name, .row = id, .seed = seed, .config = study_config(study, start, scale, seed)});
  }
  return starts;
}

void complete_with_starts(const Study& study, const StudyScale& scale, const std::vector<StudyRun>& runs,
                          const std::string& out, const std::string& part, const StudyMaking& making,
                          Terminal& terminal) {
  const StudyRuns made(out, part), begun(out, "starts");
  std::vector<StudyRun> missing;
  for (const StudyRun& run : runs)
    if (!made.ended(run)) missing.push_back(run);
  const std::vector<StudyRun> starts = start_runs(study, scale, missing);
  if (!starts.empty()) begun.complete(starts, "starts", making, terminal);
  for (const StudyRun& start : starts)
    if (begun.result(start, "last")->diverged)
      throw NumericalError("the run starts/", start.name, " diverged: nothing can begin with its weights");
  made.complete(runs, part, making, terminal);
}

void StudyRuns::expect_same_recipe(const StudyRun& run) const {
  TrainConfig there = train_config_of(run_entries(path(run)));
  // Where the study's directory is may change.
  if (!run.config.model.init.empty() && there.model.init.ends_with("/" + run.config.model.init))
    there.model.init = run.config.model.init;
  const std::string ours = recipe_toml(run.config), theirs = recipe_toml(there);
  if (ours == theirs) return;
  // The first line that differs says enough.
  std::size_t at = 0;
  while (at < std::min(ours.size(), theirs.size()) && ours[at] == theirs[at]) ++at;
  const auto line = [&](const std::string& all) {
    const std::size_t begin = at == 0 ? 0 : all.rfind('\n', at - 1) + 1;
    return all.substr(begin, all.find('\n', begin) - begin);
  };
  throw UsageError(path(run), " holds a run of another recipe (", line(theirs), ", here ", line(ours),
                   "): name another --out");
}

bool StudyRuns::ended(const StudyRun& run) const {
  const std::string directory = path(run);
  if (!there(directory + "/config.toml")) return false;
  expect_same_recipe(run);
  if (there(directory + "/result.json")) return true;
  if (!there(directory + "/run.json")) return false;
  const Json description = parse_json(read_file(directory + "/run.json"));
  const Json* sessions = description.find("sessions");
  if (!sessions || sessions->array().empty()) return false;
  const Json* code = sessions->array().back().find("exit_code");
  return code && !code->is_null() && code->integer() == number(ExitCode::numerical);
}

std::optional<StudyResult> StudyRuns::result(const StudyRun& run, const std::string& weights) const {
  if (!ended(run)) return {};
  const std::string file = path(run) + "/result.json";
  if (!there(file)) return StudyResult{.diverged = true};
  const Json result = parse_json(read_file(file));
  for (const Json& variant : result.at("variants").array()) {
    if (variant.at("name").string() != weights) continue;
    if (variant.find("failure")) return StudyResult{.diverged = true};
    StudyResult found{.test_accuracy = 100 * recorded_number(variant.at("test_accuracy")),
                      .seconds = result.at("seconds").number()};
    if (const Json* validation = variant.find("validation_accuracy"); validation && !validation->is_null())
      found.validation_accuracy = 100 * recorded_number(*validation);
    return found;
  }
  throw DataError(file, " has no weights called ", quote(weights));
}

std::vector<std::string> StudyRuns::command_of(const StudyRun& run) const {
  std::vector<std::string> words = {"train"};
  const std::string directory = path(run);
  if (there(directory + "/config.toml")) {
    words.insert(words.end(), {"--resume", directory});
  } else {
    TrainConfig config = run.config;
    if (std::string& init = config.model.init; !init.empty()) {
      init = out_ + "/" + init;
      if (!there(init))
        throw CheckpointError(init, ", which ", run.name, " begins with, is gone: remove ",
                              std::filesystem::path(init).parent_path().string(), " to train it again");
    }
    write_file_atomically(directory + ".toml", to_toml(with_whole_paths(config)));
    words.insert(words.end(), {"--config", directory + ".toml", "--run", directory, "--force"});
  }
  return words;
}

void StudyRuns::complete(const std::vector<StudyRun>& runs, const std::string& what,
                         const StudyMaking& making, Terminal& terminal) const {
  make_directory(directory_);
  std::vector<Job> missing;
  for (const StudyRun& run : runs)
    if (!ended(run))
      missing.push_back(
          {.name = run.name, .words = [this, &run] { return command_of(run); }, .path = path(run)});
  run_jobs(missing, what, std::ssize(runs) - std::ssize(missing), making, terminal);
}

}  // namespace basin::apps
