// `basin eval`: trained weights on the test images, the same numbers as at the end of training.
#include <cmath>
#include <filesystem>

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/table.h"
#include "apps/config/data.h"
#include "apps/config/device.h"
#include "apps/config/model.h"
#include "apps/evaluation/ensemble.h"
#include "apps/options/period.h"
#include "apps/runs/members.h"
#include "apps/runs/run_config.h"
#include "apps/training/loaded_run.h"

namespace basin::apps {
namespace {

/// Evaluates `weights` or the members of `ensemble` if given, else the weights of the run in `run`, whose
/// config.toml then fills in data, model and device. Of `data`, only where it is and workers count.
struct EvalConfig {
  std::string run;
  std::string weights;
  std::string ensemble;  // a run, or its members/
  DataConfig data;
  ModelConfig model;
  std::int64_t batch_size = 128;
  DeviceConfig device;
};

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

class EvalCall : public Call {
 public:
  void options(OptionTable& t) override {
    t.group("weights", "What is evaluated (one of the three)");
    t.add_call("run", free_text(config_.run, "DIR", "a directory"),
               "evaluate the final weights of the run in DIR, with its data, model and device")
        .aliases = {"run-dir"};
    t.add_call("weights", free_text(config_.weights, "FILE", "a file"),
               "evaluate the weights in this safetensors or npz file; needs --model and --data")
        .aliases = {"checkpoint", "init"};
    t.add_call("ensemble", free_text(config_.ensemble, "DIR", "a directory"),
               "evaluate the members of the run in DIR (DIR/members), together and one by one");
    t.group("data", "Data");
    add_source(t, config_.data);
    add_workers(t, config_.data);
    add_network(t, config_.model);
    t.group("schedule", "Work");
    t.add("batch-size", "batch_size", whole(config_.batch_size, 1, 1'000'000),
          "images in a pass (never changes a result)");
    add(t, config_.device);
    add(t, output_);
    add_progress(t, output_);
  }

  std::string build_on(OptionTable& table, const std::vector<std::string>&) override {
    const int given = !config_.run.empty() + !config_.weights.empty() + !config_.ensemble.empty();
    if (given != 1) {
      throw UsageError(given == 0 ? "nothing to evaluate: give --run DIR, --ensemble DIR, or --weights FILE "
                                    "with --model and --data"
                                  : "--run, --ensemble and --weights exclude each other");
    }
    const std::string run = config_.ensemble.empty() ? config_.run : run_of_members();
    if (!run.empty()) take_from_run(table, run);
    return run;
  }

  void check(const OptionTable& table, const std::vector<std::string>&) override {
    if (config_.weights.empty()) return;
    for (const char* flag : {"model", "data"}) {
      if (table.by_flag(flag)->source == Source::standard)
        throw UsageError("--weights needs --", flag, " NAME too");
    }
  }

  ExitCode run(Terminal& terminal) override {
    apply(config_.device);
    TrainConfig wanted;
    wanted.data = config_.data;
    wanted.model = config_.model;
    wanted.device = config_.device;
    wanted.schedule.batch_size = config_.batch_size;
    const bool ensemble = !config_.ensemble.empty();
    const std::string weights =
        config_.weights.empty() ? config_.run + "/final.safetensors" : config_.weights;
    const LoadedRun run = ensemble ? load_ensemble(wanted, list_members(config_.ensemble), terminal)
                                   : load_run(wanted, weights, terminal);
    try {
      if (ensemble)
        evaluate_members(run, config_.ensemble, terminal);
      else
        evaluate_weights(run, terminal);
    } catch (const InterruptedError& signal) {
      terminal.note("interrupted");
      return signal.code();
    }
    return ExitCode::success;
  }

 private:
  /// The directory of the run that the members belong to.
  std::string run_of_members() const {
    std::filesystem::path directory(config_.ensemble);
    if (!directory.has_filename()) directory = directory.parent_path();
    return directory.filename() == "members" ? (directory / "..").lexically_normal().string()
                                             : config_.ensemble;
  }

  EvalConfig config_;
};

}  // namespace

Command eval_command() {
  return {"eval", "--run DIR | --ensemble DIR | --weights FILE [options]",
          "loss and accuracy of trained weights on the test images", 0, make_call<EvalCall>};
}

}  // namespace basin::apps
