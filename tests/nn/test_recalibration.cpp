// Recalibration: what each mode computes (swa_landscape.md, item 5.2), and everything that it leaves alone.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "autograd/recording.h"
#include "core/parallel.h"
#include "nn/layers.h"
#include "nn/models/registry.h"
#include "nn/recalibration.h"

using namespace basin;
using doctest::Approx;
using nn::RecalibrationMode;

namespace {

using Numbers = std::vector<double>;

constexpr RecalibrationMode kModes[] = {RecalibrationMode::pooled, RecalibrationMode::sample_weighted,
                                        RecalibrationMode::equal_batches};

/// n rows of one pixel and one channel.
Tensor column(const Numbers& values) {
  return Tensor::from<double>(values, {static_cast<Index>(values.size()), 1, 1, 1});
}

/// Running mean and variance of every layer, in the order of description.
std::vector<Numbers> statistics_of(nn::Module& model) {
  std::vector<Numbers> all;
  for (const NamedBuffer& b : entries_of(model).buffers)
    if (b.kind == BufferKind::statistics) all.push_back(b.buffer->to_vector<double>());
  return all;
}

bool has_stale(nn::Module& model) {
  for (const NamedBuffer& b : entries_of(model).buffers)
    if (b.kind == BufferKind::statistics && !b.buffer->defined()) return true;
  return false;
}

void make_stale(nn::Module& model) {
  for (const NamedBuffer& b : entries_of(model).buffers)
    if (b.kind == BufferKind::statistics) *b.buffer = Tensor();
}

/// {mean, variance} of a one-channel layer after these batches.
std::vector<Numbers> recalibrated(RecalibrationMode mode, const std::vector<Numbers>& batches) {
  nn::Initializer init(1, Dtype::f64);
  nn::BatchNorm2d norm(1, init);
  make_stale(norm);
  nn::Recalibration recalibration(norm, {.mode = mode});
  for (const Numbers& batch : batches) recalibration.add(column(batch));
  recalibration.finish();
  return statistics_of(norm);
}

void check_close(const std::vector<Numbers>& got, const std::vector<Numbers>& expected,
                 double tolerance = 1e-12) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    REQUIRE(got[i].size() == expected[i].size());
    for (std::size_t c = 0; c < got[i].size(); ++c)
      CHECK(got[i][c] == Approx(expected[i][c]).epsilon(tolerance));
  }
}

/// A one-channel network norm1 - relu - norm2 - dropout, in f64.
struct TwoNorms : nn::Sequential {
  explicit TwoNorms(double dropout = 0) {
    nn::Initializer init(3, Dtype::f64);
    add<nn::BatchNorm2d>(1, init);
    add<nn::Relu>();
    add<nn::BatchNorm2d>(1, init);
    add<nn::Dropout>(dropout);
    // gamma and beta that are not 1 and 0.
    const Entries all = entries_of(*this);
    const double values[] = {1.5, 0.25, -0.75, 2};
    for (std::size_t i = 0; i < 4; ++i)
      *all.parameters[i].parameter = Variable::parameter(Tensor::full({1}, values[i], Dtype::f64));
  }
};

/// A layer that counts its calls, notes whether they are recorded, and fails at one of them.
struct Counting : nn::FunctionModule {
  Counting() : FunctionModule("counting", [](const Variable& x) { return x; }) {}
  int calls = 0;
  int failing = -1;
  bool recorded = false;

 protected:
  Variable forward(const Variable& x, nn::Context&) override {
    recorded = recorded || recording();
    if (calls++ == failing) throw DataError("no more");
    return x;
  }
};

}  // namespace

TEST_CASE("recalibration in three modes (swa_landscape.md, item 5.2)") {
  const std::vector<Numbers> batches = {{1, 2, 3, 4}, {5, 6}};
  check_close(recalibrated(RecalibrationMode::sample_weighted, batches), {{3.5}, {23.0 / 18}});  // 1.277778
  check_close(recalibrated(RecalibrationMode::equal_batches, batches), {{4}, {13.0 / 12}});      // 1.083333
  check_close(recalibrated(RecalibrationMode::pooled, batches), {{3.5}, {35.0 / 12}});           // 2.916667
}

