// `basin eval`: trained weights on the test images, the same numbers as at the end of training.
#include <cmath>
#include <filesystem>

#include "apps/cli/command.h"
#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/cli/table.h"
#include "apps/config/device.h"
#include "apps/config/train_config.h"
#include "apps/evaluation/ensemble.h"
#include "apps/evaluation/mistakes.h"
#include "apps/options/period.h"
#include "apps/runs/members.h"
#include "apps/runs/run_config.h"
#include "apps/runs/weights_of_run.h"
#include "apps/training/loaded_run.h"
#include "apps/weights/weights.h"
#include "core/io/directory.h"

namespace basin::apps {
namespace {

/// Evaluates the members of `ensemble` if given, else `weights`: of the run in `run`, whose config.toml then
/// fills in data, model and device, or files. Of `data`, only where it is and workers count.
struct EvalConfig {
  std::string run;
  std::string weights;  // files, or what weights_file() knows of the run, between commas; empty: last
  bool calibration = false, confusion = false;
  std::string ensemble;  // a run, or its members/
  TrainConfig wanted;    // data, model, device, batches
};

/// What is asked of predictions beyond their tally.
struct Looks {
  bool calibration = false, confusion = false;
  bool any() const { return calibration || confusion; }
};

/// A row a class and one of all; and the same for programs, of the classes alone.
Table classes_table(const Tally& tally, const LoadedRun& run, Json& classes) {
  const ImageSet& set = run.data.set;
  Table table({{.title = "", .left = true}, {.title = "images"}, {.title = "correct"}, {.title = "%"}});
  classes = Json::Array{};
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
  return table;
}

/// Shows calibration and confusion, and adds them to the document.
void show_looks(const Looks& looks, const Predictions& predictions, const LoadedRun& run, Json& document,
                Terminal& terminal) {
  constexpr std::size_t kMostColumns = 20;
  if (looks.calibration) {
    const Calibration calibration = calibration_of(predictions);
    terminal.result("\n" + table_of(calibration).text(terminal.unicode()));
    terminal.result(text("\nexpected calibration error ", percent(calibration.expected_error, 2),
                         " %, Brier score ", fixed(calibration.brier, 4), "\n"));
    document.set("calibration", to_json(calibration));
  }
  if (!looks.confusion) return;
  const std::vector<std::string> names = run.logit_names();
  const std::vector<std::int64_t> counts = confusion_of(predictions);
  if (names.size() <= kMostColumns)
    terminal.result("\n" + confusion_table(counts, names).text(terminal.unicode()));
  terminal.result("\n" + mistakes_table(counts, names).text(terminal.unicode()));
  document.set("confusion", confusion_json(counts, names));
}

/// "fashion-mnist test: loss 0.4301, top-1 85.12 %, top-5 99.61 %".
std::string headline(const Tally& tally, const ImageSet& set) {
  return text("\n", set.name, " ", set.test_split, ": loss ", fixed(tally.loss(), 4), ", top-1 ",
              percent(tally.accuracy(), 2), " %, top-5 ", percent(tally.accuracy5(), 2), " %");
}

void add_figures(Json& document, const Tally& tally) {
  document.set("loss", recorded(tally.loss())).set("accuracy", recorded(tally.accuracy()));
  document.set("top5", recorded(tally.accuracy5()));
}

/// What was found has been shown; here it is judged. Errors: NumericalError for a loss that is not finite.
void expect_finite(const Tally& tally, const std::string& weights) {
  if (!std::isfinite(tally.loss()))
    throw NumericalError("[eval] the loss of ", weights, " is ", fixed(tally.loss(), 4),
                         ": the weights are finite, what they make of these images is not");
}

/// The weights of one file: the tally alone, or with what `looks` asks.
void evaluate_weights(const LoadedRun& run, const Looks& looks, Terminal& terminal) {
  const std::string& weights = run.files.front();
  const ImageSet& set = run.data.set;
  const Clock clock = steady_clock();
  const double begin = clock();
  const EvaluationOptions passes = run.passes("evaluating", terminal);
  Tally tally;
  Logits said;
  if (looks.any()) {
    said = logits_of(*run.model, run.data.test, run.logits, passes);
    tally = tally_of(said);
  } else {
    tally = evaluate(*run.model, run.data.test, run.logits, passes);
  }
  const double seconds = clock() - begin;
  terminal.repaint("");
  Json classes;
  terminal.result(classes_table(tally, run, classes).text(terminal.unicode()));
  terminal.result(text(headline(tally, set), "  (", weights, ", ",
                       fixed(ratio(static_cast<double>(tally.rows), seconds), 0), " images/s)\n"));
  Json document;
  document.set("data", set.name).set("split", set.test_split).set("weights", weights);
  document.set("images", tally.rows);
  add_figures(document, tally);
  document.set("seconds", seconds).set("classes", classes);
  if (looks.any())
    show_looks(looks, {.probabilities = probabilities_of(said.numbers), .labels = said.labels}, run, document,
               terminal);
  terminal.result(document);
  expect_finite(tally, weights);
}

/// Several weights of one network, a row each.
void evaluate_several(const LoadedRun& run, const std::vector<std::string>& names, const Looks& looks,
                      Terminal& terminal) {
  const ImageSet& set = run.data.set;
  Table table({{.title = "weights", .left = true},
               {.title = "loss"},
               {.title = "top-1 %"},
               {.title = "top-5 %"},
               {.title = "calibration error %"}});
  Json rows = Json::Array{};
  std::vector<Tally> tallies;
  for (std::size_t k = 0; k < run.files.size(); ++k) {
    const LoadReport loaded = load_weights(run.files[k], *run.model);
    if (loaded.converted > 0) terminal.note(text(run.files[k], "  ", in_words(loaded)));
    const Logits said =
        logits_of(*run.model, run.data.test, run.logits, run.passes("evaluating " + names[k], terminal));
    terminal.repaint("");
    const Tally& tally = tallies.emplace_back(tally_of(said));
    const Predictions predictions{.probabilities = probabilities_of(said.numbers), .labels = said.labels};
    const double error = calibration_of(predictions).expected_error;
    table.add({names[k], fixed(tally.loss(), 4), percent(tally.accuracy(), 2), percent(tally.accuracy5(), 2),
               percent(error, 2)});
    Json row;
    row.set("name", names[k]).set("weights", run.files[k]);
    add_figures(row, tally);
    row.set("calibration_error", recorded(error));
    if (looks.any()) terminal.result("\n" + names[k] + "\n");
    show_looks(looks, predictions, run, row, terminal);
    rows.append(std::move(row));
  }
  terminal.result((looks.any() ? "\n" : "") + table.text(terminal.unicode()));
  terminal.result(
      text("\n", set.name, " ", set.test_split, ": ", grouped(run.data.test->size()), " images\n"));
  Json document;
  document.set("data", set.name).set("split", set.test_split).set("images", run.data.test->size());
  document.set("rows", std::move(rows));
  terminal.result(document);
  for (std::size_t k = 0; k < tallies.size(); ++k) expect_finite(tallies[k], run.files[k]);
}

/// The members of an ensemble, together and one by one.
void evaluate_members(const LoadedRun& run, const std::string& directory, const Looks& looks,
                      Terminal& terminal) {
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
  terminal.result(text(headline(all, set), "  (", members.size(), " members of ", directory, ")\n"));
  Json document = to_json(report);
  document.set("data", set.name).set("split", set.test_split).set("images", all.rows);
  document.set("seconds", clock() - begin);
  show_looks(looks, report.together, run, document, terminal);
  terminal.result(document);
  for (std::size_t k = 0; k < members.size(); ++k) expect_finite(report.own[k], members[k]);
  expect_finite(all, directory);
}

class EvalCall : public Call {
 public:
  void options(OptionTable& t) override {
    t.group("weights", "What is evaluated");
    t.add_call("run", free_text(config_.run, "DIR", "a directory"),
               "evaluate the final weights of the run in DIR, with its data, model and device")
        .aliases = {"run-dir"};
    t.add_call(
         "weights", free_text(config_.weights, "LIST", "files, or of a run last, swa, ema or member:N"),
         "evaluate the weights in this safetensors or npz file, with --model and --data; with --run "
         "last, swa, ema, member:N or a file, in place of the last; several between commas are a row each "
         "of one table")
        .aliases = {"checkpoint", "init"};
    t.add_call("ensemble", free_text(config_.ensemble, "DIR", "a directory"),
               "evaluate the members of the run in DIR (DIR/members), together and one by one");
    t.group("looks", "What else is shown");
    t.add_call(
        "calibration", toggle(config_.calibration),
        "how often the network is right by how sure it is, with the expected calibration error and the "
        "Brier score");
    t.add_call(
        "confusion", toggle(config_.confusion),
        "which class is taken for which: the matrix (of more than 20 classes with --json only) and the "
        "most frequent mistakes");
    add_evaluated(t, config_.wanted, "images");
    add(t, output_);
    add_progress(t, output_);
  }

