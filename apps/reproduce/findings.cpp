#include "apps/reproduce/findings.h"

#include <algorithm>
#include <cmath>

#include "apps/cli/format.h"
#include "apps/options/suggest.h"
#include "apps/report/figure_files.h"
#include "apps/report/page/html.h"
#include "core/error.h"
#include "core/io/files.h"

namespace basin::apps {
namespace {

std::string signed_number(double x) { return std::isnan(x) ? "-" : (x > 0 ? "+" : "") + fixed(x, 2); }
std::string interval(double low, double high) {
  return std::isnan(low) ? "-" : fixed(low, 2) + " to " + fixed(high, 2);
}
std::string list_of(const std::vector<double>& numbers) {
  std::string all;
  for (const double x : numbers) all += (all.empty() ? "" : " ") + fixed(x, 2);
  return all;
}

Verdict verdict_of(const ClaimFinding& f, bool tested) {
  if (!tested || std::isnan(f.holm)) return Verdict::not_tested;
  if (f.holm >= kLevel) return Verdict::not_shown;
  return f.paired.difference + f.claim.margin > 0 ? Verdict::met : Verdict::contrary;
}

std::string claim_in_words(const Study& study, const StudyClaim& claim) {
  const std::string better = study.row(claim.better).name, than = study.row(claim.than).name;
  if (claim.margin == 0) return better + " > " + than;
  return better + " > " + than + " - " + fixed(claim.margin, 2);
}

double mean_of(const std::vector<double>& sample) { return mean_interval(sample).mean; }

std::string section(const std::string& title, const std::string& body) {
  return "\n## " + title + "\n" + body;
}

}  // namespace

double deviation(const std::vector<double>& sample) {
  const double mean = mean_of(sample);
  double squares = 0;
  for (const double x : sample) squares += (x - mean) * (x - mean);
  return sample.size() < 2 ? std::nan("") : std::sqrt(squares / static_cast<double>(sample.size() - 1));
}

std::string number_or_dash(double x, int decimals) { return std::isnan(x) ? "-" : fixed(x, decimals); }
std::string chance(double p) {
  if (std::isnan(p)) return "-";
  return p < 1e-4 ? "< 0.0001" : fixed(p, 4);
}

const char* in_words(Verdict verdict) {
  switch (verdict) {
    case Verdict::met:
      return "met";
    case Verdict::not_shown:
      return "not shown";
    case Verdict::contrary:
      return "contrary";
    case Verdict::not_tested:
      break;
  }
  return "not tested";
}

std::vector<ClaimFinding> test_claims(const Study& study, const StudyScale& scale,
                                      const StudySamples& samples) {
  std::vector<ClaimFinding> findings;
  std::vector<double> p;
  for (const StudyClaim& claim : study.claims) {
    const std::vector<double>&a = samples.at(claim.better), &b = samples.at(claim.than);
    std::vector<double> raised = a;
    for (double& x : raised) x += claim.margin;
    findings.push_back({.claim = claim,
                        .paired = paired_test(a, b),
                        .welch = welch_test(a, b),
                        .p = paired_test(raised, b).p,
                        .exact = sign_flip_p(differences(raised, b)),
                        .effect = hedges_g(a, b)});
    p.push_back(findings.back().p);
  }
  const std::vector<double> corrected = holm(p);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    findings[i].holm = corrected[i];
    findings[i].verdict = verdict_of(findings[i], scale.claims());
  }
  return findings;
}

FigureTable rows_table(const Study& study, const StudySamples& samples) {
  FigureTable table{
      .title = "Test accuracy, %",
      .columns = {"row", "paper", "ours", "deviation", "95 % interval", "n", "difference", "by seed"}};
  for (const StudyRow& row : study.rows) {
    const std::vector<double>& sample = samples.at(row.id);
    const MeanInterval e = mean_interval(sample);
    std::string paper = row.paper ? fixed(*row.paper, 2) : "-";
    if (row.paper_deviation) paper += " ± " + fixed(*row.paper_deviation, 2);
    const StudyRow& base = row.against.empty() ? study.rows.front() : study.row(row.against);
    const std::string difference = signed_number(e.mean - mean_of(samples.at(base.id))) + " to " + base.name;
    table.rows.push_back({row.name, paper, fixed(e.mean, 2), number_or_dash(deviation(sample), 2),
                          interval(e.low, e.high), std::to_string(e.n), row.id == base.id ? "" : difference,
                          list_of(sample)});
  }
  return table;
}

