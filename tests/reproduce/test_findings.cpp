// What is concluded from figures: verdicts, tables, the choice of a search.
#include "apps/reproduce/findings.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/error.h"
#include "core/io/files.h"
#include "tests/core/temporary_directory.h"
#include "tests/reproduce/studies.h"

using namespace basin;
using namespace basin::apps;
using doctest::Approx;
using test::study;
using test::two_rows;

namespace {

const StudySamples kSamples = {{"sgd", {71.5, 72.4, 71.9, 71.6, 72.1}},
                               {"sam", {73.4, 74.4, 73.9, 73.1, 74.0}}};

Verdict verdict(const std::vector<double>& better, const std::vector<double>& than,
                const std::string& claim) {
  Study s = study(two_rows());
  std::erase_if(s.claims, [&](const StudyClaim& c) { return c.id != claim; });
  return test_claims(s, s.scale("small"), {{"sam", better}, {"sgd", than}}).front().verdict;
}

}  // namespace

TEST_CASE("claims are tested in pairs of seeds and corrected over the table") {
  const Study s = study(two_rows());
  const std::vector<ClaimFinding> f = test_claims(s, s.scale("small"), kSamples);
  REQUIRE(f.size() == 2);
  // Differences 1.9 2.0 2.0 1.5 1.9: mean 1.86, deviation 0.207364; t = 1.86 / (0.207364 / sqrt 5) = 20.0568.
  CHECK(f[0].paired.difference == Approx(1.86));
  CHECK(f[0].paired.t == Approx(20.0568).epsilon(1e-5));
  CHECK(f[0].p == f[0].paired.p);
  CHECK(f[0].exact == 2.0 / 32);
  CHECK(f[0].holm == Approx(2 * f[0].p));
  CHECK(f[0].verdict == Verdict::met);
  // SGD is no more than 1.00 below SAM? It is 1.86 below: the other way round, by more than chance.
  CHECK(f[1].paired.difference == Approx(-1.86));
  CHECK(f[1].p == Approx(0.000747).epsilon(1e-2));  // t = -0.86 / (0.207364 / sqrt 5) = -9.2736, 4 degrees
  CHECK(f[1].holm == f[1].p);
  CHECK(f[1].verdict == Verdict::contrary);
}

TEST_CASE("verdicts") {
  CHECK(verdict({1, 2, 3, 4}, {1.1, 1.9, 3.1, 3.9}, "first") == Verdict::not_shown);
  CHECK(verdict({1, 2, 3, 4}, {5, 6.1, 7, 8.2}, "first") == Verdict::contrary);
  CHECK(verdict({1}, {5}, "first") == Verdict::not_tested);
  CHECK(verdict({1, 2, 3, 4}, {1.1, 2.0, 3.1, 3.9}, "second") == Verdict::met);  // a little above, margin 1
  const Study s = study(two_rows());
  CHECK(test_claims(s, s.scale("tiny"), kSamples).front().verdict == Verdict::not_tested);
}

TEST_CASE("the tables have the paper's figures beside ours") {
  const Study s = study(two_rows());
  const FigureTable rows = rows_table(s, kSamples);
  CHECK(rows.rows[0] == std::vector<std::string>{"SGD", "96.50", "71.90", "0.37", "71.44 to 72.36", "5", "",
                                                 "71.50 72.40 71.90 71.60 72.10"});
  CHECK(rows.rows[1] == std::vector<std::string>{"SAM", "97.30 ± 0.10", "73.76", "0.51", "73.12 to 74.40",
                                                 "5", "+1.86 to SGD", "73.40 74.40 73.90 73.10 74.00"});
  const FigureTable claims = claims_table(s, test_claims(s, s.scale("small"), kSamples));
  CHECK(claims.rows[0] == std::vector<std::string>{"SAM > SGD", "+0.80", "+1.86", "1.60 to 2.12", "< 0.0001",
                                                   "0.0625", "0.0003", "< 0.0001", "3.77", "met"});
  CHECK(claims.rows[1][0] == "SGD > SAM - 1.00");
  CHECK(claims.rows[1].back() == "contrary");
}

TEST_CASE("a search takes the highest mean, the first of equals, and none that diverged") {
  const StudyChoice low = {{"sharpness.rho", "0.05"}}, middle = {{"sharpness.rho", "0.1"}},
                    high = {{"sharpness.rho", "0.2"}};
  std::vector<SearchFinding> found = {{.row = "sgd", .accuracies = {50}},
                                      {.row = "sam", .choice = low, .accuracies = {60, 62}},
                                      {.row = "sam", .choice = middle, .accuracies = {61, 61}},
                                      {.row = "sam", .choice = high}};
  const auto chosen = choose(found);
  CHECK(chosen.at("sam") == low);
  CHECK(chosen.at("sgd").empty());
  CHECK(found[1].chosen);
  CHECK_FALSE(found[2].chosen);
  const Study s = study(two_rows("[tiny.search]\nseeds = [101, 102]\nvalidation = 8\n"));
  const FigureTable table = search_table(s, *s.scale("tiny").search, found);
  CHECK(table.rows[1] == std::vector<std::string>{"SAM", "rho 0.05", "61.00", "60.00 62.00", "yes"});
  CHECK(table.rows[3] == std::vector<std::string>{"SAM", "rho 0.2", "diverged", "", ""});

  std::vector<SearchFinding> none = {{.row = "sam", .choice = low}};
  CHECK_THROWS_AS(choose(none), NumericalError);
}

TEST_CASE("the files say how the study was asked for") {
  const test::TemporaryDirectory directory;
  const Study s = study(two_rows());
  write_findings(directory.path(), s, {"small", 5, false}, {{"rows", rows_table(s, kSamples)}});
  const std::string markdown = read_file(directory.path() + "/table.md");
  CHECK(markdown.find("    basin reproduce test --scale small --seeds 5\n") != std::string::npos);
  CHECK(markdown.find("| SAM | 97.30 ± 0.10 | 73.76 |") != std::string::npos);
  CHECK(markdown.find("Scale small: little. 5 seeds, 11 to 15.") != std::string::npos);
  CHECK(markdown.find("Holm's p") != std::string::npos);
  CHECK(read_file(directory.path() + "/rows.csv").starts_with("row,paper,ours,deviation,95 % interval,n,"));
  CHECK(read_file(directory.path() + "/table.html").find("97.30 ± 0.10") != std::string::npos);
}
