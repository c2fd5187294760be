// DatasetObjective: loss, gradient and Hessian over a set, against one whole batch and finite differences.
#include "apps/evaluation/dataset_objective.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>

#include "autograd/recording.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "core/random.h"
#include "data/sets/synthetic.h"
#include "nn/layers.h"
#include "tests/optim/problems.h"

using namespace basin;
using apps::DatasetLoss, apps::DatasetObjective, apps::EvaluationOptions;
using optim::testing::same_bits;

namespace {

constexpr std::int64_t kImages = 23, kClasses = 4;

/// Convolution, batch norm, tanh, linear; in f64, with statistics that some training moved.
struct Net {
  nn::Sequential model;
  std::unique_ptr<optim::ParameterVector> w;
  std::shared_ptr<const data::DatasetSource> source;

  explicit Net(double dropout = 0, Dtype dtype = Dtype::f64)
      : source(std::make_shared<data::DatasetSource>(
            data::synthetic({.classes = kClasses, .size = 8, .channels = 2, .train = kImages}, 5, true),
            data::Augmentation{}, 1)) {
    nn::Initializer init(3, dtype);
    model.add<nn::Conv2d>(nn::Conv2dOptions{.in = 2, .out = 3, .pad = 1}, init);
    model.add<nn::BatchNorm2d>(3, init);
    model.add<nn::Tanh>();
    if (dropout > 0) model.add<nn::Dropout>(dropout);
    model.add<nn::Flatten>();
    model.add<nn::Linear>(8 * 8 * 3, kClasses, init);
    w = std::make_unique<optim::ParameterVector>(entries_of(model).parameters);
    const NoRecording off;
    nn::Context ctx;
    model(Variable(batch(0, kImages).images.to(dtype)), ctx);
  }

  data::Batch batch(std::int64_t begin, std::int64_t end) const {
    data::Batch b;
    data::Loader loader(source, data::one_pass(kImages));
    loader.next(b);
    b.images = b.images.slice_rows(begin, end);
    b.labels = b.labels.slice_rows(begin, end);
    return b;
  }
  DatasetObjective objective(std::int64_t batch_size, const DatasetLoss& loss = {}, int workers = 0) {
    return DatasetObjective(model, *w, source,
                            {.batch_size = batch_size, .workers = workers, .dtype = w->dtype()}, loss);
  }
  /// Loss and gradient of some rows at once, by the definition.
  optim::Evaluation direct(std::int64_t begin, std::int64_t end, nn::Context ctx, double weight_decay = 0) {
    const data::Batch b = batch(begin, end);
    const Variable logits = model(Variable(b.images.to(w->dtype())), ctx);
    return optim::evaluate(cross_entropy(logits, b.labels, {.label_smoothing = 0.1}), *w,
                           {.weight_decay = weight_decay});
  }
  Tensors buffers() {
    Tensors all;
    for (const NamedBuffer& b : entries_of(model).buffers) all.push_back(b.buffer->clone());
    return all;
  }
};

DatasetLoss smoothed(nn::Mode mode, double weight_decay = 0) {
  return {.cross_entropy = {.label_smoothing = 0.1}, .weight_decay = weight_decay, .mode = mode};
}

Tensor random_vector(Index n) {
  Random random(9, Stream::user);
  std::vector<double> x;
  for (Index i = 0; i < n; ++i) x.push_back(random.normal());
  return Tensor::from(x);
}

Tensor scaled(double a, const Tensor& x) { return unary(UnaryOp::mul_scalar, x, a); }

}  // namespace

TEST_CASE("dataset objective, eval mode: it is the whole set's loss and gradient, however it is cut") {
  Net net;
  const optim::Evaluation whole = net.direct(0, kImages, nn::Context::evaluation(), 0.01);
  const DatasetLoss loss = smoothed(nn::Mode::eval, 0.01);
  const optim::Evaluation first = net.objective(kImages, loss)({});
  CHECK(first.rows == kImages);
  CHECK(std::abs(first.loss - whole.loss) < 1e-14);
  for (const std::int64_t batch_size : {1, 2, 5, 12, 23, 100}) {
    CAPTURE(batch_size);
    const optim::Evaluation e = net.objective(batch_size, loss)({});
    CHECK(std::abs(e.loss - first.loss) < 1e-14);
    CHECK(e.correct == first.correct);
    CHECK(norm(e.gradient - whole.gradient) < 1e-13 * norm(whole.gradient));
    CHECK(net.objective(batch_size, loss).loss() == e.loss);
  }
}

