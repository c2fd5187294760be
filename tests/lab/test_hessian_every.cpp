// `basin train --hessian-every`: curves of the Hessian beside a training that does not notice.
#include <doctest/doctest.h>

#include "apps/lab/curvature/curvature.h"
#include "apps/report/page/learning.h"
#include "autograd/curvature/lanczos.h"
#include "tests/lab/runs.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;
using doctest::Approx;

namespace {

TrainConfig measured(const std::string& directory, const Words& more = {}) {
  Words words = {"--epochs", "3", "--limit", "64", "--hessian-every", "2", "--hessian-images", "8"};
  words.insert(words.end(), more.begin(), more.end());
  return small(directory, words);
}

/// Rows of metrics.csv up to the times.
std::vector<std::string> timeless_rows(const std::string& run) {
  std::vector<std::string> rows;
  for (const std::string& line : lines(run + "/metrics.csv")) {
    std::size_t end = 0;
    for (int cell = 0; cell < 15 && end != std::string::npos; ++cell) end = line.find(',', end + 1);
    rows.push_back(line.substr(0, end));
  }
  return rows;
}

}  // namespace

TEST_CASE("--hessian-every measures without a bit of the run changing, and resumes") {
  const TemporaryDirectory there;
  const std::string with = there.path() + "/with", without = there.path() + "/without",
                    cut = there.path() + "/cut";
  REQUIRE(train(measured(with)).code == 0);
  TrainConfig unmeasured = measured(without);
  unmeasured.measure.hessian_every = 0;
  REQUIRE(train(unmeasured).code == 0);
  CHECK(weights(with) == weights(without));
  CHECK(lines(without + "/metrics.csv")[0].find("hessian") == std::string::npos);

  const std::vector<EpochRecord> epochs = read_metrics(with + "/metrics.csv");
  REQUIRE(epochs.size() == 3);
  CHECK_FALSE(epochs[0].hessian);
  REQUIRE(epochs[1].hessian);
  REQUIRE(epochs[2].hessian);  // the last, always
  CHECK(epochs[1].hessian->trace_error > 0);
  CHECK(training_plots(epochs).size() == 4);
  CHECK(training_plots(epochs)[2].curves[0].points.size() == 2);

  // The same as of the trained weights afterwards.
  SubjectConfig config = subject_of(with);
  config.images = 8;
  Subject subject = open(config);
  const EigenPairs top = lanczos_eigenpairs(curvature_of(subject, CurvatureKind::hessian),
                                            {.tolerance = 0.01, .most_products = 200}, {.purpose = 1});
  CHECK(top.pairs[0].value == epochs[2].hessian->largest);

  train(measured(cut, {"--stop-after-steps", "1"}));
  train(train_config({"--quiet", "--resume", cut, "--stop-after-steps", "1"}));
  REQUIRE(train(train_config({"--quiet", "--resume", cut})).code == 0);
  CHECK(weights(cut) == weights(with));
  CHECK(timeless_rows(cut) == timeless_rows(with));
}