FigureTable claims_table(const Study& study, const std::vector<ClaimFinding>& findings) {
  FigureTable table{.title = "Claims",
                    .columns = {"claim", "paper", "difference", "95 % interval", "paired p", "exact p",
                                "Welch p", "Holm p", "Hedges g", "verdict"}};
  for (const ClaimFinding& f : findings) {
    const StudyRow &better = study.row(f.claim.better), &than = study.row(f.claim.than);
    const bool both = better.paper && than.paper;
    table.rows.push_back({claim_in_words(study, f.claim),
                          both ? signed_number(*better.paper - *than.paper) : "-",
                          signed_number(f.paired.difference), interval(f.paired.low, f.paired.high),
                          chance(f.p), chance(f.exact), chance(f.welch.p), chance(f.holm),
                          number_or_dash(f.effect, 2), in_words(f.verdict)});
  }
  return table;
}

std::map<std::string, StudyChoice> choose(std::vector<SearchFinding>& findings) {
  std::map<std::string, SearchFinding*> best;
  for (SearchFinding& f : findings) {
    SearchFinding*& chosen = best[f.row];
    if (f.accuracies.empty()) continue;
    if (!chosen || mean_of(f.accuracies) > mean_of(chosen->accuracies)) chosen = &f;
  }
  std::map<std::string, StudyChoice> choices;
  for (const auto& [row, finding] : best) {
    if (!finding)
      throw NumericalError("[reproduce] of row ", row, " every combination that was tried diverged");
    finding->chosen = true;
    choices[row] = finding->choice;
  }
  return choices;
}

FigureTable search_table(const Study& study, const StudySearch& search,
                         const std::vector<SearchFinding>& findings) {
  std::string seeds;
  for (const std::uint64_t seed : search.seeds) seeds += (seeds.empty() ? "" : ", ") + std::to_string(seed);
  FigureTable table{.title = text("Search: accuracy on ", grouped(search.validation),
                                  " held-out training images, %, seeds ", seeds),
                    .columns = {"row", "options", "mean", "by seed", "chosen"}};
  for (const SearchFinding& f : findings) {
    const bool diverged = f.accuracies.empty();
    table.rows.push_back({study.row(f.row).name, in_words(f.choice),
                          diverged ? "diverged" : fixed(mean_of(f.accuracies), 2), list_of(f.accuracies),
                          f.chosen ? "yes" : ""});
  }
  return table;
}

std::vector<std::string> study_words(const Study& study, const StudyCall& call) {
  const StudyScale& scale = study.scale(call.scale);
  std::vector<std::string> words = {
      study.help + ".", "Paper: " + study.paper +
                            (study.deviation.empty() ? "." : "; its figures are ± " + study.deviation + ".")};
  if (!study.note.empty()) words.push_back(study.note);
  words.push_back("Scale " + scale.name + ": " + scale.about + ". " + text(call.seeds) + " seeds, " +
                  text(kFirstSeed) + " to " + text(kFirstSeed + call.seeds - 1) + ".");
  if (scale.search)
    words.push_back(
        call.as_written
            ? "The options are those that the experiment writes down; its search was left out."
            : "Rates and radii were chosen by a search on held-out training images; the rows below were "
              "then trained on all of them, with other seeds.");
  if (scale.flatness)
    words.push_back(
        text("Flatness is measured after training, on the cross-entropy over ", scale.flatness->images,
             " of the training images, the same for every run and not augmented: the Hessian's largest "
             "eigenvalue "
             "and trace, R0(rho), the largest rise of the loss that ascent finds within the radius rho, and "
             "R1(rho), the largest rho |gradient| there. It chose nothing."));
  if (scale.claims()) {
    words.push_back(
        "A claim is met where the difference has its sign and Holm's p, of the paired test of equal seeds "
        "over all "
        "claims of this table, is below 0.05. Intervals of differences are those of the paired test.");
  } else {
    words.push_back("These runs show that the experiment runs; nothing is claimed by them.");
  }
  return words;
}

void write_findings(const std::string& directory, const Study& study, const StudyCall& call,
                    const std::vector<Figure>& tables) {
  std::string markdown = "# " + study.name + "\n\n";
  Html page(study.name);
  for (const std::string& words : study_words(study, call)) {
    markdown += words + "\n\n";
    page.lead(html_paragraph(words));
  }
  markdown += "    basin reproduce " + study.name + " --scale " + call.scale + " --seeds " +
              text(call.seeds) + (call.as_written ? " --as-written" : "") + "\n";
  for (const Figure& figure : tables) {
    const auto& table = std::get<FigureTable>(figure.content);
    if (table.rows.empty()) continue;
    markdown += section(table.title, markdown_table(table));
    page.section(table.title);
    page.add(html_table(table));
    write_file_atomically(directory + "/" + figure.name + ".csv", csv_of(figure));
  }
  page.section("The experiment");
  page.add(html_preformatted(study.source));
  markdown += section("The experiment", "```toml\n" + study.source + "```\n");
  write_file_atomically(directory + "/table.md", markdown);
  write_file_atomically(directory + "/table.html", page.text());
}

}  // namespace basin::apps
