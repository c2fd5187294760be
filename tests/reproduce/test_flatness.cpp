// Flatness in a study: answers of the laboratory that are there, and what is concluded from figures.
#include "apps/reproduce/flatness.h"

#include <doctest/doctest.h>

#include <sstream>

#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "tests/core/temporary_directory.h"
#include "tests/reproduce/studies.h"

using namespace basin;
using namespace basin::apps;
using test::study;
using test::two_rows;

namespace {

const std::string kFlatness = "[small.flatness]\nimages = 500\nrho = 0.1\n";

/// Each measure `scale` times its place, from 1 on; R1 the other way round.
RunFlatness run_of(const std::string& row, std::uint64_t seed, double accuracy, double scale) {
  return {.row = row,
          .seed = seed,
          .test_accuracy = accuracy,
          .loss = 0.5,
          .values = {scale, 2 * scale, 3 * scale, 4 * scale, 100 - scale}};
}

/// SAM's runs are flatter and better; within the rows the sharper are the better ones.
std::vector<RunFlatness> five_each() {
  std::vector<RunFlatness> all;
  for (std::uint64_t i = 0; i < 5; ++i)
    all.push_back(run_of("sgd", 11 + i, 70.0 + 0.1 * double(i), 30.0 + double(i)));
  for (std::uint64_t i = 0; i < 5; ++i)
    all.push_back(run_of("sam", 11 + i, 75.0 + 0.1 * double(i), 10.0 + double(i)));
  return all;
}

void write_answer(const std::string& directory, const std::string& question, const std::string& result) {
  make_directory(directory);
  write_file_atomically(directory + "/answer.json",
                        R"({"command": "hessian", "question": {"measured": {"images": 500})" + question +
                            R"(}, "result": )" + result + R"(, "figures": []})");
}

}  // namespace

TEST_CASE("flatness is read at a scale of a study, and its words are checked") {
  const Study s = study(two_rows(kFlatness));
  REQUIRE(s.scale("small").flatness);
  CHECK(s.scale("small").flatness->images == 500);
  CHECK(s.scale("small").flatness->rho == 0.1);
  CHECK_FALSE(s.scale("tiny").flatness);
  CHECK_THROWS_WITH_AS(study(two_rows("[small.flatness]\nimages = 5\n")),
                       "test: small.flatness needs images, and a radius rho above 0", UsageError);
  CHECK_THROWS_AS(study(two_rows("[small.flatness]\nepsilon = 5\n")), UsageError);
}

TEST_CASE("flatness: means, every figure, and the ranks over all runs and within rows") {
  const Study s = study(two_rows(kFlatness));
  const std::vector<RunFlatness> all = five_each();
  const FigureTable means = flatness_table(s, *s.scale("small").flatness, all);
  CHECK(means.columns.back() == "R1(0.1)");
  CHECK(means.rows[0] == std::vector<std::string>{"SGD", "70.20", "0.5 ± 0", "32 ± 1.58", "64 ± 3.16",
                                                  "96 ± 4.74", "128 ± 6.32", "68 ± 1.58"});
  // Over all runs lambda_max orders 25 pairs of different rows against accuracy and 20 of equal rows with it.
  const FigureTable ranks = flatness_ranks(s, s.scale("small"), all);
  REQUIRE(ranks.rows.size() == 5);
  CHECK(ranks.rows[0][1] == "-0.11");
  CHECK(ranks.rows[0][3] == "not shown");
  CHECK(ranks.rows[0][4] == "1.00");
  CHECK(ranks.rows[0][6] == "no, the sharper");
  CHECK(ranks.rows[4][0] == "R1");
  CHECK(ranks.rows[4][4] == "-1.00");
  CHECK(ranks.rows[4][6] == "yes");
  CHECK(flatness_ranks(s, s.scale("tiny"), all).rows[4][6] == "not tested");
  const FigureTable each = flatness_of_runs(s, all);
  REQUIRE(each.rows.size() == 10);
  CHECK(each.rows[5] == std::vector<std::string>{"SAM", "11", "75.00", "0.5", "10", "20", "30", "40", "90"});
}

TEST_CASE("flatness: answers that are there are read, and those to another question refused") {
  const test::TemporaryDirectory directory;
  const std::string out = directory.path();
  const Study s = study(two_rows(kFlatness));
  std::vector<StudyRun> runs = counted_runs(s, s.scale("small"), 1, {});
  for (const StudyRun& run : runs) {
    const std::string place = out + "/flatness/" + run.name;
    write_answer(place + "/hessian", "",
                 R"({"loss": 0.5, "top": [{"value": 20.0}], "trace": {"value": 90.0}})");
    write_answer(place + "/sharpness", R"(, "rho": [0.1])", R"({"rho": [{"r0": 0.25, "r1": 0.75}]})");
    make_directory(out + "/runs/" + run.name);
    write_file_atomically(out + "/runs/" + run.name + "/config.toml", to_toml(run.config));
    write_file_atomically(out + "/runs/" + run.name + "/result.json",
                          R"({"seconds": 1, "variants": [{"name": "last", "test_accuracy": 0.75}]})");
  }
  std::ostringstream said, log;
  const OutputConfig output;
  Terminal terminal(said, log, TerminalTraits(), output);
  const StudyMaking making{.program = "/nowhere/basin"};  // which nobody starts
  const auto measured = measured_flatness(s, *s.scale("small").flatness, runs, out, making, terminal);
  REQUIRE(measured.size() == 2);
  CHECK(measured[1].row == "sam");
  CHECK(measured[1].seed == 11);
  CHECK(measured[1].test_accuracy == 75);
  CHECK(measured[1].values == std::vector<double>{20, 90, 40, 0.25, 0.75});
  for (const StudyFlatness& other :
       {StudyFlatness{.images = 500, .rho = 0.2}, StudyFlatness{.images = 400, .rho = 0.1}})
    CHECK_THROWS_AS(measured_flatness(s, other, runs, out, making, terminal), UsageError);
}
