// `basin train`: loads the data, makes or reopens the run directory, trains.
#include "apps/commands/train.h"

#include <algorithm>
#include <optional>

#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/runs/checkpoint.h"
#include "apps/runs/recipe.h"
#include "apps/runs/run_config.h"
#include "apps/training/batch_check.h"
#include "apps/training/training_run.h"
#include "apps/weights/finite.h"
#include "core/io/directory.h"
#include "nn/summary.h"

namespace basin::apps {
namespace {

/// One training step on the first batch and nothing written: does the recipe run, how large and how fast is
/// it?
ExitCode dry_run(const TrainConfig& config, const RunData& data, const RunLength& length,
                 Terminal& terminal) {
  Experiment experiment(config, data.set, length);
  check_batches(config, data, experiment.model());
  if (experiment.start()) tell(*experiment.start(), terminal);
  const nn::Summary summary = nn::summarize(experiment.model(), data.set.image, config.device.dtype);

  data::Loader loader(data.train, training_batches(config, 0, 0));
  data::Batch batch;
  loader.next(batch);
  const Clock clock = steady_clock();
  const double begin = clock();
  const optim::StepReport report = experiment.step(batch, 0);
  const double seconds = clock() - begin;
  if (!report.finite) throw NumericalError("the first step is not finite (loss ", report.loss, ")");

  const double speed = ratio(static_cast<double>(batch.size()), seconds);
  const double flop = 6.0 * static_cast<double>(summary.multiply_adds) * report.passes;
  tell(data, terminal);
  terminal.result(
      text("dry run, nothing written\n", data.set.name, ": ", grouped(data.train->size()),
           " training images ", data.set.image, ", ", grouped(length.steps_per_epoch), " steps an epoch\n",
           config.model.name, ": ", grouped(summary.parameters), " parameters, about ", fixed(flop * 1e-6, 1),
           " MFLOP to train on an image\nfirst step: loss ", fixed(report.loss, 4), ", ", report.passes,
           " passes, ", duration_text(seconds), " (", fixed(speed, 0), " images/s before warming up)\n"));
  Json document;
  document.set("data", data.set.name)
      .set("images", data.train->size())
      .set("steps_per_epoch", length.steps_per_epoch);
  document.set("model", config.model.name).set("parameters", summary.parameters).set("flop_per_image", flop);
  document.set("loss", recorded(report.loss)).set("passes", report.passes).set("seconds", seconds);
  terminal.result(document);
  return ExitCode::success;
}

/// What the run is to go on from; none for a new run, and for one that was killed before its first
/// checkpoint, which starts over.
std::optional<LoadedCheckpoint> checkpoint_of(const TrainConfig& config, const RunDirectory& run,
                                              Terminal& terminal) {
  if (!config.run.resume) return {};
  const std::vector<CheckpointFile> files = list_checkpoints(run.path());
  if (std::all_of(files.begin(), files.end(),
                  [](const CheckpointFile& file) { return !odd_file(file.path).empty(); })) {
    terminal.note(run.path() + " has no checkpoint yet: the run starts from its beginning");
    return {};
  }
  return load_newest_checkpoint(run.path(), [&](const std::string& line) { terminal.warn(line); });
}

}  // namespace

ExitCode train(const TrainConfig& given, Terminal& terminal) {
  apply(given.device);
  std::optional<RunDirectory> run;
  if (!given.run.dry_run) run.emplace(given, terminal);
  LoadPlan plan{.watch = LongWork(terminal).parts(), .training = true};
  plan.plain_train = given.measure.hessian_every > 0;
  if (given.run.resume) plan.known = read_data_files(given.run.dir + "/" + kDataFilesName);
  const RunData data = load_run_data(given.data, given.run.seed, plan);
  terminal.repaint("");
  const RunLength length = run_length(given.schedule, data.train->size());
  const TrainConfig config = given.run.resume ? given : with_whole_paths(given);
  check_axes(config, length);
  if (config.run.dry_run) return dry_run(config, data, length, terminal);

  // All that can fail is done before the directory is made or an old run goes: --init may be of that run.
  const std::optional<LoadedCheckpoint> saved = checkpoint_of(config, *run, terminal);
  TrainConfig start = config;
  if (saved) start.model.init.clear();  // everything is in the checkpoint; the file may be gone
  Experiment experiment(start, data.set, length);
  check_batches(config, data, experiment.model());
  TrainingRun training(config, data, length, experiment, *run, terminal);
  if (saved) training.resume(*saved);
  return training.run();
}

void TrainCall::options(OptionTable& table) { add(table, config, &sources_); }

std::string TrainCall::build_on(OptionTable& table, const std::vector<std::string>&) {
  RunConfig& run = config.run;
  run.resume = table.by_flag("resume")->source == Source::flag;
  if (!run.resume) {
    take_sources(table, sources_);
    return "";
  }
  for (const char* flag : {"config", "preset", "run", "force"}) {
    if (table.by_flag(flag)->source == Source::flag)
      throw UsageError("--", flag,
                       " and --resume exclude each other: the run goes on in its directory as configured");
  }
  run.dir = run.resumed;
  take_toml(table, run_entries(run.resumed), Source::file);
  return run.resumed;
}

void TrainCall::check(const OptionTable& table, const std::vector<std::string>&) {
  if (config.run.resume) refuse_changes(table, config.run.resumed);
}

std::string TrainCall::settled(const OptionTable& table) {
  validate(config);
  config.run.command = command_line;
  if (sources_.print_config && config.output.json)
    throw UsageError("--print-config prints TOML, and --json asks for JSON: give one");
  return sources_.print_config ? table.toml() : "";
}

ExitCode TrainCall::run(Terminal& terminal) { return train(config, terminal); }

Command train_command() {
  return {"train", "[options]", "train a network; the run's files go to a directory of its own", 0,
          make_call<TrainCall>};
}

}  // namespace basin::apps
