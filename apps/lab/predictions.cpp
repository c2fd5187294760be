#include "apps/lab/predictions.h"

#include <algorithm>
#include <cmath>

#include "apps/cli/format.h"
#include "apps/cli/long_work.h"
#include "apps/lab/answer.h"
#include "apps/lab/subject.h"
#include "apps/runs/lab_directory.h"
#include "apps/runs/run_config.h"
#include "core/io/directory.h"
#include "core/io/hash.h"

namespace basin::apps {
namespace {

constexpr std::size_t kMostClasses = 200;  // in a matrix; of more it would be larger than the page

/// Wilson's interval of 95 % for `correct` of n: (p + z^2/2n ± z sqrt(p (1 - p) / n + z^2/4n^2)) / (1 +
/// z^2/n).
std::pair<double, double> interval(double correct, double n) {
  const double z = 1.959963984540054, p = correct / n, whole = 1 + z * z / n;
  const double middle = (p + z * z / (2 * n)) / whole;
  const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / whole;
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

Plot reliability(const Calibration& calibration) {
  Curve found{.label = "accuracy, with 95 % intervals", .points = {}};
  for (const ConfidenceBin& bin : calibration.bins) {
    if (bin.rows == 0) continue;
    found.points.emplace_back(bin.confidence(), bin.accuracy());
    found.bounds.push_back(interval(static_cast<double>(bin.correct), static_cast<double>(bin.rows)));
  }
  const Curve ideal{.label = "as often as it says", .points = {{0, 0}, {1, 1}}, .dashed = true};
  return {
      .title = text("Reliability: expected calibration error ", percent(calibration.expected_error, 2), " %"),
      .x_label = "confidence",
      .y_label = "accuracy",
      .curves = {found, ideal}};
}

FigureTable bins_table(const Calibration& calibration) {
  FigureTable table{.title = "Images by confidence",
                    .columns = {"confidence", "images", "mean confidence", "accuracy"},
                    .rows = {}};
  for (const ConfidenceBin& bin : calibration.bins) {
    if (bin.rows == 0) continue;
    table.rows.push_back({fixed(bin.low, 3) + " to " + fixed(bin.high, 3), grouped(bin.rows),
                          fixed(bin.confidence(), 4), fixed(bin.accuracy(), 4)});
  }
  return table;
}

FigureTable mistakes_table(const std::vector<std::int64_t>& counts, const std::vector<std::string>& names) {
  FigureTable table{
      .title = "Most frequent mistakes", .columns = {"label", "predicted", "images"}, .rows = {}};
  const std::size_t n = names.size();
  for (const std::size_t i : frequent_mistakes(counts, n))
    table.rows.push_back({names[i / n], names[i % n], grouped(counts[i])});
  return table;
}

/// Whether the answer is there, of these weights.
bool is_answered(const std::string& run, const std::string& sha256) {
  const std::string path = lab_directory(run) + "/predictions";
  if (kind_of_file(path + "/answer.json") != FileKind::regular) return false;
  const Json question = read_answer(path).question;
  const Json* statement = question.find("statement");
  const Json* of = statement ? statement->find("weights_sha256") : nullptr;
  return of && of->is_string() && of->string() == sha256;
}

}  // namespace

std::vector<Figure> prediction_figures(const Predictions& predictions,
                                       const std::vector<std::string>& names) {
  const Calibration calibration = calibration_of(predictions);
  const std::vector<std::int64_t> counts = confusion_of(predictions);
  std::vector<Figure> figures;
  if (names.size() <= kMostClasses)
    figures.push_back({"confusion", CountMatrix{.title = "Confusion matrix",
                                                .row_label = "label",
                                                .column_label = "predicted",
                                                .names = names,
                                                .counts = counts}});
  figures.push_back({"reliability", reliability(calibration)});
  figures.push_back({"calibration", bins_table(calibration)});
  figures.push_back({"mistakes", mistakes_table(counts, names)});
  return figures;
}

void answer_predictions(const std::string& run, const PredictionsConfig& config, Terminal& terminal) {
  if (is_answered(run, sha256_file(weights_file("report", run, "last")))) return;
  const TrainConfig trained = read_run_config(run);
  SubjectConfig asked{.run = run,
                      .data = trained.data,
                      .model = trained.model,
                      .device = config.device,
                      .split = Split::test};
  if (!config.data_dir.empty()) asked.data.dir = config.data_dir;
  const Subject subject = open_subject(asked, terminal);
  const Answer answer({}, lab_directory(run), "predictions", Json::Object{{"statement", subject.statement}});
  if (answer.earlier()) return;
  const LongWork work(terminal);
  EvaluationOptions passes = evaluation_options(subject.run.config);
  passes.watch = work.part("evaluating " + run, "images");
  const Predictions said = predict(*subject.run.model, subject.examples, subject.run.logits, passes);
  work.done();
  const Calibration calibration = calibration_of(said);
  const Tally tally = tally_of(said.probabilities, said.labels);
  Json result;
  result.set("images", tally.rows).set("loss", recorded(tally.loss())).set("accuracy", tally.accuracy());
  result.set("expected_calibration_error", recorded(calibration.expected_error));
  result.set("brier", recorded(calibration.brier));
  answer.write(result, prediction_figures(said, subject.run.logit_names()));
}

}  // namespace basin::apps