TEST_CASE("dataset objective, train mode: each pass is a batch of its own, and their mean is taken") {
  Net net;
  nn::Context ctx{.statistics = nn::Statistics::hold};
  Tensor mean = Tensor::zeros({net.w->size()}, Dtype::f64);
  double loss = 0;
  for (const auto& [begin, end] : {std::pair{0, 10}, {10, 20}, {20, 23}}) {
    const optim::Evaluation part = net.direct(begin, end, ctx);
    axpby((end - begin) / 23.0, part.gradient, 1, mean);
    loss += (end - begin) / 23.0 * part.loss;
  }
  const optim::Evaluation e = net.objective(10, smoothed(nn::Mode::train))({});
  CHECK(std::abs(e.loss - loss) < 1e-14);
  CHECK(norm(e.gradient - mean) < 1e-13 * norm(mean));
  // Of running statistics as constants: the numbers of eval mode.
  DatasetLoss frozen = smoothed(nn::Mode::train);
  frozen.frozen_statistics = true;
  const optim::Evaluation running = net.direct(0, kImages, nn::Context::evaluation());
  CHECK(norm(net.objective(10, frozen)({}).gradient - running.gradient) < 1e-13 * norm(running.gradient));
}

TEST_CASE("dataset objective: workers and threads do not show in the bits, dropout draws the same again") {
  for (const nn::Mode mode : {nn::Mode::eval, nn::Mode::train}) {
    Net net(0.5, Dtype::f32);
    const Tensor v = random_vector(net.w->size()).to(Dtype::f32);
    const auto look = [&](int workers, int threads) {
      const int before = thread_count();
      set_thread_count(threads);
      const DatasetObjective loss = net.objective(6, smoothed(mode), workers);
      std::pair<optim::Evaluation, Tensor> all{loss({}), loss.hessian_vector(v)};
      set_thread_count(before);
      return all;
    };
    const auto one = look(0, 1);
    for (const auto& [workers, threads] : {std::pair{0, 1}, {2, 1}, {3, 2}}) {
      const auto other = look(workers, threads);
      CHECK(other.first.loss == one.first.loss);
      CHECK(same_bits(other.first.gradient, one.first.gradient));
      CHECK(same_bits(other.second, one.second));
    }
    DatasetLoss another = smoothed(mode);
    another.seed = 1;
    CHECK((net.objective(6, another)({}).loss == one.first.loss) == (mode == nn::Mode::eval));
  }
}

TEST_CASE(
    "dataset objective: Hessian-vector products are the gradient's differences, with decay, in both modes") {
  for (const nn::Mode mode : {nn::Mode::eval, nn::Mode::train}) {
    Net net;
    const DatasetObjective loss = net.objective(9, smoothed(mode, 0.05));
    const Tensor v = random_vector(net.w->size());
    const Tensor product = loss.hessian_vector(v);
    const double h = 1e-5;
    const Tensor here = net.w->values().clone();
    const auto gradient_at = [&](double step) {
      net.w->values().copy_from(here);
      axpby(step, v, 1, net.w->values());
      return loss({}).gradient;
    };
    const Tensor difference = scaled(1 / (2 * h), gradient_at(h) - gradient_at(-h));
    net.w->values().copy_from(here);
    CHECK(norm(product - difference) < 1e-7 * norm(product));
    CHECK(norm(product) > 0.1);

    const optim::Evaluation e = loss({.norm_gradient = true});
    const Tensor along = loss.hessian_vector(scaled(1 / norm(e.gradient), e.gradient));
    CHECK(same_bits(e.norm_gradient, along));
    // H is symmetric.
    const Tensor u = scaled(1, e.gradient);
    CHECK(std::abs(dot(u, product) - dot(v, loss.hessian_vector(u))) < 1e-9 * norm(u) * norm(product));
  }
}