TEST_CASE("fixed momentum 0.1 from (0, 1) is what training does (swa_landscape.md, item 5.2)") {
  nn::Initializer init(1, Dtype::f64);
  nn::BatchNorm2d norm(1, init);
  nn::Context ctx;
  norm(column({1, 2, 3, 4}), ctx);
  norm(column({5, 6}), ctx);
  check_close(statistics_of(norm), {{0.775}, {1.01}});
}

TEST_CASE("equal batches: the two modes of the authors coincide (swa_landscape.md, item 5.2)") {
  const std::vector<Numbers> batches = {{1, 2, 4}, {5, 6, -3}, {0.5, 9, 9}};
  check_close(recalibrated(RecalibrationMode::sample_weighted, batches),
              recalibrated(RecalibrationMode::equal_batches, batches));
}

TEST_CASE("only the pooled mode is independent of the split into batches (swa_landscape.md, item 5.2)") {
  // Offset and spread far apart: a sum of squares would lose twelve digits here.
  const Numbers all = {1e6 + 1, 1e6 + 2, 1e6 + 3, 1e6 + 4, 1e6 + 5, 1e6 + 6, 1e6 + 9};
  const std::vector<std::vector<Numbers>> splits = {
      {all},
      {{all[0], all[1], all[2]}, {all[3], all[4], all[5], all[6]}},
      {{all[0], all[1]}, {all[2], all[3]}, {all[4], all[5], all[6]}},
      {{all[0]}, {all[1], all[2], all[3], all[4], all[5]}, {all[6]}}};
  const double mean = 1e6 + 30.0 / 7, variance = 172.0 / 7 - 900.0 / 49;
  for (const auto& split : splits)
    check_close(recalibrated(RecalibrationMode::pooled, split), {{mean}, {variance}}, 1e-9);
  for (RecalibrationMode mode : {RecalibrationMode::sample_weighted, RecalibrationMode::equal_batches})
    CHECK(recalibrated(mode, splits[1])[1][0] != Approx(recalibrated(mode, splits[2])[1][0]).epsilon(1e-3));
}

TEST_CASE("a second norm layer meets what the first makes of the batch (swa_landscape.md, item 5.2)") {
  const std::vector<Numbers> batches = {{1, 2, 3, 4}, {5, 6, 10}};
  // By hand: norm1 with the batch's own moments, gamma 1.5, beta 0.25, ReLU.
  std::vector<Numbers> hidden;
  for (const Numbers& batch : batches) {
    const auto n = static_cast<double>(batch.size());
    const double mean = std::accumulate(batch.begin(), batch.end(), 0.0) / n;
    double var = 0;
    for (double v : batch) var += (v - mean) * (v - mean) / n;
    Numbers out;
    for (double v : batch) out.push_back(std::max(0.0, 1.5 * (v - mean) / std::sqrt(var + 1e-5) + 0.25));
    hidden.push_back(out);
  }
  for (RecalibrationMode mode : kModes) {
    TwoNorms net;
    make_stale(net);
    nn::Recalibration recalibration(net, {.mode = mode});
    for (const Numbers& batch : batches) recalibration.add(column(batch));
    CHECK(recalibration.finish() == 7);
    std::vector<Numbers> expected = recalibrated(mode, batches);
    for (const Numbers& numbers : recalibrated(mode, hidden)) expected.push_back(numbers);
    check_close(statistics_of(net), expected);
  }
}

TEST_CASE("recalibration leaves weights, counters and training draws as they are") {
  TwoNorms net(0.5), other(0.5);
  const Tensor images = column({1, 2, 3, 4, 5, 9, 2, 7});
  const auto train_step = [&](nn::Module& model) {
    nn::Context ctx{.statistics = nn::Statistics::hold, .seed = 5, .step = 3};
    return model(images, ctx).value().to_vector<double>();
  };
  std::vector<std::uint64_t> versions;
  for (const NamedParameter& p : entries_of(net).parameters)
    versions.push_back(p.parameter->value().version());
  nn::Recalibration recalibration(net);
  recalibration.add(images);
  CHECK(statistics_of(net) == statistics_of(other));  // written by finish() alone
  recalibration.finish();
  CHECK(statistics_of(net) != statistics_of(other));

  const Entries now = entries_of(net), before = entries_of(other);
  for (std::size_t i = 0; i < now.parameters.size(); ++i) {
    CHECK(now.parameters[i].parameter->value().version() == versions[i]);
    CHECK(now.parameters[i].parameter->value().item() == before.parameters[i].parameter->value().item());
  }
  for (const NamedBuffer& b : now.buffers) {
    CHECK(b.kind == (b.name.ends_with("tracked") ? BufferKind::state : BufferKind::statistics));
    if (b.kind == BufferKind::state) CHECK(b.buffer->item() == 0);
  }
  CHECK(train_step(net) == train_step(other));
  CHECK(recording());
}

