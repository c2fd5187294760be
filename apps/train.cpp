// `basin train`: loads the data, makes or reopens the run directory, trains.
#include "apps/commands.h"
#include "apps/format.h"
#include "apps/training_run.h"
#include "core/parallel.h"
#include "nn/summary.h"

namespace basin::apps {
namespace {

/// One training step on the first batch and nothing written: does the recipe run, how large and how fast is
/// it?
int dry_run(const TrainConfig& config, const Examples& examples, Terminal& terminal) {
  const std::int64_t steps = steps_per_epoch(config, examples);
  Experiment experiment(config, examples.set, steps);
  const nn::Summary summary = nn::summarize(experiment.model(), examples.set.image, config.device.dtype);

  data::Loader loader(examples.train, training_batches(config, 0, 0));
  data::Batch batch;
  loader.next(batch);
  const Clock clock = steady_clock();
  const double begin = clock();
  const optim::StepReport report = experiment.step(batch, 0);
  const double seconds = clock() - begin;
  if (!report.finite) throw NumericalError("the first step is not finite (loss ", report.loss, ")");

  const double speed = static_cast<double>(batch.size()) / seconds;
  const double flop = 6.0 * static_cast<double>(summary.multiply_adds) * report.passes;
  terminal.result(text("dry run, nothing written\n", examples.set.name, ": ", grouped(examples.train->size()),
                       " training images ", examples.set.image, ", ", grouped(steps), " steps an epoch\n",
                       config.model.name, ": ", grouped(summary.parameters), " parameters, about ",
                       fixed(flop * 1e-6, 1), " MFLOP to train on an image\nfirst step: loss ",
                       fixed(report.loss, 4), ", ", report.passes, " passes, ", duration_text(seconds), " (",
                       fixed(speed, 0), " images/s before warming up)\n"));
  Json document;
  document.set("data", examples.set.name).set("images", examples.train->size()).set("steps_per_epoch", steps);
  document.set("model", config.model.name).set("parameters", summary.parameters).set("flop_per_image", flop);
  document.set("loss", recorded(report.loss)).set("passes", report.passes).set("seconds", seconds);
  terminal.result(document);
  return static_cast<int>(ExitCode::success);
}

/// A mistake in --init or --freeze shows before the run has a directory.
void check_start(const TrainConfig& config, const ImageSet& set) {
  if (config.run.resume || (config.model.init.empty() && config.model.freeze.empty())) return;
  ModelConfig blank = config.model;
  blank.init.clear();
  const auto model = build_model(blank, set.image, set.classes(), 0, config.device.dtype, /*blank=*/true);
  if (!config.model.init.empty())
    load_weights(config.model.init, *model,
                 {.head = nn::head_of(*model), .ignore_head = config.model.ignore_head, .read = false});
  freeze(entries_of(*model).parameters, patterns(config.model.freeze));
}

}  // namespace

int train_command(const TrainConfig& given, Terminal& terminal) {
  apply(given.device);
  // Before the run directory: missing data leave nothing behind.
  const Examples examples = load_examples(given.data, given.run.seed);
  const TrainConfig config = with_length(given, steps_per_epoch(given, examples));
  check_rules(config, steps_per_epoch(config, examples));
  check_start(config, examples.set);
  if (config.run.dry_run) return dry_run(config, examples, terminal);
  RunDirectory run(config, terminal);
  return run.session([&] { return TrainingRun(config, examples, run, terminal).run(); });
}

}  // namespace basin::apps
