// Mixup, cutmix and the batch's cutout in training: the loss of two labels, and runs that resume to the same
// bits.
#include <doctest/doctest.h>

#include "apps/evaluation/run_data.h"
#include "apps/training/batch_objective.h"
#include "core/ops.h"
#include "core/random.h"
#include "nn/layers.h"
#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"
#include "tests/optim/problems.h"

using namespace basin;
using test::small, test::train, test::Words;

namespace {

constexpr Index kRows = 10, kInputs = 4, kClasses = 3;

/// A linear model in f64 and a batch with the labels of partners.
struct Mixture {
  nn::Linear model;
  Entries entries;
  optim::ParameterVector w;
  data::Batch batch;

  explicit Mixture(double lambda) : model(make()), entries(entries_of(model)), w(entries.parameters) {
    Random random(5, Stream::user);
    std::vector<float> x;
    std::vector<std::int64_t> own;
    for (Index i = 0; i < kRows * kInputs; ++i) x.push_back(static_cast<float>(random.normal()));
    for (Index i = 0; i < kRows; ++i) own.push_back(i % kClasses);
    batch.images = Tensor::from(x, {kRows, kInputs});
    batch.labels = Tensor::from(own);
    batch.indices.resize(kRows);
    // The partners' labels are all predicted, so that the counts of both differ.
    nn::Context ctx;
    const Variable logits = model(Variable(batch.images.to(Dtype::f64)), ctx);
    batch.mixed = {.labels = argmax(logits.value()), .lambda = lambda};
  }
  static nn::Linear make() {
    nn::Initializer init(3, Dtype::f64);
    return nn::Linear(kInputs, kClasses, init);
  }
  optim::Evaluation evaluated(const data::Batch& given, const optim::Request& request = {}) {
    const apps::LossOptions options{.cross_entropy = {.label_smoothing = 0.1}};
    return apps::BatchObjective(model, entries, w, {given, Dtype::f64}, options, 1, 0)(request);
  }
  data::Batch with(const Tensor& labels) const {
    data::Batch one = batch;
    one.labels = labels;
    one.mixed = {};
    return one;
  }
};

}  // namespace

TEST_CASE("mixed batches: the loss and its gradient are those of both labels, by their weights") {
  for (const double lambda : {0.25, 0.5, 0.8}) {
    Mixture m(lambda);
    const optim::Evaluation mixed = m.evaluated(m.batch);
    const optim::Evaluation own = m.evaluated(m.with(m.batch.labels));
    const optim::Evaluation other = m.evaluated(m.with(m.batch.mixed.labels));
    CHECK(mixed.loss == doctest::Approx(lambda * own.loss + (1 - lambda) * other.loss).epsilon(1e-14));
    CHECK(norm(mixed.gradient - combination(lambda, own.gradient, 1 - lambda, other.gradient)) < 1e-14);
    CHECK(own.correct != other.correct);  // else the next line says nothing
    CHECK(mixed.correct == (lambda >= 0.5 ? own.correct : other.correct));
  }
}

TEST_CASE("mixed batches: micro-batches have their rows' labels of both kinds") {
  Mixture m(0.3);
  const optim::Evaluation whole = m.evaluated(m.batch);
  double loss = 0;
  std::int64_t correct = 0;
  for (const auto& [begin, end] : {std::pair{0, 3}, {3, 10}}) {
    const optim::Evaluation part = m.evaluated(m.batch, {.begin = begin, .end = end});
    loss += (end - begin) / 10.0 * part.loss;
    correct += part.correct;
  }
  CHECK(loss == doctest::Approx(whole.loss).epsilon(1e-14));
  CHECK(correct == whole.correct);
}

TEST_CASE(
    "mixed batches: a run resumed in mid-epoch goes on to the same bits, whatever the rule and workers") {
  const Words recipes[] = {
      {"--augment", "basic,mixup=0.2", "--label-smoothing", "0.1", "--label-noise", "0.2"},
      {"--augment", "cutmix=1,batch-cutout=9", "--sharpness", "sam", "--micro", "own", "--micro-size", "24"},
      {"--augment", "batch-cutout=16", "--sharpness", "gam", "--average", "swa", "--average-start", "1"},
  };
  for (const Words& recipe : recipes) {
    CAPTURE(recipe[1]);
    test::TemporaryDirectory dir;
    Words words = recipe;
    words.insert(words.end(), {"--model", "lenet5"});
    REQUIRE(train(small(dir / "straight", words)).code == 0);
    words.insert(words.end(), {"--stop-after-steps", "4"});
    REQUIRE(train(small(dir / "halved", words)).code == 0);
    REQUIRE(train(test::train_config({"--resume", dir / "halved", "--workers", "0", "--quiet"})).code == 0);
    CHECK(test::weights(dir / "halved") == test::weights(dir / "straight"));
    CHECK(test::timeless_records(dir / "halved") == test::timeless_records(dir / "straight"));
    REQUIRE(train(small(dir / "plain", {"--model", "lenet5", "--augment", "none"})).code == 0);
    CHECK(test::weights(dir / "plain") != test::weights(dir / "straight"));
  }
}

TEST_CASE("mixed batches: training has partners' labels, the images evaluated on are whole") {
  const apps::TrainConfig config = small("unused", {"--augment", "mixup=1"});
  const apps::RunData data = apps::load_run_data(config.data, config.run.seed);
  data::Loader loader(data.train, apps::training_batches(config, 1, 1));
  data::Batch batch;
  REQUIRE(loader.next(batch));
  CHECK(batch.mixed.labels.size(0) == batch.size());
  data::Loader evaluated(data.test, data::one_pass(8));
  REQUIRE(evaluated.next(batch));
  CHECK_FALSE(batch.mixed.labels.defined());
  CHECK(test::train_failure({"--augment", "mixup=1,cutmix=1"}).find("exclude each other") !=
        std::string::npos);
  CHECK(test::train_failure({"--augment", "mixup=2000"}).find("alpha from 0.01") != std::string::npos);
}