TEST_CASE("dataset objective: weights, statistics and counters stay, also when an exception passes") {
  Net net(0.5);
  const Tensors buffers = net.buffers();
  const Tensor weights = net.w->values().clone();
  const DatasetLoss loss = smoothed(nn::Mode::train);
  const optim::Evaluation before = net.objective(5, loss)({});
  net.objective(5, loss).hessian_vector(before.gradient);
  net.objective(5, loss).loss();
  CHECK(same_bits(net.buffers(), buffers));

  int passes = 0;
  const EvaluationOptions stopped{
      .batch_size = 5, .dtype = Dtype::f64, .watch = [&](std::int64_t done, std::int64_t of) {
        CHECK(of == kImages);
        CHECK(done == 5 * ++passes);
        if (passes == 3) throw NumericalError("stop");
      }};
  const DatasetObjective failing(net.model, *net.w, net.source, stopped, loss);
  CHECK_THROWS_AS(failing({}), NumericalError);
  passes = 0;
  CHECK_THROWS_AS(failing.hessian_vector(before.gradient), NumericalError);
  passes = 0;
  CHECK_THROWS_AS(failing.loss(), NumericalError);
  CHECK(same_bits(net.buffers(), buffers));
  CHECK(same_bits(net.w->values(), weights));
  const optim::Evaluation after = net.objective(5, loss)({});
  CHECK(after.loss == before.loss);
  CHECK(same_bits(after.gradient, before.gradient));
}

TEST_CASE("dataset objective: what it cannot be of is an error") {
  Net net;
  const DatasetObjective loss = net.objective(5);
  CHECK_THROWS_AS(loss({.begin = 0, .end = 5}), ArgumentError);
  CHECK_NOTHROW(loss({.begin = 0, .end = kImages}));
  CHECK_THROWS_AS(loss.hessian_vector(Tensor::zeros({3}, Dtype::f64)), ArgumentError);
  CHECK_THROWS_AS(net.objective(0), ArgumentError);
}

TEST_CASE("dataset objective: batches that are kept are prepared once, and show in no bits") {
  /// Counts how often an example is asked for.
  struct Counting : data::ExampleSource {
    std::shared_ptr<const data::ExampleSource> all;
    mutable std::atomic<int> asked = 0;
    std::int64_t size() const override { return all->size(); }
    Shape image_shape() const override { return all->image_shape(); }
    std::int64_t write(std::int64_t epoch, std::int64_t index, float* image) const override {
      ++asked;
      return all->write(epoch, index, image);
    }
  };
  Net net;
  auto counting = std::make_shared<Counting>();
  counting->all = net.source;
  DatasetObjective loss(net.model, *net.w, counting, {.batch_size = 10, .dtype = Dtype::f64},
                        smoothed(nn::Mode::eval));
  const optim::Evaluation before = loss({});
  CHECK(counting->asked == kImages);
  loss.keep_batches();
  for (int pass = 0; pass < 3; ++pass) {
    const optim::Evaluation e = loss.forward();
    CHECK(e.loss == before.loss);
    CHECK(e.correct == before.correct);
    CHECK(e.rows == kImages);
    CHECK(same_bits(loss({}).gradient, before.gradient));
  }
  CHECK(counting->asked == 2 * kImages);
  loss.keep_batches(kImages * 8 * 8 * 2 * 4 - 1);  // a byte too few
  loss.forward();
  loss.forward();
  CHECK(counting->asked == 4 * kImages);
}

TEST_CASE("dataset objective: the penalty is that whose gradient the weight decay adds") {
  Net net;
  const double decay = 0.3;
  const DatasetObjective with = net.objective(10, smoothed(nn::Mode::eval, decay)),
                         without = net.objective(10);
  CHECK(without.penalty() == 0);
  const double squared = norm(net.w->values()).value() * norm(net.w->values()).value();
  CHECK(with.penalty() == doctest::Approx(decay * squared / 2));
}
