// BatchObjective: what a step's loss is for the whole batch, for a micro-batch, and what it does to the
// model.
#include "apps/training/batch_objective.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/ops.h"
#include "core/random.h"
#include "nn/layers.h"
#include "nn/shake.h"
#include "tests/optim/problems.h"

using namespace basin;
using apps::BatchObjective, apps::MicroNorm;
using optim::testing::same_bits;

namespace {

constexpr Index kRows = 12, kInputs = 6, kClasses = 3;

/// Linear, batch norm, dropout, linear; f64.
struct Net {
  nn::Sequential model;
  Entries entries;
  std::unique_ptr<optim::ParameterVector> w;
  data::Batch batch;

  explicit Net(double dropout = 0) {
    nn::Initializer init(3, Dtype::f64);
    model.add<nn::Linear>(kInputs, 5, init);
    model.add<nn::BatchNorm2d>(5, init);
    if (dropout > 0) model.add<nn::Dropout>(dropout);
    model.add<nn::Linear>(5, kClasses, init);
    entries = entries_of(model);
    w = std::make_unique<optim::ParameterVector>(entries.parameters);
    Random random(1, Stream::user);
    std::vector<float> x;
    std::vector<std::int64_t> y;
    for (Index i = 0; i < kRows * kInputs; ++i) x.push_back(static_cast<float>(random.normal()));
    for (Index i = 0; i < kRows; ++i) y.push_back(i % kClasses);
    batch.images = Tensor::from(x, {kRows, kInputs});
    batch.labels = Tensor::from(y);
    batch.indices.resize(kRows);
  }
  BatchObjective objective(const apps::LossOptions& options = {}, std::int64_t step = 0) {
    return BatchObjective(model, entries, *w, {batch, Dtype::f64}, options, 1, step);
  }
  Tensors buffers() const {
    Tensors all;
    for (const NamedBuffer& b : entries.buffers) all.push_back(b.buffer->clone());
    return all;
  }
  void restore(const Tensors& saved) {
    for (std::size_t i = 0; i < saved.size(); ++i) entries.buffers[i].buffer->copy_from(saved[i]);
  }
};

}  // namespace

TEST_CASE("batch objective: a repeat has the loss of the first pass and leaves the statistics alone") {
  Net net(0.5);
  BatchObjective loss = net.objective();
  const optim::Evaluation first = loss({});
  const Tensors after = net.buffers();
  const optim::Evaluation again = loss({.pass = optim::Pass::repeat});
  CHECK(again.loss == first.loss);
  CHECK(same_bits(again.gradient, first.gradient));
  CHECK(same_bits(net.buffers(), after));
  CHECK(first.rows == kRows);
  // Another step draws other masks.
  BatchObjective next = net.objective({}, 1);
  CHECK(next({.pass = optim::Pass::repeat}).loss != first.loss);
}

TEST_CASE(
    "batch objective: micro-batches move the statistics once, to the mean of what each would make of them") {
  Net net;
  const Tensors before = net.buffers();
  // Each part on its own, from the start.
  Tensors mean;
  for (const auto& [begin, end] : {std::pair{0, 8}, {8, 12}}) {
    net.restore(before);
    nn::Context ctx;
    net.model(Variable(net.batch.images.slice_rows(begin, end).to(Dtype::f64)), ctx);
    const Tensors own = net.buffers();
    for (std::size_t i = 0; i < own.size(); ++i) {
      const Tensor part = unary(UnaryOp::mul_scalar, own[i].to(Dtype::f64), (end - begin) / 12.0);
      if (mean.size() <= i)
        mean.push_back(part);
      else
        mean[i] = mean[i] + part;
    }
  }
  net.restore(before);
  BatchObjective loss = net.objective();
  for (const auto& [begin, end] : {std::pair{0, 8}, {8, 12}}) {
    loss({.pass = optim::Pass::first, .begin = begin, .end = end});
    loss({.pass = optim::Pass::repeat, .begin = begin, .end = end});
  }
  const Tensors after = net.buffers();
  for (std::size_t i = 0; i < after.size(); ++i) CHECK(norm(after[i].to(Dtype::f64) - mean[i]) < 1e-14);
  CHECK(after[2].item() == 1);  // num_batches_tracked: one step
}

