// What the runs of a study come to: means, tests of its claims, the tables that say so.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/report/figure.h"
#include "apps/reproduce/study.h"
#include "apps/statistics/comparison.h"
#include "apps/statistics/statistics.h"

namespace basin::apps {

/// Test accuracies in percent by row, in the order of the seeds, of each row as many.
using StudySamples = std::map<std::string, std::vector<double>>;

/// The chance of an error at which a claim counts as shown.
constexpr double kLevel = 0.05;

enum class Verdict {
  met,         // better by more than chance: Holm's p below 0.05
  not_shown,   // no difference that chance could not have made
  contrary,    // worse by more than chance
  not_tested,  // a scale that claims nothing, or fewer than two seeds
};
const char* in_words(Verdict verdict);

/// The unbiased deviation (n - 1); NaN for fewer than two numbers.
double deviation(const std::vector<double>& sample);
/// For the cells of tables; "-" for NaN. Of a p "< 0.0001" where it is.
std::string number_or_dash(double x, int decimals);
std::string chance(double p);

/// One claim held against the runs.
struct ClaimFinding {
  StudyClaim claim{};
  MeanTest paired{}, welch{};  // of better - than, without the margin
  double p = 0;                // paired, of better - than + margin, two-sided
  double holm = 0;             // p, corrected for all claims of the study
  double exact = 0;            // sign_flip_p of the same differences
  double effect = 0;           // hedges_g of the two samples
  Verdict verdict = Verdict::not_tested;
};
std::vector<ClaimFinding> test_claims(const Study& study, const StudyScale& scale,
                                      const StudySamples& samples);

/// A row's mean, deviation (n - 1), 95 % interval by Student's t, n, its difference to the row that it
/// is held against, and the figure of each seed, beside what the paper has.
FigureTable rows_table(const Study& study, const StudySamples& samples);
/// Difference, interval, p values, effect and verdict of each claim, beside the paper's difference.
FigureTable claims_table(const Study& study, const std::vector<ClaimFinding>& findings);

/// A combination that a search tried.
struct SearchFinding {
  std::string row{};
  StudyChoice choice{};
  std::vector<double> accuracies{};  // on the validation images in percent, by seed; none if a run diverged
  bool chosen = false;
};
/// Marks for each row the combination with the highest mean, the first of equals. Returns the choices by row.
/// Errors: NumericalError for a row of which all diverged.
std::map<std::string, StudyChoice> choose(std::vector<SearchFinding>& findings);
/// Every figure of the search.
FigureTable search_table(const Study& study, const StudySearch& search,
                         const std::vector<SearchFinding>& findings);

/// How a study was asked for.
struct StudyCall {
  std::string scale{};
  std::int64_t seeds = 0;
  bool as_written = false;  // without the scale's search
};

/// What is claimed and found, for Markdown and the page: the paper, the scale, how to read the tables.
std::vector<std::string> study_words(const Study& study, const StudyCall& call);

/// Writes table.md, table.html and the numbers as rows.csv, claims.csv, search.csv into the directory. No
/// time is in them, so that equal runs give equal bytes. Errors: OutputError.
void write_findings(const std::string& directory, const Study& study, const StudyCall& call,
                    const std::vector<Figure>& tables);

}  // namespace basin::apps
