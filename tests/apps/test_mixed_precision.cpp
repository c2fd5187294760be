// Steps and evaluation with bf16 activations, on the test device: near what f32 gives.
#include <doctest/doctest.h>

#include <cmath>

#include "apps/evaluation/dataset_objective.h"
#include "apps/evaluation/evaluation.h"
#include "apps/training/batch_objective.h"
#include "apps/training/experiment.h"
#include "core/ops.h"
#include "optim/gradient/sam.h"
#include "tests/apps/training.h"
#include "tests/device/test_device.h"
#include "tests/optim/problems.h"

using namespace basin;
using basin::testing::host_reads, basin::testing::test_device;

namespace {

struct Run {
  apps::TrainConfig config;
  apps::RunData data;
  apps::Experiment experiment;
  data::Loader loader;

  explicit Run(const test::Words& words)
      : config(on_device(test::small("unused", words))),
        data(apps::load_run_data(config.data, config.run.seed)),
        experiment(config, data.set, apps::run_length(config.schedule, data.train->size())),
        loader(data.train, with_images(apps::training_batches(config, 0, 0))) {}

  static apps::TrainConfig on_device(apps::TrainConfig config) {
    config.device.device = test_device();
    return config;
  }
  static data::LoaderOptions with_images(data::LoaderOptions options) {
    options.drawn_only = false;
    return options;
  }
  data::Batch next() {
    data::Batch batch;
    REQUIRE(loader.next(batch));
    return batch;
  }
  apps::BatchObjective loss_of(const data::Batch& batch, Dtype activations) {
    return {experiment.model(), experiment.entries(), experiment.weights(), {batch, activations}, {}, 7, 0};
  }
};

double cosine(const Tensor& a, const Tensor& b) {
  return dot(a, b).value() / (norm(a).value() * norm(b).value());
}

}  // namespace

TEST_CASE("bf16 steps: loss and gradient of a batch, whole, in parts and mixed, without a read by the host") {
  for (const test::Words& words : {test::Words{}, test::Words{"--augment", "mixup=0.4"}}) {
    Run run(words);
    const data::Batch batch = run.next();
    apps::BatchObjective wide = run.loss_of(batch, Dtype::f32), half = run.loss_of(batch, Dtype::bf16);
    for (const optim::Request& request :
         {optim::Request{.pass = optim::Pass::repeat},
          optim::Request{.pass = optim::Pass::repeat, .begin = 16, .end = 48}}) {
      const optim::Evaluation a = wide(request);
      const std::int64_t before = host_reads();
      const optim::Evaluation b = half(request);
      CHECK(host_reads() == before);
      CHECK(b.gradient.dtype() == Dtype::f32);
      CHECK(b.loss.value() == doctest::Approx(a.loss.value()).epsilon(0.02));
      CHECK(b.loss.value() != a.loss.value());
      CHECK(cosine(a.gradient, b.gradient) > 0.99);
    }
  }
}

TEST_CASE("bf16 steps: descent along SAM's direction lowers the loss, the weights and statistics stay f32") {
  Run run({});
  const data::Batch batch = run.next();
  optim::ParameterVector& w = run.experiment.weights();
  optim::Sam sam({.rho = 0.05});
  apps::BatchObjective loss = run.loss_of(batch, Dtype::bf16);
  const double before = loss({.pass = optim::Pass::repeat}).loss.value();
  for (std::int64_t step = 0; step < 10; ++step) {
    const optim::Direction d = sam.direction([&](const optim::Request& r) { return loss(r); }, w,
                                             {.step = step, .lr = 0.1, .rows = batch.size()});
    CHECK(d.vector.dtype() == Dtype::f32);
    axpby(-0.1, d.vector, 1, w.values());
  }
  CHECK(loss({.pass = optim::Pass::repeat}).loss.value() < 0.95 * before);
  for (const NamedBuffer& b : run.experiment.entries().buffers)
    if (b.buffer->dtype() != Dtype::i64) CHECK(b.buffer->dtype() == Dtype::f32);
}

TEST_CASE("bf16: evaluation and recalibration are near f32's, a data set's loss is computed in f32") {
  Run run({});
  const auto classes = run.data.set.classes();
  const auto with = [](Dtype t) { return apps::EvaluationOptions{.batch_size = 32, .dtype = t}; };
  apps::recalibrate(run.experiment.model(), run.data.train, 7, 0, {}, with(Dtype::bf16));
  const apps::Tally wide = apps::evaluate(run.experiment.model(), run.data.train, classes, with(Dtype::f32));
  const apps::Tally half = apps::evaluate(run.experiment.model(), run.data.train, classes, with(Dtype::bf16));
  CHECK(half.loss() == doctest::Approx(wide.loss()).epsilon(0.02));
  CHECK(half.loss() != wide.loss());

  const auto loss = [&](Dtype t) {
    return apps::DatasetObjective(run.experiment.model(), run.experiment.weights(), run.data.train, with(t))
        .loss();
  };
  CHECK(loss(Dtype::bf16) == loss(Dtype::f32));
}
