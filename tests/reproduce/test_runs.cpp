// The runs of a study as processes of the program: killed, gone on with, failed, diverged.
#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "apps/cli/terminal.h"
#include "apps/reproduce/cost.h"
#include "apps/reproduce/process.h"
#include "apps/reproduce/study_runs.h"
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

const StudyMaking kMaking = {.program = BASIN_PROGRAM, .jobs = 2};

/// What is told while runs are made.
struct Quiet {
  std::ostringstream out{}, err{};
  OutputConfig output{};
  Terminal terminal{out, err, TerminalTraits(), output};
};

int shell(const std::string& script) {
  const int status = std::system(("bash -c '" + script + "'").c_str());
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("slow: killed twice, told to end once and gone on with, the tables are those of one left alone") {
  const test::TemporaryDirectory directory;
  const std::string call =
      std::string(BASIN_PROGRAM) + " reproduce sam-clean --scale tiny --quiet --jobs 2 --out ";
  const std::string straight = directory.path() + "/straight", killed = directory.path() + "/killed";
  REQUIRE(shell(call + straight + " > /dev/null") == 0);
  // Each time as soon as a run more is done; that the call may be over by then changes nothing.
  const auto end_once_there = [&](const std::string& file, const std::string& signal) {
    return shell(call + killed + " > /dev/null 2>&1 & p=$!; until [ -e " + killed + file +
                 " ] || ! kill -0 $p 2>/dev/null; do sleep 0.01; done; kill -" + signal + " $p; wait $p");
  };
  end_once_there("/search", "KILL");
  end_once_there("/runs/sgd-seed11/config.toml", "KILL");
  const int told = end_once_there("/runs/sgd-seed12/config.toml", "TERM");
  CHECK((told == 143 || told == 0));
  REQUIRE(shell(call + killed + " > /dev/null") == 0);
  for (const char* file : {"/table.md", "/table.html", "/rows.csv", "/claims.csv", "/search.csv"}) {
    CAPTURE(file);
    CHECK(read_file(straight + file) == read_file(killed + file));
  }
  CHECK(read_file(straight + "/table.md").find("| not tested |") != std::string::npos);
}

TEST_CASE("runs that are there are kept, and those of another recipe refused") {
  const test::TemporaryDirectory directory;
  const Study s = study(two_rows());
  const StudyRuns runs(directory.path(), "runs");
  std::vector<StudyRun> all = counted_runs(s, s.scale("tiny"), 1, {});
  CHECK_FALSE(runs.result(all[0], "last"));
  Quiet quiet;
  runs.complete(all, "test", kMaking, quiet.terminal);
  CHECK(quiet.err.str().find("[2/2] ") != std::string::npos);
  const StudyResult first = *runs.result(all[0], "last");
  CHECK(first.test_accuracy > 0);
  CHECK_FALSE(first.validation_accuracy);
  CHECK_THROWS_AS(runs.result(all[0], "swa"), DataError);

  Quiet again;
  runs.complete(all, "test", kMaking, again.terminal);
  CHECK(again.err.str().empty());
  all[0].config.optimizer.lr = 0.5;
  CHECK_THROWS_WITH_AS(
      runs.complete(all, "test", kMaking, again.terminal),
      (directory.path() +
       "/runs/sgd-seed11 holds a run of another recipe (lr = 0.05, here lr = 0.5): name another --out")
          .c_str(),
      UsageError);
}

TEST_CASE(
    "what rows begin with is trained before them, once, and only where a run that needs it is missing") {
  const test::TemporaryDirectory directory;
  const Study s = study(test::two_rows_after("seed = 5\n"));
  const StudyScale& scale = s.scale("tiny");
  const std::string out = directory.path() + "/out", moved = directory.path() + "/moved";
  Quiet quiet;
  complete_with_starts(s, scale, counted_runs(s, scale, 2, {}), out, "runs", kMaking, quiet.terminal);
  CHECK(quiet.err.str().find("[1/1] before-seed5 ") < quiet.err.str().find("[4/4] "));
  CHECK(read_file(out + "/runs/sam-seed12/log.txt").find("/starts/before-seed5/final.safetensors") !=
        std::string::npos);

  // Where the study lies is no part of it, and weights may be removed once nothing begins with them.
  std::filesystem::rename(out, moved);
  const std::string weights = moved + "/starts/before-seed5/final.safetensors";
  std::filesystem::remove(weights);
  Quiet again;
  complete_with_starts(s, scale, counted_runs(s, scale, 2, {}), moved, "runs", kMaking, again.terminal);
  CHECK(again.err.str().empty());
  CHECK_THROWS_WITH_AS(
      complete_with_starts(s, scale, counted_runs(s, scale, 3, {}), moved, "runs", kMaking, again.terminal),
      (weights + ", which sam-seed13 begins with, is gone: remove " + moved +
       "/starts/before-seed5 to train it again")
          .c_str(),
      CheckpointError);

  const Study other =
      study(test::two_rows_after("seed = 5\ntrain.optimizer.lr = 1e30\n"
                                 "train.optimizer.skip_limit = 1\n"));
  CHECK_THROWS_WITH_AS(complete_with_starts(other, other.scale("tiny"), counted_runs(other, scale, 1, {}),
                                            directory.path(), "runs", kMaking, again.terminal),
                       "the run starts/before-seed5 diverged: nothing can begin with its weights",
                       NumericalError);
}

TEST_CASE("a run that diverges is an outcome, one that fails ends the call with its words and code") {
  const test::TemporaryDirectory directory;
  const Study s =
      study(two_rows("train.optimizer.lr = 1e30\ntrain.optimizer.skip_limit = 1\n"
                     "train.schedule.batch_size = 8\n"));
  const StudyRuns runs(directory.path(), "runs");
  const std::vector<StudyRun> all = counted_runs(s, s.scale("tiny"), 1, {});
  Quiet quiet;
  runs.complete(all, "test", kMaking, quiet.terminal);
  CHECK(runs.result(all[0], "last")->diverged);
  CHECK(quiet.err.str().find("sgd-seed11 diverged in ") != std::string::npos);

  std::string text = two_rows();
  text.replace(text.rfind("synthetic"), 9, "cifar10");
  const Study files = study(text);
  StudyMaking nowhere = kMaking;
  nowhere.data_dir = "/nowhere";
  const StudyRuns missing(directory.path(), "missing");
  try {
    missing.complete(counted_runs(files, files.scale("tiny"), 1, {}), "test", nowhere, quiet.terminal);
    FAIL("no failure");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data);
    CHECK(std::string(error.what()).find("/missing/sgd-seed11 ended with exit code 3: ") !=
          std::string::npos);
    CHECK(std::string(error.what()).find("/nowhere") != std::string::npos);
  }
}