TEST_CASE("dropout is off in a recalibration unless asked for") {
  nn::Initializer init(1, Dtype::f64);
  const auto of = [&](double p, const nn::RecalibrationOptions& options, int batches = 2) {
    nn::Sequential net;
    net.add<nn::Dropout>(p);
    net.add<nn::BatchNorm2d>(1, init);
    nn::Recalibration recalibration(net, options);
    for (int i = 0; i < batches; ++i) recalibration.add(column({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
    recalibration.finish();
    return statistics_of(net);
  };
  CHECK(of(0.5, {}) == of(0, {}));
  CHECK(of(0.5, {.seed = 4}) == of(0.5, {}));
  const nn::RecalibrationOptions on{.dropout = true, .seed = 4};
  CHECK(of(0.5, on) != of(0, {}));
  CHECK(of(0.5, on) == of(0.5, on));
  CHECK(of(0.5, on) != of(0.5, {.dropout = true, .seed = 5}));
  CHECK(of(0.5, on) != of(0.5, {.dropout = true, .seed = 4, .step = 1}));
  CHECK(of(0.5, on, 2) != of(0.5, on, 1));  // the same images meet other masks
  CHECK(of(0, on, 2) == of(0, on, 1));
}

TEST_CASE("stale statistics are refused until a recalibration") {
  TwoNorms net;
  CHECK(nn::needs_recalibration(net));
  CHECK_FALSE(has_stale(net));
  make_stale(net);
  CHECK(nn::needs_recalibration(net));
  CHECK(has_stale(net));
  const Tensor images = column({1, 2, 3, 4});
  const char* refusal =
      "[batch_norm] the running statistics are not those of these weights (averaged weights need a "
      "recalibration first: nn/recalibration.h)";
  nn::Context eval = nn::Context::evaluation(), train, hold{.statistics = nn::Statistics::hold};
  CHECK_THROWS_WITH_AS(net(images, eval), refusal, ArgumentError);
  CHECK_THROWS_WITH_AS(net(images, train), refusal, ArgumentError);
  CHECK_NOTHROW(net(images, hold));
  // One of the two is not enough.
  const Entries all = entries_of(net);
  *all.buffers[0].buffer = Tensor::zeros({1}, Dtype::f64);
  CHECK_THROWS_WITH_AS(net(images, eval), refusal, ArgumentError);

  nn::Recalibration recalibration(net);
  recalibration.add(images);
  CHECK(recalibration.finish() == 4);
  CHECK_FALSE(has_stale(net));
  CHECK_NOTHROW(net(images, eval));
  CHECK_NOTHROW(net(images, train));

  nn::Context collect{.statistics = nn::Statistics::collect};
  CHECK_THROWS_WITH_AS(net(images, collect), doctest::Contains("needs a collector"), ArgumentError);
}

TEST_CASE("a recalibrated layer normalises the set itself to beta and gamma") {
  nn::Initializer init(2, Dtype::f64);
  nn::BatchNorm2d norm(3, init, {.eps = 1e-300});
  const Tensor images = init.normal({12, 4, 5, 3}, 7, 3);
  nn::Recalibration recalibration(norm);
  recalibration.add(images.slice_rows(0, 5));
  recalibration.add(images.slice_rows(5, 6));
  recalibration.add(images.slice_rows(6, 12));
  CHECK(recalibration.finish() == 12);
  nn::Context whole{.statistics = nn::Statistics::hold}, eval = nn::Context::evaluation();
  const Numbers by_batch = norm(images, whole).value().to_vector<double>();
  const Numbers by_running = norm(images, eval).value().to_vector<double>();
  for (std::size_t i = 0; i < by_batch.size(); ++i)
    CHECK(by_running[i] == Approx(by_batch[i]).epsilon(1e-11));
}

TEST_CASE("finish() makes new tensors, and more batches may follow it") {
  nn::Initializer init(1, Dtype::f64);
  nn::BatchNorm2d norm(1, init);
  const Tensor kept = *entries_of(norm).buffers[0].buffer;
  nn::Recalibration recalibration(norm);
  recalibration.add(column({1, 2, 3, 4}));
  CHECK(recalibration.finish() == 4);
  check_close(statistics_of(norm), {{2.5}, {1.25}});
  CHECK(kept.item() == 0);
  recalibration.add(column({5, 6}));
  CHECK(recalibration.finish() == 6);
  check_close(statistics_of(norm), {{3.5}, {35.0 / 12}});
}

TEST_CASE("a model without running statistics gets no forward pass (swa_landscape.md, item 5.2)") {
  nn::Sequential net;
  Counting& counting = net.add<Counting>();
  CHECK_FALSE(nn::needs_recalibration(net));
  CHECK_FALSE(has_stale(net));
  nn::Recalibration recalibration(net);
  recalibration.add(column({1, 2}));
  CHECK(counting.calls == 0);
  CHECK(recalibration.finish() == 0);
}

TEST_CASE("a forward pass that fails counts for nothing") {
  nn::Initializer init(1, Dtype::f64);
  nn::Sequential net;
  net.add<nn::BatchNorm2d>(1, init);
  Counting& counting = net.add<Counting>();
  make_stale(net);
  nn::Recalibration recalibration(net);
  recalibration.add(column({1, 2, 3, 4}));
  counting.failing = 1;
  CHECK_THROWS_AS(recalibration.add(column({100, 200})), DataError);
  CHECK(has_stale(net));
  CHECK(counting.calls == 2);
  CHECK_FALSE(counting.recorded);
  CHECK(recording());
  recalibration.add(column({5, 6}));
  CHECK(recalibration.finish() == 6);
  check_close(statistics_of(net), {{3.5}, {35.0 / 12}});
}

TEST_CASE("a layer that no batch reaches keeps its statistics") {
  struct Unused : nn::Module {
    nn::BatchNorm2d used, unused;
    explicit Unused(nn::Initializer init) : used(1, init), unused(1, init) {}
    void describe(Inventory& it) override {
      it.child("used", used);
      it.child("unused", unused);
    }
    const char* kind() const override { return "unused"; }
    Variable forward(const Variable& x, nn::Context& ctx) override { return used(x, ctx); }
  } net{nn::Initializer(1, Dtype::f64)};
  nn::Recalibration recalibration(net);
  recalibration.add(column({1, 2, 3, 4}));
  recalibration.finish();
  check_close(statistics_of(net), {{2.5}, {1.25}, {0}, {1}});
}

TEST_CASE("what a recalibration cannot use is said in words") {
  TwoNorms net;
  {
    nn::Recalibration recalibration(net);
    CHECK_THROWS_WITH_AS(recalibration.finish(),
                         "[recalibration] no batch to take statistics from; call add(images) before finish()",
                         ArgumentError);
    CHECK_THROWS_WITH_AS(recalibration.add(Tensor::zeros({0, 1, 1, 1}, Dtype::f64)),
                         "[recalibration] a batch without images, shape {0,1,1,1}", ArgumentError);
    CHECK_THROWS_WITH_AS(recalibration.add(column({1, std::numeric_limits<double>::infinity()})),
                         "[recalibration] 0: mean or variance of batch 1 is not finite; look for infinite "
                         "weights or images",
                         NumericalError);
    CHECK_THROWS_AS(recalibration.finish(), ArgumentError);
  }
  for (RecalibrationMode mode : {RecalibrationMode::sample_weighted, RecalibrationMode::equal_batches}) {
    nn::Recalibration recalibration(net, {.mode = mode});
    CHECK_THROWS_WITH_AS(recalibration.add(column({3})),
                         "[recalibration] 0 met one value a channel, which has no unbiased variance; use "
                         "larger batches, leave out the last one, or take the pooled mode",
                         ArgumentError);
  }
}

TEST_CASE("recalibration has the same bits for any number of threads") {
  const auto run = [](int threads) {
    const WithThreads with(threads);
    auto model = nn::make_model({.name = "resnet20", .height = 16, .width = 16});
    make_stale(*model);
    nn::Initializer draws(5);
    nn::Recalibration recalibration(*model);
    for (Index rows : {16, 16, 5}) recalibration.add(draws.normal({rows, 16, 16, 3}, 0, 1));
    CHECK(recalibration.finish() == 37);
    return statistics_of(*model);
  };
  const std::vector<Numbers> one = run(1);
  for (int threads : {2, 3, 5}) CHECK(run(threads) == one);
  CHECK(one.size() == 2 * 19);
}
