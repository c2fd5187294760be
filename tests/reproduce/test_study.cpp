// Studies: their files, the options that a row is trained with, and that each of those built in can be run.
#include "apps/reproduce/study.h"

#include <doctest/doctest.h>

#include <set>

#include "apps/reproduce/study_runs.h"
#include "core/error.h"
#include "tests/reproduce/studies.h"

using namespace basin;
using namespace basin::apps;
using test::study;
using test::two_rows;

namespace {

std::string failure(const std::string& toml) {
  try {
    study(toml);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TrainConfig config(const Study& s, const std::string& row, const std::string& scale,
                   const StudyChoice& choice = {}) {
  return study_config(s, s.row(row), s.scale(scale), choice, 7);
}

}  // namespace

TEST_CASE("a study's file holds rows, claims and scales, in their order") {
  const Study s = study(two_rows());
  CHECK(s.paper == "a paper, table 1");
  CHECK(s.deviation == "standard deviation");
  REQUIRE(s.rows.size() == 2);
  CHECK(s.rows[0].name == "SGD");
  CHECK(s.rows[1].paper == 97.3);
  CHECK(s.rows[1].paper_deviation == 0.1);
  CHECK_FALSE(s.rows[0].paper_deviation);
  REQUIRE(s.claims.size() == 2);
  CHECK(s.claims[0].margin == 0);
  CHECK(s.claims[1].margin == 1);
  REQUIRE(s.scales.size() == 2);
  CHECK(s.scale("small").claims());
  CHECK_FALSE(s.scale("tiny").claims());
  CHECK(s.scale("small").seeds == 5);
  CHECK(s.scale("tiny").seeds == 2);
  CHECK_THROWS_WITH_AS(s.scale("paper"), "the experiment test has no --scale 'paper'; it has small or tiny",
                       UsageError);
}

TEST_CASE(
    "options: the study's give way to a row's, these to the scale's, these to the scale's for the row") {
  const Study s = study(two_rows("train.model.name = \"resnet14\"\n"));
  CHECK(config(s, "sgd", "small").model.name == "resnet8");
  CHECK(config(s, "sgd", "tiny").model.name == "resnet14");
  CHECK(config(s, "sgd", "small").sharpness.kind == Sharpness::none);
  CHECK(config(s, "sam", "tiny").sharpness.rho == 0.1);
  CHECK(config(s, "sam", "small").sharpness.rho == 0.2);
  CHECK(config(s, "sam", "small", {{"sharpness.rho", "0.3"}}).sharpness.rho == 0.3);

  const TrainConfig one = config(s, "sam", "small");
  CHECK(one.optimizer.lr == 0.05);
  CHECK(one.run.seed == 7);
  CHECK(one.device.threads == 1);
  CHECK(one.data.validation == 0);
  CHECK(study_config(s, s.rows[0], s.scale("small"), {}, 1, 16).data.validation == 16);
}

TEST_CASE("a row may build on a recipe") {
  const Study s = study(two_rows() + "[row.torch]\npreset = \"sam_torch\"\nweights = \"swa\"\n");
  CHECK(config(s, "torch", "tiny").loss.label_smoothing == 0.1);
  CHECK(s.row("torch").weights == "swa");
  const Study wrong = study(two_rows() + "[row.swa]\npreset = \"swa_author\"\n");
  CHECK_THROWS_WITH_AS(config(wrong, "swa", "tiny"),
                       "test.toml, row swa: unknown preset 'swa_author'; did you mean swa_authors?",
                       UsageError);
}

TEST_CASE("a row may be other weights of another row's runs") {
  const Study s =
      study(two_rows() + "[row.average]\nruns_of = \"sam\"\nweights = \"ema\"\nagainst = \"sam\"\n");
  CHECK(s.trained().size() == 2);
  CHECK(s.runs_of(s.row("average")) == "sam");
  CHECK(s.runs_of(s.row("sgd")) == "sgd");
  CHECK(counted_runs(s, s.scale("tiny"), 3, {}).size() == 6);
  CHECK(failure(two_rows() + "[row.a]\nruns_of = \"gam\"\n") ==
        "test: row.a.runs_of is about a row 'gam', which is not there");
  CHECK(failure(two_rows() + "[row.a]\nruns_of = \"sam\"\ntrain.optimizer.lr = 0.1\n") ==
        "test: row.a has the runs of another row: no options of its own, and that row has runs");
}

TEST_CASE("a row may start from the weights of another training, of its own seed or a stated one") {
  const Study s = study(test::two_rows_after("train.optimizer.lr = 0.2\n"));
  const StudyScale& scale = s.scale("tiny");
  const std::vector<StudyRun> runs = counted_runs(s, scale, 3, {});
  CHECK(runs.size() == 6);
  CHECK(runs[0].config.model.init.empty() != runs[1].config.model.init.empty());  // SAM's alone has a file
  CHECK(config(s, "sam", "tiny").model.init == "starts/before-seed7/final.safetensors");
  const std::vector<StudyRun> starts = start_runs(s, scale, runs);
  REQUIRE(starts.size() == 3);
  CHECK(starts[2].name == "before-seed13");
  CHECK(starts[2].config.run.seed == 13);
  CHECK(starts[2].config.optimizer.lr == 0.2);
  CHECK(starts[2].config.sharpness.kind == Sharpness::none);
  CHECK(starts[2].config.schedule.batch_size == 16);

  const Study one = study(test::two_rows_after("seed = 5\n"));
  const std::vector<StudyRun> shared = start_runs(one, one.scale("tiny"), counted_runs(one, scale, 3, {}));
  REQUIRE(shared.size() == 1);
  CHECK(shared[0].config.run.seed == 5);
  CHECK(config(one, "sam", "tiny").model.init == "starts/before-seed5/final.safetensors");

  const Study scaled = study(test::two_rows_after("") + "[tiny.start.before]\noptimizer.lr = 0.7\n");
  CHECK(start_runs(scaled, scaled.scale("tiny"), counted_runs(scaled, scaled.scale("tiny"), 1, {}))
            .front()
            .config.optimizer.lr == 0.7);
  CHECK(failure(two_rows() + "[row.gam]\nstarts_from = \"befor\"\n") ==
        "test: row.gam.starts_from is about a start 'befor', which is not there");
  CHECK(failure("start.sgd.seed = 1\n" + two_rows()) ==
        "test: sgd is both a row and a start: name one otherwise");
  CHECK(failure("start.before.name = \"a\"\n" + two_rows()) ==
        "test.toml:1:14: 'start.before.name' is no part of a study");
}

TEST_CASE("what is no part of a study is an error with its place") {
  CHECK(failure("papr = 1\n" + two_rows()) == "test.toml:1:1: 'papr' is no part of a study");
  CHECK(failure("row.a.paper = \"97\"\n" + two_rows()) ==
        "test.toml:1:7: row.a.paper is a string, not a number");
  CHECK(failure("row.a.papers = 97\n" + two_rows()) == "test.toml:1:7: 'row.a.papers' is no part of a study");
  CHECK(failure("claim.a.worse = \"sgd\"\n" + two_rows()) ==
        "test.toml:1:9: 'claim.a.worse' is no part of a study");
  CHECK(failure(two_rows("seed = 1\n")).find(": 'tiny.seed' is no part of a study") != std::string::npos);
  CHECK(failure(two_rows("row.gam.optimizer.lr = 0.1\n")) ==
        "test: tiny.row is about a row 'gam', which is not there");
  CHECK(failure(two_rows("[claim.third]\nbetter = \"gam\"\nthan = \"sgd\"\n")) ==
        "test: claim.third is about a row 'gam', which is not there");
  CHECK(failure("[row.a]\n") == "test: a study needs rows, and a scale to run them on");
  CHECK_THROWS_AS(config(study(two_rows("train.optimizer.lrr = 1.0\n")), "sgd", "tiny"), UsageError);
  CHECK_THROWS_WITH_AS(
      config(study(two_rows("train.sharpness.micro = \"own\"\ntrain.schedule.batch_size = 16\n")), "sam",
             "tiny"),
      "test.toml, row sam, scale tiny: --micro-size 32 is above --batch-size 16", UsageError);
}

TEST_CASE("a search tries every combination, with seeds that no counted run has") {
  const std::string search = "[tiny.search]\nseeds = [101, 102]\nvalidation = 8\n";
  const Study s =
      study(two_rows(search + "all.optimizer.lr = [0.1, 0.2]\nrow.sam.sharpness.rho = [0.05, 0.1]\n"));
  const StudySearch& found = *s.scale("tiny").search;
  CHECK(choices_of(found, "sgd") ==
        std::vector<StudyChoice>{{{"optimizer.lr", "0.1"}}, {{"optimizer.lr", "0.2"}}});
  CHECK(choices_of(found, "sam").size() == 4);
  CHECK(in_words(choices_of(found, "sam")[1]) == "lr 0.1, rho 0.1");

  const std::vector<StudyRun> tried = search_runs(s, s.scale("tiny"));
  CHECK(tried.size() == 2 * (2 + 4));
  CHECK(tried[3].name == "sam-lr0.1-rho0.1-seed101");
  CHECK(tried[3].config.sharpness.rho == 0.1);
  CHECK(tried[3].config.data.validation == 8);
  std::set<std::uint64_t> counted;
  for (const StudyRun& run : counted_runs(s, s.scale("tiny"), kMostSeeds, {})) counted.insert(run.seed);
  CHECK(counted.size() == static_cast<std::size_t>(kMostSeeds));
  for (const StudyRun& run : tried) CHECK(counted.count(run.seed) == 0);

  CHECK(failure(two_rows("[tiny.search]\nseeds = [100]\nvalidation = 8\n")) ==
        "test: tiny.search has the seed 100: those below 101 are for the runs that count");
  CHECK(failure(two_rows("[tiny.search]\nseeds = [101]\n")) ==
        "test: tiny.search needs seeds and validation images");
}

TEST_CASE(
    "each experiment that is built in has valid options for every row, scale and choice, and runs tiny") {
  REQUIRE(!studies().empty());
  for (const Study& s : studies()) {
    CAPTURE(s.name);
    CHECK(!s.paper.empty());
    CHECK_NOTHROW(s.scale("tiny"));
    for (const StudyScale& scale : s.scales) {
      CHECK(!scale.about.empty());
      CHECK_NOTHROW(search_runs(s, scale));
      CHECK_NOTHROW(counted_runs(s, scale, 1, {}));
    }
    CHECK(s.scale("tiny").options.front().value == "synthetic");
  }
  CHECK_THROWS_WITH_AS(
      study_named("sam-claen"),
      "unknown experiment 'sam-claen'; `basin reproduce --list` shows them; did you mean sam-clean?",
      UsageError);
}
