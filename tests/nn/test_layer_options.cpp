// What the layers refuse: sizes below 1, numbers out of their range or not numbers, and a batch norm that is
// to normalise one value by itself.
#include <doctest/doctest.h>

#include <cmath>

#include "nn/attention.h"
#include "nn/layers.h"
#include "nn/models/pyramidnet.h"
#include "nn/models/vit.h"
#include "nn/shake.h"

using namespace basin;
using namespace basin::nn;

namespace {

const double kNan = std::nan("");

TEST_CASE("layers: sizes say what is wrong with them") {
  Initializer init(1);
  CHECK_THROWS_WITH_AS(Linear(0, 3, init), "[linear] in must be at least 1, got 0", ArgumentError);
  CHECK_THROWS_WITH_AS(Linear(3, -1, init), "[linear] out must be at least 1, got -1", ArgumentError);
  CHECK_THROWS_AS(Linear(Tensor::zeros({2, 3}), Tensor::zeros({3})), ArgumentError);
  CHECK_THROWS_AS(Linear(Tensor::zeros({6}), Tensor::zeros({6})), ArgumentError);
  const auto conv = [&](const Conv2dOptions& o) { Conv2d(o, init); };
  CHECK_THROWS_WITH_AS(conv({.in = 0, .out = 1}), "[conv2d] in must be at least 1, got 0", ArgumentError);
  CHECK_THROWS_WITH_AS(conv({.in = 1, .out = 0}), "[conv2d] out must be at least 1, got 0", ArgumentError);
  CHECK_THROWS_WITH_AS(conv({.in = 1, .out = 1, .kernel = 0}), "[conv2d] kernel must be at least 1, got 0",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(conv({.in = 1, .out = 1, .stride = -1}), "[conv2d] stride must be at least 1, got -1",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(conv({.in = 1, .out = 1, .pad = -1}), "[conv2d] pad must be at least 0, got -1",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(conv({.in = 4, .out = 4, .groups = 0}), "[conv2d] groups must be at least 1, got 0",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(conv({.in = 4, .out = 6, .groups = 4}),
                       "[conv2d] 4 groups do not divide 4 input and 6 output channels", ArgumentError);
  CHECK_THROWS_AS(BatchNorm2d(0, init), ArgumentError);
  CHECK_THROWS_AS(LayerNorm(0, init), ArgumentError);
  CHECK_THROWS_WITH_AS(SelfAttention(8, 0, init),
                       "[self_attention] width and heads must be at least 1, got 8 and 0", ArgumentError);
  CHECK_THROWS_WITH_AS(SelfAttention(8, 3, init), "[self_attention] 3 heads do not divide a width of 8",
                       ArgumentError);
  CHECK_THROWS_AS(Vit({.layers = 0}, init), ArgumentError);
  CHECK_THROWS_AS(init.kaiming_normal({3, 0}), ArgumentError);
}

TEST_CASE("layers: numbers out of range, NaN among them") {
  Initializer init(1), f64(1, Dtype::f64);
  for (double eps : {0.0, -1e-5, kNan, HUGE_VAL, 1e-60}) {
    CAPTURE(eps);
    CHECK_THROWS_AS(BatchNorm2d(4, init, {.eps = eps}), ArgumentError);
    CHECK_THROWS_AS(LayerNorm(4, init, eps), ArgumentError);
  }
  CHECK_NOTHROW(BatchNorm2d(4, f64, {.eps = 1e-60}));  // a number above 0 there
  for (double momentum : {-0.1, 2.0, kNan})
    CHECK_THROWS_AS(BatchNorm2d(4, init, {.momentum = momentum}), ArgumentError);
  CHECK_NOTHROW(BatchNorm2d(4, init, {.momentum = 1}));
  for (double p : {-0.1, 1.0, kNan}) CHECK_THROWS_AS(Dropout{p}, ArgumentError);
  CHECK_THROWS_AS(ShakeDrop({.keep = kNan}), ArgumentError);
  CHECK_THROWS_AS(ShakeDrop({.alpha_low = kNan}), ArgumentError);
  CHECK_THROWS_AS(PyramidNet({.alpha = kNan}, init), ArgumentError);
  CHECK_THROWS_AS(PyramidNet({.last_keep = kNan}, init), ArgumentError);
  CHECK_THROWS_AS(init.uniform({3}, kNan, 1), ArgumentError);
  CHECK_THROWS_AS(init.uniform({3}, 1, 1), ArgumentError);
  CHECK_THROWS_AS(init.normal({3}, 0, kNan), ArgumentError);
  CHECK_THROWS_AS(init.normal({3}, 0, -1), ArgumentError);
  CHECK_THROWS_AS(init.xavier_uniform({3, 3}, kNan), ArgumentError);
  CHECK_THROWS_AS(init.kaiming_normal({3, 3}, Fan::in, kNan), ArgumentError);
}

TEST_CASE("batch norm: one value a channel is refused in training, and leaves the statistics alone") {
  Initializer init(1);
  BatchNorm2d norm(3, init);
  const Tensor x = Tensor::full({1, 1, 1, 3}, 5);
  for (Statistics s : {Statistics::update, Statistics::hold}) {
    Context ctx{.statistics = s};
    CHECK_THROWS_WITH_AS(norm(x, ctx), doctest::Contains("one value a channel in training, x is {1,1,1,3}"),
                         ArgumentError);
  }
  for (const NamedBuffer& b : entries_of(norm).buffers)
    CHECK(b.buffer->to_vector<double>()[0] == (b.name == "running_var" ? 1 : 0));
  // Not where something else normalises, or more than one value.
  Context eval = Context::evaluation(), running{.statistics = Statistics::running}, update;
  CHECK(norm(x, eval).value().to_vector<double>()[0] == doctest::Approx(5).epsilon(1e-4));
  CHECK(norm(x, running).value().to_vector<double>()[0] == doctest::Approx(5).epsilon(1e-4));
  CHECK_NOTHROW(norm(Tensor::full({2, 1, 1, 3}, 5), update));
  CHECK_NOTHROW(norm(Tensor::full({1, 2, 1, 3}, 5), update));
}

}  // namespace
