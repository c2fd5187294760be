// `basin eval`: trained weights on the test images, the same numbers as at the end of training.
#include <cmath>

#include "apps/commands.h"
#include "apps/ensemble.h"
#include "apps/evaluation.h"
#include "apps/experiment.h"
#include "apps/format.h"
#include "apps/long_loop.h"
#include "apps/pulse.h"
#include "apps/signals.h"
#include "apps/table.h"
#include "apps/training_run.h"
#include "apps/weights.h"
#include "core/parallel.h"

namespace basin::apps {
namespace {

struct Interrupted {};

void show(const Tally& tally, const ImageSet& set, const std::string& weights, double seconds,
          Terminal& terminal) {
  Table table({{.title = "", .left = true}, {.title = "images"}, {.title = "correct"}, {.title = "%"}});
  Json classes = Json::Array{};
  const auto fraction = [](std::int64_t part, std::int64_t all) {
    return ratio(static_cast<double>(part), static_cast<double>(all));
  };
  for (std::size_t k = 0; k < tally.class_rows.size(); ++k) {
    const double share = fraction(tally.class_correct[k], tally.class_rows[k]);
    table.add({set.class_names[k], grouped(tally.class_rows[k]), grouped(tally.class_correct[k]),
               percent(share, 2)});
    Json entry;
    entry.set("name", set.class_names[k])
        .set("images", tally.class_rows[k])
        .set("correct", tally.class_correct[k]);
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
void evaluate_weights(const EvalConfig& config, nn::Module& model, const Examples& examples,
                      Terminal& terminal) {
  const std::string weights = config.weights.empty() ? config.run + "/final.safetensors" : config.weights;
  load_weights(weights, model);
  const Clock clock = steady_clock();
  const double begin = clock();
  const Tally tally =
      evaluate(model, examples.test, examples.set.classes(), config.batch_size,
               static_cast<int>(config.data.workers), config.device.dtype, [&](std::int64_t rows) {
                 if (interruption_requested()) throw Interrupted{};
                 terminal.repaint(text("evaluating ", rows, "/", examples.test->size()));
               });
  terminal.repaint("");
  show(tally, examples.set, weights, clock() - begin, terminal);
  expect_finite(tally, weights);
}

/// The members of an ensemble, together and one by one.
void evaluate_members(const EvalConfig& config, nn::Module& model, const Examples& examples,
                      Terminal& terminal) {
  const ImageSet& set = examples.set;
  const std::vector<std::string> members = list_members(config.ensemble);
  const Clock clock = steady_clock();
  const double begin = clock();
  const EnsembleReport report = evaluate_ensemble(
      model, members, examples.test, set.classes(), config.batch_size, static_cast<int>(config.data.workers),
      config.device.dtype, [&](std::size_t member, std::int64_t rows) {
        if (interruption_requested()) throw Interrupted{};
        terminal.repaint(
            text("member ", member + 1, " of ", members.size(), ": ", rows, "/", examples.test->size()));
      });
  terminal.repaint("");
  const Tally& all = report.first.back();
  terminal.result(table_of(report).text(terminal.unicode()));
  terminal.result(text("\n", set.name, " ", set.test_split, ": loss ", fixed(all.loss(), 4), ", top-1 ",
                       percent(all.accuracy(), 2), " %, top-5 ", percent(all.accuracy5(), 2), " %  (",
                       members.size(), " members of ", config.ensemble, ")\n"));
  Json document = to_json(report);
  document.set("data", set.name).set("split", set.test_split).set("images", all.rows);
  document.set("seconds", clock() - begin);
  terminal.result(document);
  for (std::size_t k = 0; k < members.size(); ++k) expect_finite(report.own[k], members[k]);
  expect_finite(all, config.ensemble);
}

}  // namespace

int eval_command(const EvalConfig& config, Terminal& terminal) {
  apply(config.device);
  DataConfig wanted = config.data;
  wanted.augment = "none";
  const Examples examples = load_examples(wanted, 0, {.watch = watches(terminal)});
  terminal.repaint("");
  tell(examples, terminal);
  const auto model = build_model(config.model, examples.set.image, examples.set.classes(), 0,
                                 config.device.dtype, /*blank=*/true);
  try {
    if (config.ensemble.empty())
      evaluate_weights(config, *model, examples, terminal);
    else
      evaluate_members(config, *model, examples, terminal);
  } catch (const Interrupted&) {
    terminal.repaint("");
    terminal.note("interrupted");
    return interruption_exit_code();
  }
  return static_cast<int>(ExitCode::success);
}

}  // namespace basin::apps
