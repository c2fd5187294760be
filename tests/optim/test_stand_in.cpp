// StandIn: the model holds other weights for a while, without statistics, and gets everything back.
#include "optim/averages/stand_in.h"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>

#include "autograd/recording.h"
#include "core/ops.h"
#include "nn/recalibration.h"
#include "optim/averages/average.h"
#include "optim/averages/collection_times.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

/// A network with statistics, trained for a few steps while its weights were averaged.
struct Trained {
  nn::Initializer init{5};
  nn::Sequential model;
  std::unique_ptr<ParameterVector> w;
  std::vector<NamedBuffer> buffers;
  std::unique_ptr<Sgd> update;
  WeightAverage average = WeightAverage::mean();

  Trained() {
    model.add<nn::Linear>(SmallNetwork::kInputs, 8, init);
    model.add<nn::BatchNorm2d>(8, init);
    model.add<nn::Relu>();
    model.add<nn::Linear>(8, SmallNetwork::kClasses, init);
    w = std::make_unique<ParameterVector>(entries_of(model).parameters);
    buffers = entries_of(model).buffers;
    update = std::make_unique<Sgd>(*w, SgdOptions{.momentum = 0.9});
    for (std::int64_t t = 0; t < 4; ++t) step(t);
  }

  void step(std::int64_t t) {
    const auto [x, y] = SmallNetwork::batch(t);
    nn::Context ctx;
    update->apply(*w, evaluate(cross_entropy(model(x, ctx), y), *w).gradient, 0.1);
    average.collect(*w);
  }

  Tensor outputs() {
    const NoRecording off;
    nn::Context ctx = nn::Context::evaluation();
    return model(SmallNetwork::batch(100).first, ctx).value();
  }

  void recalibrate() {
    nn::Recalibration recalibration(model);
    for (std::int64_t t = 50; t < 53; ++t) recalibration.add(SmallNetwork::batch(t).first);
    recalibration.finish();
  }
};

/// Everything of a model: weights and buffers.
Tensors everything(Trained& t) {
  Tensors all = state_of(t.model);
  all.push_back(t.w->values().clone());
  return all;
}

}  // namespace

TEST_CASE("stand-in: the model holds the values, its counters, and no statistics") {
  Trained t;
  const StandIn stand(*t.w, t.buffers, t.average.values());
  CHECK(same_bits(t.w->values(), t.average.values()));
  CHECK(t.model[0].kind() == std::string("linear"));
  REQUIRE(t.buffers.size() == 3);
  for (const NamedBuffer& b : t.buffers) {
    CAPTURE(b.name);
    CHECK(b.buffer->defined() == (b.kind == BufferKind::state));
  }
  CHECK(t.buffers[2].buffer->item() == 4);
  const Tensors statistics = stand.statistics();
  REQUIRE(statistics.size() == 2);
  CHECK_FALSE(statistics[0].defined());
  CHECK_THROWS_AS(t.outputs(), ArgumentError);
}

TEST_CASE("stand-in: at its end weights and buffers are the model's own, bit for bit and as handles") {
  Trained t;
  const Tensors before = everything(t);
  const Tensor w = t.w->values(), mean = *t.buffers[0].buffer;
  {
    StandIn stand(*t.w, t.buffers, t.average.values());
    t.recalibrate();
    t.buffers[2].buffer->fill(77);
    CHECK_NOTHROW(t.outputs());
  }
  CHECK(same_bits(everything(t), before));
  CHECK(t.w->values().shares_storage(w));
  CHECK(t.buffers[0].buffer->shares_storage(mean));

  const auto interrupted = [&] {
    StandIn stand(*t.w, t.buffers, t.average.values());
    t.recalibrate();
    throw std::runtime_error("interrupted");
  };
  CHECK_THROWS_AS(interrupted(), std::runtime_error);
  CHECK(same_bits(everything(t), before));
}

TEST_CASE("stand-in: training goes on as if nothing had happened") {
  Trained alone, interrupted;
  for (std::int64_t t = 4; t < 8; ++t) {
    alone.step(t);
    interrupted.step(t);
    StandIn stand(*interrupted.w, interrupted.buffers, interrupted.average.values());
    interrupted.recalibrate();
    interrupted.outputs();
  }
  CHECK(same_bits(everything(alone), everything(interrupted)));
  CHECK(same_bits(state_of(*alone.update), state_of(*interrupted.update)));
  CHECK(same_bits(alone.average.values(), interrupted.average.values()));
}

TEST_CASE("stand-in: statistics taken from it fit the same weights again, and stay copies") {
  Trained t;
  Tensors statistics;
  Tensor outputs;
  {
    StandIn stand(*t.w, t.buffers, t.average.values());
    t.recalibrate();
    statistics = stand.statistics();
    outputs = t.outputs();
  }
  CHECK_FALSE(same_bits(t.outputs(), outputs));
  StandIn again(*t.w, t.buffers, t.average.values(), statistics);
  CHECK(same_bits(t.outputs(), outputs));
  const Tensor mean = statistics[0].clone();
  t.buffers[0].buffer->fill(3);
  CHECK(same_bits(statistics[0], mean));
  again.statistics()[0].fill(4);
  CHECK(t.buffers[0].buffer->view(0, {1}).item() == 3);
}

