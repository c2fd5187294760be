// `basin eval`: trained weights on the test images, the same numbers as at the end of training.
#include <cmath>
#include <filesystem>

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/period.h"
#include "apps/cli/signals.h"
#include "apps/cli/table.h"
#include "apps/config/data.h"
#include "apps/config/device.h"
#include "apps/config/model.h"
#include "apps/runs/class_match.h"
#include "apps/runs/members.h"
#include "apps/runs/run_config.h"
#include "apps/runs/weights.h"
#include "apps/training/ensemble.h"
#include "apps/training/evaluation.h"
#include "apps/training/experiment.h"
#include "apps/training/training_run.h"
#include "core/parallel.h"

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

/// What is evaluated on what, and how the labels of the data read among the logits of the weights.
struct Subject {
  std::vector<std::string> files;  // of weights: one, or the members of an ensemble
  RunData data;                    // with labels as the weights count
  ClassMatch match;
  std::int64_t logits = 0;
};

void show(const Tally& tally, const Subject& subject, const std::string& weights, double seconds,
          Terminal& terminal) {
  const ImageSet& set = subject.data.set;
  Table table({{.title = "", .left = true}, {.title = "images"}, {.title = "correct"}, {.title = "%"}});
  Json classes = Json::Array{};
  const auto fraction = [](std::int64_t part, std::int64_t all) {
    return ratio(static_cast<double>(part), static_cast<double>(all));
  };
  for (std::size_t k = 0; k < set.class_names.size(); ++k) {
    const auto place = static_cast<std::size_t>(subject.match.place[k]);
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

/// Opens the weights, then the data with the normalisation that the weights were trained with. Says what
/// differs and may. Errors: CheckpointError for weights of another model or other classes.
Subject subject_of(const EvalConfig& config, Terminal& terminal) {
  Subject subject;
  if (!config.ensemble.empty())
    subject.files = list_members(config.ensemble);
  else
    subject.files = {config.weights.empty() ? config.run + "/final.safetensors" : config.weights};
  const Identity weights = common_identity(subject.files);
  DataConfig wanted = config.data;
  wanted.augment = "none";
  subject.data = load_run_data(
      wanted, 0, {.watch = LongWork(terminal).parts(), .normalisation = {weights.mean, weights.deviation}});
  terminal.repaint("");
  tell(subject.data, terminal);
  const ImageSet& set = subject.data.set;
  const Identity own = identity_of(config.model, set);
  const std::string& path = subject.files.front();
  for (const std::string& line : expect_same_network(path, weights, own)) terminal.note(line);
  if (!set.own_normalisation)
    terminal.note(text("images are normalised as in the training of ", path, ", not as ", set.name, " is"));
  subject.match = match_classes(path, weights, own, "");
  if (!subject.match.words.empty()) terminal.note(subject.match.words);
  subject.logits = subject.match.in_order ? own.classes : weights.classes;
  if (!subject.match.in_order) subject.data.test = relabelled(subject.data.test, subject.match.place);
  return subject;
}

EvaluationOptions passes(const EvalConfig& config, const std::string& what, Terminal& terminal) {
  return {.batch_size = config.batch_size,
          .workers = static_cast<int>(config.data.workers),
          .dtype = config.device.dtype,
          .watch = LongWork(terminal).part(what, "images")};
}

/// The weights of a file or of a run.
void evaluate_weights(const EvalConfig& config, nn::Module& model, const Subject& subject,
                      Terminal& terminal) {
  const std::string& weights = subject.files.front();
  const RunData& data = subject.data;
  const LoadReport loaded =
      load_weights(weights, entries_of(model), {.wanted = identity_of(config.model, data.set)});
  if (loaded.converted > 0) terminal.note(text(weights, "  ", in_words(loaded)));
  const Clock clock = steady_clock();
  const double begin = clock();
  const Tally tally = evaluate(model, data.test, subject.logits, passes(config, "evaluating", terminal));
  terminal.repaint("");
  show(tally, subject, weights, clock() - begin, terminal);
  expect_finite(tally, weights);
}

/// The members of an ensemble, together and one by one.
void evaluate_members(const EvalConfig& config, nn::Module& model, const Subject& subject,
                      Terminal& terminal) {
  const RunData& data = subject.data;
  const ImageSet& set = data.set;
  const std::vector<std::string>& members = subject.files;
  const Clock clock = steady_clock();
  const double begin = clock();
  const EnsembleReport report =
      evaluate_ensemble(model, members, data.test, subject.logits,
                        passes(config, text("evaluating ", members.size(), " members"), terminal));
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

  std::string build_on(OptionTable& table) override {
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
    const Subject subject = subject_of(config_, terminal);
    const auto model = build_model(config_.model, subject.data.set.image, subject.logits, 0,
                                   config_.device.dtype, /*blank=*/true);
    try {
      if (config_.ensemble.empty())
        evaluate_weights(config_, *model, subject, terminal);
      else
        evaluate_members(config_, *model, subject, terminal);
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
