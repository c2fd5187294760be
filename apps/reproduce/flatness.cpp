#include "apps/reproduce/flatness.h"

#include <algorithm>
#include <cmath>

#include "apps/cli/format.h"
#include "apps/lab/answer.h"
#include "apps/reproduce/findings.h"
#include "apps/statistics/comparison.h"
#include "apps/statistics/rank_correlation.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"

namespace basin::apps {
namespace {

/// The directory of a run's answers for that row.
std::string place_of(const std::string& out, const StudyRun& run, const StudyRow& row) {
  return out + "/flatness/" + run.name + (row.weights == "last" ? "" : "-" + row.weights);
}

bool is_one_set(const StudyRow& row) { return row.weights != "ensemble"; }

/// The commands that answer, by the name of their directory. sharpness has to have some m: the largest is the
/// cheapest.
std::vector<std::pair<std::string, std::vector<std::string>>> questions(const StudyFlatness& wanted) {
  const std::string images = std::to_string(wanted.images), rho = significant(wanted.rho, 6);
  return {
      {"hessian",
       {"--images", images, "--top", "1", "--tolerance", "0.02", "--trace-products", "30", "--no-density"}},
      {"sharpness",
       {"--images", images, "--rho", rho, "--steps", "5", "--starts", "2", "--draws", "2", "--m", images,
        "--micro-batches", "1"}}};
}

/// The answer in that directory. Errors: UsageError where it isn't to what is wanted.
Json answer_in(const std::string& directory, const StudyFlatness& wanted) {
  const FoundAnswer answer = read_answer(directory);
  const Json* rho = answer.question.find("rho");
  if (answer.question.at("measured").at("images").integer() != wanted.images ||
      (rho && rho->array().at(0).number() != wanted.rho))
    throw UsageError(directory, " holds the answer to another question: name another --out");
  return answer.result;
}

RunFlatness read(const std::string& place, const StudyFlatness& wanted) {
  const Json hessian = answer_in(place + "/hessian", wanted), near = answer_in(place + "/sharpness", wanted);
  const double loss = recorded_number(hessian.at("loss")),
               largest = recorded_number(hessian.at("top").array().at(0).at("value"));
  const Json& radius = near.at("rho").array().at(0);
  return {.loss = loss,
          .values = {largest, recorded_number(hessian.at("trace").at("value")), largest / loss,
                     recorded_number(radius.at("r0")), recorded_number(radius.at("r1"))}};
}

/// 0.0123, 1.23, 123, 12345.
std::string short_number(double x) { return std::abs(x) >= 1000 ? fixed(x, 0) : significant(x, 3); }

std::string mean_and_deviation(const std::vector<double>& sample) {
  const double spread = deviation(sample);
  return short_number(mean_interval(sample).mean) + (std::isnan(spread) ? "" : " ± " + short_number(spread));
}

/// In the order of the runs.
template <class Value>
std::vector<double> numbers(const std::vector<RunFlatness>& all, const std::string& row, Value value) {
  std::vector<double> sample;
  for (const RunFlatness& f : all)
    if (row.empty() || f.row == row) sample.push_back(value(f));
  return sample;
}

double accuracy_of(const RunFlatness& f) { return f.test_accuracy; }

const char* is_flatter_better(double tau, double holm, bool tested) {
  if (!tested || std::isnan(holm)) return in_words(Verdict::not_tested);
  if (holm >= kLevel) return in_words(Verdict::not_shown);
  return tau < 0 ? "yes" : "no, the sharper";
}

}  // namespace

const std::vector<std::string>& flatness_measures() {
  static const std::vector<std::string> names = {"lambda_max", "trace", "lambda_max / loss", "R0", "R1"};
  return names;
}

std::vector<RunFlatness> measured_flatness(const Study& study, const StudyFlatness& wanted,
                                           const std::vector<StudyRun>& runs, const std::string& out,
                                           const StudyMaking& making, Terminal& terminal) {
  std::vector<Job> missing;
  std::int64_t done = 0;
  for (const StudyRun& run : runs) {
    for (const StudyRow& row : study.rows) {
      if (study.runs_of(row) != run.row || !is_one_set(row)) continue;
      const std::string place = place_of(out, run, row);
      for (const auto& [command, options] : questions(wanted)) {
        if (kind_of_file(place + "/" + command + "/answer.json") != FileKind::none) {
          ++done;
          continue;
        }
        std::vector<std::string> words = {command, out + "/runs/" + run.name, "--weights", row.weights,
                                          "--out", place + "/" + command};
        words.insert(words.end(), options.begin(), options.end());
        make_directory(place);
        missing.push_back({.name = text(command, " of ", run.name),
                           .words = [words] { return words; },
                           .path = place + "/" + command});
      }
    }
  }
  run_jobs(missing, "flatness", done, making, terminal);

  const StudyRuns results(out, "runs");
  std::vector<RunFlatness> all;
  for (const StudyRow& row : study.rows) {
    for (const StudyRun& run : runs) {
      if (study.runs_of(row) != run.row || !is_one_set(row)) continue;
      RunFlatness one = read(place_of(out, run, row), wanted);
      one.row = row.id;
      one.seed = run.seed;
      one.test_accuracy = results.result(run, row.weights)->test_accuracy;
      all.push_back(std::move(one));
    }
  }
  return all;
}

FigureTable flatness_table(const Study& study, const StudyFlatness& wanted,
                           const std::vector<RunFlatness>& all) {
  const std::string rho = "(" + significant(wanted.rho, 6) + ")";
  FigureTable table{.title = "Flatness in which training ended, mean ± deviation",
                    .columns = {"row", "test %", "loss", "lambda_max", "trace", "lambda_max / loss",
                                "R0" + rho, "R1" + rho}};
  for (const StudyRow& row : study.rows) {
    if (!is_one_set(row)) continue;
    std::vector<std::string> cells = {row.name,
                                      fixed(mean_interval(numbers(all, row.id, accuracy_of)).mean, 2)};
    cells.push_back(mean_and_deviation(numbers(all, row.id, [](const RunFlatness& f) { return f.loss; })));
    for (std::size_t m = 0; m < flatness_measures().size(); ++m)
      cells.push_back(
          mean_and_deviation(numbers(all, row.id, [m](const RunFlatness& f) { return f.values[m]; })));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

FigureTable flatness_ranks(const Study& study, const StudyScale& scale, const std::vector<RunFlatness>& all) {
  FigureTable table{.title = "Are the flatter runs the better ones? Kendall's tau with test accuracy",
                    .columns = {"measure", "all runs: tau", "Holm p", "flatter is better", "within rows: tau",
                                "Holm p", "flatter is better"}};
  std::vector<std::int64_t> group;
  for (const RunFlatness& f : all)
    group.push_back(std::find_if(study.rows.begin(), study.rows.end(),
                                 [&](const StudyRow& row) { return row.id == f.row; }) -
                    study.rows.begin());
  const std::vector<double> accuracy = numbers(all, "", accuracy_of);
  struct Ranks {
    std::vector<double> tau{}, p{};
  };
  Ranks over_all, within;
  for (std::size_t m = 0; m < flatness_measures().size(); ++m) {
    const std::vector<double> values = numbers(all, "", [m](const RunFlatness& f) { return f.values[m]; });
    over_all.tau.push_back(kendall_tau(values, accuracy));
    over_all.p.push_back(kendall_p(values, accuracy));
    within.tau.push_back(kendall_tau(values, accuracy, group));
    within.p.push_back(kendall_p(values, accuracy, group));
  }
  over_all.p = holm(over_all.p);
  within.p = holm(within.p);
  for (std::size_t m = 0; m < flatness_measures().size(); ++m) {
    std::vector<std::string> cells = {flatness_measures()[m]};
    for (const Ranks* ranks : {&over_all, &within})
      cells.insert(cells.end(), {number_or_dash(ranks->tau[m], 2), chance(ranks->p[m]),
                                 is_flatter_better(ranks->tau[m], ranks->p[m], scale.claims())});
    table.rows.push_back(std::move(cells));
  }
  return table;
}

FigureTable flatness_of_runs(const Study& study, const std::vector<RunFlatness>& all) {
  FigureTable table{.title = "Flatness, each run", .columns = {"row", "seed", "test %", "loss"}};
  table.columns.insert(table.columns.end(), flatness_measures().begin(), flatness_measures().end());
  for (const RunFlatness& f : all) {
    std::vector<std::string> cells = {study.row(f.row).name, std::to_string(f.seed),
                                      fixed(f.test_accuracy, 2), short_number(f.loss)};
    for (const double x : f.values) cells.push_back(short_number(x));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace basin::apps
