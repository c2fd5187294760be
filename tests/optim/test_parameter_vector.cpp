// ParameterVector: one buffer, many views.
#include <doctest/doctest.h>

#include "autograd/gradients.h"
#include "core/ops.h"
#include "optim/buffer_guard.h"
#include "tests/core/contains.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
using test::contains;

namespace {

/// Two parameters of unlike shapes and roles.
struct Pair {
  Variable weight = Variable::parameter(Tensor::from(Numbers{1, 2, 3, 4, 5, 6}, {2, 3}));
  Variable bias = Variable::parameter(Tensor::from(Numbers{7, 8}));
  void describe(Inventory& it) {
    it.parameter("weight", weight, ParameterRole::weight);
    it.parameter("bias", bias, ParameterRole::bias);
  }
};

std::string message_of(const std::vector<NamedParameter>& parameters) {
  try {
    ParameterVector w(parameters);
  } catch (const ArgumentError& e) {
    return e.what();
  }
  return "no error";
}

NamedParameter named(const char* name, Variable& v) {
  return {name, &v, ParameterRole::weight, ParameterLayout::plain};
}

}  // namespace

TEST_CASE("parameter vector: the parameters keep their numbers and become views of one buffer") {
  Pair pair;
  ParameterVector w = ParameterVector::of(pair);
  CHECK(w.size() == 8);
  CHECK(w.dtype() == Dtype::f64);
  CHECK(gap(w.values(), {1, 2, 3, 4, 5, 6, 7, 8}) == 0);
  CHECK(pair.weight.shape() == Shape{2, 3});
  CHECK(pair.weight.value().shares_storage(w.values()));
  CHECK(pair.bias.value().shares_storage(w.values()));

  w.values().mutable_data<double>()[6] = 70;
  CHECK(gap(pair.bias.value(), {70, 8}) == 0);

  REQUIRE(w.segments().size() == 2);
  const Segment& bias = w.segments()[1];
  CHECK(bias.name == "bias");
  CHECK(bias.offset == 6);
  CHECK(bias.shape == Shape{2});
  CHECK(bias.role == ParameterRole::bias);
}

TEST_CASE(
    "parameter vector: the leaves are the object's own, also after the vector or the object has moved") {
  Pair pair;
  ParameterVector first = ParameterVector::of(pair);
  ParameterVector w = std::move(first);
  const Pair moved = std::move(pair);
  const Variable loss = sum(square(moved.weight)) + sum(moved.bias);
  const Evaluation e = evaluate(loss, w);
  CHECK(e.loss == 91 + 15);
  CHECK(gap(e.gradient, {2, 4, 6, 8, 10, 12, 1, 1}) == 0);
}

TEST_CASE("parameter vector: a parameter that the loss does not depend on has gradient zero") {
  Pair pair;
  const ParameterVector w = ParameterVector::of(pair);
  CHECK(gap(evaluate(sum(pair.bias), w).gradient, {0, 0, 0, 0, 0, 0, 1, 1}) == 0);
}

TEST_CASE("parameter vector: split gives views, flatten a vector of its own, and they are inverse") {
  Pair pair;
  const ParameterVector w = ParameterVector::of(pair);
  Tensor flat = Tensor::from(Numbers{8, 7, 6, 5, 4, 3, 2, 1});
  const Tensors parts = w.split(flat);
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].shape() == Shape{2, 3});
  CHECK(parts[1].shares_storage(flat));
  const Tensor joined = w.flatten(parts);
  CHECK(same_bits(joined, flat));
  CHECK_FALSE(joined.shares_storage(flat));

  CHECK_THROWS_AS(w.split(Tensor::from(Numbers{1, 2})), ArgumentError);
  CHECK_THROWS_AS(w.flatten({parts[0]}), ArgumentError);
  CHECK_THROWS_AS(w.flatten({parts[1], parts[0]}), ArgumentError);
  CHECK_THROWS_AS(w.flatten({parts[0], parts[1].to(Dtype::f32)}), ArgumentError);
}

TEST_CASE("parameter vector: the decay mask covers weights only, and is absent where it would be all ones") {
  Pair pair;
  CHECK_FALSE(ParameterVector::of(pair).decay_mask().defined());
  const ParameterVector w = ParameterVector::of(pair, Decay::weights_only);
  CHECK(gap(w.decay_mask(), {1, 1, 1, 1, 1, 1, 0, 0}) == 0);
  CHECK(w.segments()[0].decay);
  CHECK_FALSE(w.segments()[1].decay);

  nn::Initializer init(1);
  nn::BatchNorm2d norm(3, init);
  CHECK(gap(ParameterVector::of(norm, Decay::weights_only).decay_mask(), {0, 0, 0, 0, 0, 0}) == 0);
}

TEST_CASE("parameter vector: every wrong list of parameters is an error that names the parameter") {
  Variable a = Variable::parameter(Tensor::from(Numbers{1}));
  Variable b = Variable::parameter(Tensor::from(std::vector<float>{2}));
  Variable nothing;
  Variable index = Tensor::from(std::vector<std::int64_t>{3});
  Variable again = a;
  CHECK(contains(message_of({}), "no parameters"));
  CHECK(contains(message_of({named("a", a), named("b", b)}), "'b' is f32"));
  CHECK(contains(message_of({named("a", a), named("nothing", nothing)}), "'nothing' has no values"));
  CHECK(contains(message_of({named("index", index)}), "'index' is i64"));
  CHECK(contains(message_of({named("a", a), named("tied", again)}), "'a' and 'tied' are the same parameter"));
  Variable c = Variable::parameter(Tensor::from(Numbers{1}));
  CHECK(contains(message_of({named("a", a), named("a", c)}), "two parameters are named 'a'"));
  // Nothing was moved by the failed attempts.
  CHECK_FALSE(a.value().shares_storage(c.value()));
  CHECK(a.value().item() == 1);
}

TEST_CASE("buffer guard: puts the bits back unless told to keep the changes, also on an exception") {
  nn::Initializer init(1);
  nn::BatchNorm2d norm(2, init);
  const std::vector<NamedBuffer> buffers = entries_of(norm).buffers;
  const Tensors before = state_of(norm);
  const auto disturb = [&] {
    nn::Context ctx;
    norm(Tensor::from(std::vector<float>{1, 2, 3, 4}, {2, 2}), ctx);
  };
  {
    BufferGuard guard(buffers);
    disturb();
    CHECK_FALSE(same_bits(state_of(norm), before));
  }
  CHECK(same_bits(state_of(norm), before));
  try {
    BufferGuard guard(buffers);
    disturb();
    throw std::runtime_error("");
  } catch (const std::runtime_error&) {
  }
  CHECK(same_bits(state_of(norm), before));
  {
    BufferGuard guard(buffers);
    disturb();
    guard.keep();
  }
  CHECK_FALSE(same_bits(state_of(norm), before));
}

}  // namespace basin::optim::testing
