// `basin sharpness` on a small run: its numbers, its directory, going on after an end in the middle.
#include <doctest/doctest.h>

#include "apps/lab/sharpness/sharpness.h"
#include "core/io/files.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "optim/objective.h"
#include "optim/perturbation.h"
#include "tests/lab/runs.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;

namespace {

const Words kFew = {"--images", "40", "--rho", "0.05,0.2", "--steps",         "2", "--starts", "2",
                    "--draws",  "3",  "--m",   "1,8",      "--micro-batches", "3"};

Words words(const std::string& out, const Words& more = {}) {
  Words all = {small_run(), "--out", out};
  all.insert(all.end(), kFew.begin(), kFew.end());
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

const std::vector<std::string> kFiles = {"answer.json",        "flatness.csv",          "flatness.svg",
                                         "flatness_table.csv", "m_sharpness.csv",       "m_sharpness.svg",
                                         "measurements.jsonl", "m_sharpness_table.csv", "question.json"};

void expect_same_files(const std::string& one, const std::string& other) {
  for (const std::string& name : kFiles) {
    INFO(name);
    CHECK(read_file(one + "/" + name) == read_file(other + "/" + name));
  }
}

}  // namespace

TEST_CASE("sharpness: SAM's estimate is the loss that SAM looks at, less the loss") {
  const TemporaryDirectory there;
  const Said said = run_command("sharpness", words(there / "a", {"--json"}));
  REQUIRE(said.code == 0);
  const Json document = parse_json(said.out);
  const Json& row = document.at("result").at("rho").array()[1];
  REQUIRE(row.at("rho").number() == 0.2);

  SubjectConfig config = subject_of(small_run());
  config.images = 40;
  const Subject subject = open(config);
  const DatasetObjective loss = subject.objective();
  const optim::Evaluation here = loss({});
  const optim::Perturbation up(*subject.w, here.gradient, 0.2 / norm(here.gradient));
  CHECK(row.at("r0_one_step").number() == doctest::Approx(loss.loss() - here.loss).epsilon(1e-4));
  CHECK(row.at("r0").number() >= row.at("r0_one_step").number());
  CHECK(row.at("r1").number() >= row.at("r1_one_step").number());
  CHECK(row.at("r1").number() >= row.at("r0").number());
  CHECK(row.at("m").array()[0].at("n").integer() == 3);
  // Steps and starts as asked: R0 2 radii x 2 starts x 2 gradients, R1 x 3, and the one at w.
  CHECK(document.at("result").at("work").at("gradients").integer() == 2 * 2 * (2 + 3) + 1);
  CHECK(document.at("result").at("work").at("products").integer() == 2 * 2 * 2);
}

TEST_CASE("sharpness: interrupted in the middle and asked again gives the bytes of a straight call") {
  const TemporaryDirectory there;
  REQUIRE(run_command("sharpness", words(there / "straight")).code == 0);
  REQUIRE(run_command("sharpness", words(there / "resumed")).code == 0);
  // As a kill leaves it: half of the measurements, the last line torn, no answer.
  std::string lines = read_file(there / "resumed/measurements.jsonl");
  write_file_atomically(there / "resumed/measurements.jsonl", lines.substr(0, lines.size() / 2));
  remove_file(there / "resumed/answer.json");
  REQUIRE(run_command("sharpness", words(there / "resumed")).code == 0);
  expect_same_files(there / "straight", there / "resumed");
}

TEST_CASE("sharpness: threads and loader workers never show in a byte") {
  const TemporaryDirectory there;
  const int before = thread_count();
  REQUIRE(run_command("sharpness", words(there / "one", {"--threads", "1", "--workers", "0"})).code == 0);
  REQUIRE(run_command("sharpness", words(there / "two", {"--threads", "2", "--workers", "2"})).code == 0);
  set_thread_count(before);
  expect_same_files(there / "one", there / "two");
}

TEST_CASE("sharpness: what can't be measured is said before any work") {
  CHECK(parse_failure("sharpness", {}).starts_with("2: nothing to measure: name a RUN's directory"));
  CHECK(parse_failure("sharpness", {small_run(), "--p-norm", "3"}) ==
        "2: --p-norm 3.0: sharpness is measured for 2 and inf");
  CHECK(parse_failure("sharpness", {small_run(), "--m", "1.5"}).find("is not a list of whole numbers") !=
        std::string::npos);
  CHECK(parse_failure("sharpness", {small_run(), "--scaling", "outer"}).starts_with("2: --scaling 'outer'"));
  const TemporaryDirectory there;
  CHECK(failure([&] {
          run_command("sharpness", {small_run(), "--images", "40", "--m", "41", "--out", there / "a"});
        }) == "2: --m 41: there are 40 images (--images)");
  // Of the usual sizes those that are there.
  const Said few = run_command(
      "sharpness", {small_run(), "--images", "40", "--rho", "0.1", "--steps", "1", "--starts", "1", "--draws",
                    "0", "--micro-batches", "2", "--no-first-order", "--json", "--out", there / "b"});
  CHECK(parse_json(few.out).at("result").at("rho").array()[0].at("m").array().size() == 2);
}

TEST_CASE("sharpness: of a split with fewer images than the usual --images all are taken") {
  const TemporaryDirectory there;
  const Said said = run_command(
      "sharpness", {small_run(), "--rho", "0.1", "--steps", "1", "--starts", "1", "--draws", "0", "--m", "1",
                    "--micro-batches", "1", "--no-first-order", "--json", "--out", there / "a"});
  REQUIRE(said.code == 0);
  CHECK(parse_json(said.out).at("question").at("measured").at("images").integer() == 160);
}

TEST_CASE("sharpness: the self-check finds the flatness of a known quadratic") {
  const Said said = run_command("sharpness", {"--self-check"});
  CHECK(said.code == 0);
  CHECK(said.out.find("DIFFERENT") == std::string::npos);
}