TEST_CASE("batch objective: where norm sees the batch, the parts' gradients add up to the batch's") {
  Net net(0.3);
  const Tensors before = net.buffers();
  BatchObjective whole = net.objective();
  const optim::Evaluation all = whole({});
  const Tensors after = net.buffers();

  net.restore(before);
  BatchObjective loss = net.objective({.micro_norm = MicroNorm::batch});
  Tensor sum;
  double mean = 0;
  std::int64_t correct = 0;
  for (const auto& [begin, end] : {std::pair{0, 7}, {7, 12}}) {
    const optim::Evaluation e = loss({.pass = optim::Pass::first, .begin = begin, .end = end});
    const double share = (end - begin) / 12.0;
    mean += share * e.loss;
    correct += e.correct;
    const Tensor part = unary(UnaryOp::mul_scalar, e.gradient, share);
    sum = sum.defined() ? sum + part : part;
  }
  CHECK(mean == doctest::Approx(all.loss).epsilon(1e-14));
  CHECK(norm(sum - all.gradient) < 1e-14);
  CHECK(correct == all.correct);
  CHECK(same_bits(net.buffers(), after));  // moved once, by the batch

  // On their own, parts see other statistics.
  net.restore(before);
  BatchObjective own = net.objective();
  const double apart = (7 * own({.begin = 0, .end = 7}).loss + 5 * own({.begin = 7, .end = 12}).loss) / 12;
  CHECK(std::abs(apart - all.loss) > 1e-6);
}

TEST_CASE("batch objective: micro-batches draw masks of their own, the same in every pass") {
  nn::Sequential model;
  nn::Initializer init(3, Dtype::f64);
  model.add<nn::Dropout>(0.5);
  model.add<nn::Linear>(kInputs, kClasses, init);
  Entries entries = entries_of(model);
  optim::ParameterVector w(entries.parameters);
  data::Batch batch;
  batch.images = Tensor::full({4, kInputs}, 1, Dtype::f32);
  batch.labels = Tensor::from(std::vector<std::int64_t>{0, 0, 0, 0});
  batch.indices.resize(4);
  BatchObjective loss(model, entries, w, {batch, Dtype::f64}, {}, 1, 0);
  const optim::Evaluation a = loss({.begin = 0, .end = 2}), b = loss({.begin = 2, .end = 4});
  CHECK_FALSE(same_bits(a.gradient, b.gradient));  // equal rows, other masks
  CHECK(same_bits(loss({.pass = optim::Pass::repeat, .begin = 0, .end = 2}).gradient, a.gradient));
  CHECK(same_bits(loss({.pass = optim::Pass::repeat, .begin = 2, .end = 4}).gradient, b.gradient));
}

TEST_CASE(
    "batch objective: a pass asked for the true gradient has the loss of the usual one and the loss's "
    "slope") {
  nn::Sequential model;
  nn::Initializer init(3, Dtype::f64);
  model.add<nn::Linear>(kInputs, kClasses, init);
  model.add<nn::ShakeDrop>();
  Entries entries = entries_of(model);
  optim::ParameterVector w(entries.parameters);
  const Net net;
  BatchObjective loss(model, entries, w, {net.batch, Dtype::f64}, {}, 1, 0);
  const optim::Evaluation usual = loss({}),
                          truth = loss({.pass = optim::Pass::repeat, .true_gradient = true});
  CHECK(truth.loss == usual.loss);
  const double h = 1e-6;
  const Tensor v = unary(UnaryOp::mul_scalar, truth.gradient, 1 / norm(truth.gradient));
  axpby(h, v, 1, w.values());
  const double above = loss({.pass = optim::Pass::repeat}).loss;
  axpby(-2 * h, v, 1, w.values());
  const double slope = (above - loss({.pass = optim::Pass::repeat}).loss) / (2 * h);
  CHECK(norm(truth.gradient) == doctest::Approx(slope).epsilon(1e-6));
  CHECK(norm(usual.gradient - truth.gradient) > 0.05 * norm(truth.gradient));
}

TEST_CASE("batch objective: weight decay in the loss is taken at the weights as they are") {
  Net net;
  BatchObjective plain = net.objective(), decayed = net.objective({.weight_decay = 0.1});
  const optim::Evaluation a = plain({.pass = optim::Pass::repeat}),
                          b = decayed({.pass = optim::Pass::repeat});
  CHECK(a.loss == b.loss);
  CHECK(norm(combination(1, b.gradient, -1, a.gradient) - unary(UnaryOp::mul_scalar, net.w->values(), 0.1)) <
        1e-15);
  net.w->values().copy_from(unary(UnaryOp::mul_scalar, net.w->values(), 2));
  const optim::Evaluation c = plain({.pass = optim::Pass::repeat}),
                          d = decayed({.pass = optim::Pass::repeat});
  CHECK(norm(combination(1, d.gradient, -1, c.gradient) - unary(UnaryOp::mul_scalar, net.w->values(), 0.1)) <
        1e-15);
}

TEST_CASE("batch objective: a failure is named by loss or by parameter") {
  Net net;
  BatchObjective loss = net.objective();
  loss({});
  CHECK_FALSE(loss.failure().loss);
  CHECK(loss.failure().parameter.empty());
  net.batch.images.mutable_data<float>()[3] = std::numeric_limits<float>::infinity();
  BatchObjective broken = net.objective();
  broken({});
  CHECK(broken.failure().loss);
}