  std::string build_on(OptionTable& table, const std::vector<std::string>&) override {
    if (config_.run.empty() && config_.weights.empty() && config_.ensemble.empty())
      throw UsageError(
          "nothing to evaluate: give --run DIR, --ensemble DIR, or --weights FILE with --model and "
          "--data");
    if (!config_.ensemble.empty() && !(config_.run.empty() && config_.weights.empty()))
      throw UsageError("--ensemble excludes --run and --weights: its members are the weights");
    const std::string run = config_.ensemble.empty() ? config_.run : run_of_members();
    if (!run.empty()) take_from_run(table, run);
    return run;
  }

  void check(const OptionTable& table, const std::vector<std::string>&) override {
    if (config_.weights.empty() || !config_.run.empty()) return;
    for (const char* flag : {"model", "data"}) {
      if (table.by_flag(flag)->source == Source::standard)
        throw UsageError("--weights needs --", flag, " NAME too");
    }
  }

  ExitCode run(Terminal& terminal) override {
    apply(config_.wanted.device);
    const bool ensemble = !config_.ensemble.empty();
    const Looks looks{config_.calibration, config_.confusion};
    std::vector<std::string> names, files;
    if (ensemble)
      files = list_members(config_.ensemble);
    else
      for (const std::string& which : names = which_weights()) files.push_back(file_of(which));
    const bool one = !ensemble && files.size() == 1;
    const LoadedRun run = one ? load_run(config_.wanted, files.front(), terminal)
                              : load_ensemble(config_.wanted, files, terminal);
    try {
      if (ensemble)
        evaluate_members(run, config_.ensemble, looks, terminal);
      else if (one)
        evaluate_weights(run, looks, terminal);
      else
        evaluate_several(run, names, looks, terminal);
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

  /// The words of --weights: a file whose name has a comma is one.
  std::vector<std::string> which_weights() const {
    if (config_.weights.empty()) return {"last"};
    if (kind_of_file(config_.weights) != FileKind::none) return {config_.weights};
    std::vector<std::string> all;
    for (const std::string_view word : split(config_.weights, ',')) {
      if (word.empty())
        throw UsageError("--weights ", quote(config_.weights), " names nothing between two commas");
      all.emplace_back(word);
    }
    return all;
  }

  std::string file_of(const std::string& which) const {
    if (config_.weights.empty()) return config_.run + "/final.safetensors";
    return weights_file("eval", config_.run, which);
  }

  EvalConfig config_;
};

}  // namespace

Command eval_command() {
  return {"eval", "--run DIR [--weights LIST] | --ensemble DIR | --weights LIST [options]",
          "loss and accuracy of trained weights on the test images", 0, make_call<EvalCall>};
}

}  // namespace basin::apps