TEST_CASE("stand-in: the model's own weights can stand in, for statistics estimated anew") {
  Trained t;
  const Tensors before = everything(t);
  {
    StandIn stand(*t.w, t.buffers, t.w->values());
    CHECK(same_bits(t.w->values(), before.back()));
    t.recalibrate();
    CHECK_FALSE(same_bits(stand.statistics()[0], before[0]));
  }
  CHECK(same_bits(everything(t), before));
}

TEST_CASE("stand-in: they nest") {
  Trained t;
  const Tensors before = everything(t);
  {
    StandIn outer(*t.w, t.buffers, t.average.values());
    t.recalibrate();
    const Tensors between = everything(t);
    {
      StandIn inner(*t.w, t.buffers, Tensor::zeros({t.w->size()}));
      CHECK_FALSE(t.buffers[0].buffer->defined());
    }
    CHECK(same_bits(everything(t), between));
  }
  CHECK(same_bits(everything(t), before));
}

TEST_CASE("usage: SWA as docs/optimizers.md shows it") {
  Trained trained;
  nn::Module& model = trained.model;
  ParameterVector& w = *trained.w;
  const std::vector<NamedBuffer>& buffers = trained.buffers;
  const auto step = [&](std::int64_t t) { trained.step(t); };
  const Tensors training_images = {SmallNetwork::batch(50).first, SmallNetwork::batch(51).first};
  const std::int64_t steps_per_epoch = 2, steps = 12;
  const Tensors before = everything(trained);
  Trained alone;
  for (std::int64_t t = 0; t < steps; ++t) alone.step(t);
  {
    WeightAverage swa = WeightAverage::mean();
    const CollectionTimes when = CollectionTimes::epochs(/*first=*/4, /*every=*/1, steps_per_epoch);
    for (std::int64_t t = 0; t < steps; ++t) {
      step(t);
      if (when.due(t + 1)) swa.collect(w);
    }
    StandIn average(w, buffers, swa.values());  // to the end of this scope the model holds the average
    nn::Recalibration recalibration(model);
    for (const Tensor& images : training_images) recalibration.add(images);
    recalibration.finish();

    CHECK(swa.n() == 3);
    CHECK(when.in_words(steps, steps_per_epoch) == "after epochs 4, 5, 6: 3 models");
    CHECK_NOTHROW(trained.outputs());
  }
  CHECK(same_bits(everything(trained), everything(alone)));
  CHECK_FALSE(same_bits(everything(trained), before));
}

TEST_CASE("stand-in: a model without buffers is no special case") {
  TanhNetwork network;
  ParameterVector w = ParameterVector::of(network);
  const Tensor before = w.values().clone();
  {
    StandIn stand(w, {}, Tensor::zeros({w.size()}, Dtype::f64));
    CHECK(norm(w.values()) == 0);
    CHECK(stand.statistics().empty());
  }
  CHECK(same_bits(w.values(), before));
}

TEST_CASE("stand-in: values or statistics that do not fit are errors and change nothing") {
  Trained t;
  const Tensors before = everything(t);
  const Index d = t.w->size();
  const Tensor fit = Tensor::zeros({d}), eight = Tensor::zeros({8});
  const auto refused = [&](const Tensor& values, const std::string& message) {
    CHECK_THROWS_WITH_AS(StandIn(*t.w, t.buffers, values), message.c_str(), ArgumentError);
    CHECK(same_bits(everything(t), before));
  };
  const std::string weights = text(" on cpu, the weights are f32 {", d, "} on cpu");
  refused(Tensor::zeros({d + 1}), text("[stand-in] the values are f32 {", d + 1, "}", weights));
  refused(Tensor::zeros({d}, Dtype::f64), text("[stand-in] the values are f64 {", d, "}", weights));
  CHECK_THROWS_AS(StandIn(*t.w, t.buffers, Tensor()), ArgumentError);
  const auto refused_statistics = [&](const Tensors& statistics, const char* message) {
    CHECK_THROWS_WITH_AS(StandIn(*t.w, t.buffers, fit, statistics), message, ArgumentError);
    CHECK(same_bits(everything(t), before));
  };
  refused_statistics({eight, Tensor()},
                     "[stand-in] no statistics were given for '1.running_var': take them from statistics() "
                     "after recalibration");
  refused_statistics({eight},
                     "[stand-in] no statistics were given for '1.running_var': take them from statistics() "
                     "after recalibration");
  refused_statistics({eight, eight, eight}, "[stand-in] 3 statistics for a model that has 2");
  refused_statistics({eight, Tensor::zeros({7})},
                     "[stand-in] '1.running_var' is f32 {8}, its statistics are f32 {7}");
}

}  // namespace basin::optim::testing