TEST_CASE("slow: a process that is told to end before it has become its program ends") {
  const test::TemporaryDirectory directory;
  const auto before = std::signal(SIGTERM, [](int) {});  // as basin, which would save
  for (int i = 0; i < 50; ++i) {
    Process process({"/bin/sleep", "5"}, {}, directory.path() + "/log");
    process.terminate();
    CHECK(process.wait() == 128 + SIGTERM);
  }
  std::signal(SIGTERM, before);
}

TEST_CASE("variables of the environment that would change the numbers do not reach the runs") {
  REQUIRE(setenv("BASIN_LR", "0.3", 1) == 0);
  REQUIRE(setenv("BASIN_DATA_DIR", "/somewhere", 1) == 0);
  const std::vector<std::string> environment = environment_of_runs();
  unsetenv("BASIN_LR");
  unsetenv("BASIN_DATA_DIR");
  const auto there = [&](const std::string& word) {
    return std::find(environment.begin(), environment.end(), word) != environment.end();
  };
  CHECK_FALSE(there("BASIN_LR=0.3"));
  CHECK(there("BASIN_DATA_DIR=/somewhere"));
}

TEST_CASE("work is 6 operations for each multiply-add of a trained image and pass, 2 for an evaluated one") {
  const Study s = study(two_rows());
  const TrainConfig sgd = study_config(s, s.row("sgd"), s.scale("small"), {}, 1);
  const TrainConfig sam = study_config(s, s.row("sam"), s.scale("small"), {}, 1);
  CHECK(trained_images(sgd) == 64);
  CHECK(trained_images(sam) == 128);
  const double adds = multiply_adds_of(sgd);
  CHECK(adds == Approx(12.4e6).epsilon(0.02));  // ResNet-8
  CHECK(work_of(sam) - work_of(sgd) == Approx(6 * 64 * adds));

  SharpnessConfig rule;
  CHECK(passes_of(rule) == 1);
  rule.kind = Sharpness::gam;
  CHECK(passes_of(rule) == 4);
  rule.kind = Sharpness::sam;
  rule.every = 10;
  CHECK(passes_of(rule) == Approx(1.1));
  rule.every = 1;
  rule.start = 0.75;
  CHECK(passes_of(rule) == Approx(1.25));
}
