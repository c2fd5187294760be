// `basin eval`: trained weights on the test images, the same numbers as at the end of training.
#include <cmath>

#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/period.h"
#include "apps/cli/signals.h"
#include "apps/cli/table.h"
#include "apps/commands/commands.h"
#include "apps/runs/members.h"
#include "apps/training/ensemble.h"
#include "apps/training/loaded_run.h"

namespace basin::apps {
namespace {

void show(const Tally& tally, const LoadedRun& run, const std::string& weights, double seconds,
          Terminal& terminal) {
  const ImageSet& set = run.data.set;
  Table table({{.title = "", .left = true}, {.title = "images"}, {.title = "correct"}, {.title = "%"}});
  Json classes = Json::Array{};
  const auto fraction = [](std::int64_t part, std::int64_t all) {
    return ratio(static_cast<double>(part), static_cast<double>(all));
  };
  for (std::size_t k = 0; k < set.class_names.size(); ++k) {
    const auto place = static_cast<std::size_t>(run.match.place[k]);
    const std::int64_t rows = tally.class_rows[place], correct = tally.class_correct[place];
    table.add({set.class_names[k], grouped(rows), grouped(correct), percent(fraction(correct, rows), 2)});
    Json entry;
    entry.set("name", set.class_names[k]).set("images", rows).set("correct", correct);
    classes.append(entry);
  }
  table.add({"all", grouped(tally.rows), grouped(tally.correct), percent(tally.accuracy(), 2)});
  const double speed = ratio(static_cast<double>(tally.rows), seconds);
  terminal.result(table.text(terminal.unicode()));
  terminal.result(text("\n", set.name, " ", set.test_split, ": loss ", fixed(tally.loss(), 4), ", top-1 ",
                       percent(tally.accuracy(), 2), " %, top-5 ", percent(tally.accuracy5(), 2), " %  (",
                       weights, ", ", fixed(speed, 0), " images/s)\n"));
  Json document;
  document.set("data", set.name)
      .set("split", set.test_split)
      .set("weights", weights)
      .set("images", tally.rows);
  document.set("loss", recorded(tally.loss()))
      .set("accuracy", recorded(tally.accuracy()))
      .set("top5", recorded(tally.accuracy5()));
  document.set("seconds", seconds).set("classes", classes);
  terminal.result(document);
}

/// What was found has been shown; here it is judged. Errors: NumericalError for a loss that is not finite.
void expect_finite(const Tally& tally, const std::string& weights) {
  if (!std::isfinite(tally.loss()))
    throw NumericalError("[eval] the loss of ", weights, " is ", fixed(tally.loss(), 4),
                         ": the weights are finite, what they make of these images is not");
}

/// The weights of a file or of a run.
void evaluate_weights(const LoadedRun& run, Terminal& terminal) {
  const std::string& weights = run.files.front();
  const Clock clock = steady_clock();
  const double begin = clock();
  const Tally tally = evaluate(*run.model, run.data.test, run.logits, run.passes("evaluating", terminal));
  terminal.repaint("");
  show(tally, run, weights, clock() - begin, terminal);
  expect_finite(tally, weights);
}

/// The members of an ensemble, together and one by one.
void evaluate_members(const LoadedRun& run, const std::string& directory, Terminal& terminal) {
  const ImageSet& set = run.data.set;
  const std::vector<std::string>& members = run.files;
  const Clock clock = steady_clock();
  const double begin = clock();
  const EnsembleReport report =
      evaluate_ensemble(*run.model, members, run.data.test, run.logits,
                        run.passes(text("evaluating ", members.size(), " members"), terminal));
  terminal.repaint("");
  const Tally& all = report.first.back();
  terminal.result(table_of(report).text(terminal.unicode()));
  terminal.result(text("\n", set.name, " ", set.test_split, ": loss ", fixed(all.loss(), 4), ", top-1 ",
                       percent(all.accuracy(), 2), " %, top-5 ", percent(all.accuracy5(), 2), " %  (",
                       members.size(), " members of ", directory, ")\n"));
  Json document = to_json(report);
  document.set("data", set.name).set("split", set.test_split).set("images", all.rows);
  document.set("seconds", clock() - begin);
  terminal.result(document);
  for (std::size_t k = 0; k < members.size(); ++k) expect_finite(report.own[k], members[k]);
  expect_finite(all, directory);
}

}  // namespace

int eval_command(const EvalConfig& config, Terminal& terminal) {
  apply(config.device);
  TrainConfig wanted;
  wanted.data = config.data;
  wanted.model = config.model;
  wanted.device = config.device;
  wanted.schedule.batch_size = config.batch_size;
  const bool ensemble = !config.ensemble.empty();
  const LoadedRun run =
      ensemble ? load_ensemble(wanted, list_members(config.ensemble), terminal)
               : load_run(wanted, config.weights.empty() ? config.run + "/final.safetensors" : config.weights,
                          terminal);
  try {
    if (ensemble)
      evaluate_members(run, config.ensemble, terminal);
    else
      evaluate_weights(run, terminal);
  } catch (const InterruptedError&) {
    terminal.note("interrupted");
    return interruption_exit_code();
  }
  return static_cast<int>(ExitCode::success);
}

}  // namespace basin::apps
