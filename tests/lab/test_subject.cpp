// What a command of the laboratory measures: the statement, the images, the loss.
#include "apps/lab/subject.h"

#include <doctest/doctest.h>

#include <cmath>

#include "apps/evaluation/evaluation.h"
#include "apps/runs/run_config.h"
#include "core/ops.h"
#include "tests/lab/runs.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;

TEST_CASE("a subject is a run's weights over its training images") {
  const Subject all = open(subject_of(small_run()));
  CHECK(all.examples->size() == 160);
  CHECK(all.objective().loss() == doctest::Approx(all.tally().loss()).epsilon(1e-6));
  CHECK(in_words(all.statement) ==
        "mean cross-entropy over 160 synthetic train images, not augmented; batch norm by running "
        "statistics; f32");
}

TEST_CASE("images are drawn by the seed, each once, the same for every run") {
  SubjectConfig config = subject_of(small_run());
  config.images = 50;
  const Subject one = open(config), same = open(config);
  CHECK(one.examples->size() == 50);
  CHECK(one.objective().loss() == same.objective().loss());
  CHECK(one.statement == same.statement);
  config.seed = 1;
  const Subject other = open(config);
  CHECK(other.objective().loss() != one.objective().loss());
  CHECK(other.statement != one.statement);
  config.images = 161;
  CHECK(failure([&] { open(config); }) == "2: --images 161: the train images are 160; 0 takes all of them");
}

TEST_CASE("the loss that was trained has the run's weight decay") {
  SubjectConfig config = subject_of(small_run());
  const Subject plain = open(config);
  config.loss = LossOf::trained;
  const Subject trained = open(config);
  const double decay = read_run_config(small_run()).optimizer.weight_decay;
  REQUIRE(decay > 0);
  // H v of the loss with decay is H v + decay v.
  Tensor v = Tensor::full({plain.w->size()}, 1.0, Dtype::f32);
  const Tensor with = trained.objective().hessian_vector(v), without = plain.objective().hessian_vector(v);
  const Tensor difference = binary(BinaryOp::sub, with, without);
  for (const float d : difference.to_vector<float>()) CHECK(d == doctest::Approx(decay).epsilon(0.01));
}

TEST_CASE("what cannot be measured is said before any work") {
  CHECK(failure([&] {
          SubjectConfig config = subject_of(small_run());
          config.split = Split::validation;
          open(config);
        }) == "2: --split validation: the run was trained without --validation images");
}
