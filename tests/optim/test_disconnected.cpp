// A loss that none of the weights leads to has gradient zero by mistake: evaluate() says so.
#include <doctest/doctest.h>

#include <memory>

#include "autograd/recording.h"
#include "core/ops.h"
#include "optim/gradient/gam.h"
#include "optim/gradient/sam.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

struct One {
  Variable w = Variable::parameter(Tensor::from(Numbers{1, 2}));
  void describe(Inventory& it) { it.parameter("w", w); }
};

std::string refusal(const Variable& loss, const ParameterVector& w) {
  std::string both;
  for (bool products : {false, true}) {
    std::string said = "accepted";
    try {
      evaluate(loss, w, {.norm_gradient = products});
    } catch (const ArgumentError& e) {
      said = e.what();
    }
    if (!products)
      both = said;
    else
      CHECK(said == both);
  }
  return both;
}

const char* const kConstant = "[evaluate] the loss is a constant";
const char* const kElsewhere = "[evaluate] the loss was computed from none of the weights";

Variable loss_of(nn::Module& net) {
  nn::Context ctx;
  return sum(square(net(Tensor::from(Numbers{1, 2}, {1, 2}), ctx)));
}

}  // namespace

TEST_CASE("disconnected: the loss is a constant") {
  One p;
  const ParameterVector w = ParameterVector::of(p);
  CHECK(refusal(Variable(Tensor::scalar(3, Dtype::f64)), w).starts_with(kConstant));
  CHECK(refusal(sum(square(p.w.detach())), w).starts_with(kConstant));
  CHECK(refusal(sum(square(p.w)).detach(), w).starts_with(kConstant));
  const NoRecording off;
  CHECK(refusal(sum(square(p.w)), w).starts_with(kConstant));
}

TEST_CASE("disconnected: the loss is of other weights") {
  nn::Initializer init(1, Dtype::f64);
  {
    nn::Linear net(2, 1, init);
    const ParameterVector first = ParameterVector::of(net), second = ParameterVector::of(net);
    CHECK(refusal(loss_of(net), first).starts_with(kElsewhere));
    CHECK(evaluate(loss_of(net), second).gradient.elements() == 3);
  }
  {
    nn::Linear net(2, 1, init), copied_before = net;
    const ParameterVector w = ParameterVector::of(net);
    CHECK(refusal(loss_of(copied_before), w).starts_with(kElsewhere));
    nn::Linear copied_after = net;  // shares the leaves
    CHECK(norm(evaluate(loss_of(copied_after), w).gradient) > 0);
  }
  One p, other;
  const ParameterVector w = ParameterVector::of(p);
  CHECK(refusal(sum(square(other.w)), w).starts_with(kElsewhere));
  CHECK(refusal(sum(square(other.w)) + sum(p.w.detach()), w).starts_with(kElsewhere));
  CHECK_THROWS_AS(hessian_vector_product(sum(square(other.w)), w, w.values()), ArgumentError);
}

TEST_CASE("disconnected: a loss that is no number is said to be none") {
  One p;
  const ParameterVector w = ParameterVector::of(p);
  CHECK(refusal(Variable(), w) == "[evaluate] the loss is undefined");
  CHECK(refusal(square(p.w), w) ==
        "[evaluate] the loss has shape {2}; an objective is one number: take its mean or sum");
  for (double bad : {-1.0, std::nan(""), HUGE_VAL})
    CHECK_THROWS_AS(evaluate(sum(square(p.w)), w, {.weight_decay = bad}), ArgumentError);
}

TEST_CASE("disconnected: weights that the loss leaves out are allowed, and so are zero gradients") {
  struct Two {
    Variable used = Variable::parameter(Tensor::from(Numbers{1, -2}));
    Variable head = Variable::parameter(Tensor::from(Numbers{3}));
    void describe(Inventory& it) {
      it.parameter("used", used);
      it.parameter("head", head);
    }
  } model;
  const ParameterVector w = ParameterVector::of(model);
  CHECK(gap(evaluate(sum(square(model.used)), w).gradient, {2, -4, 0}) == 0);
  CHECK(gap(evaluate(sum(0.0 * model.used), w, {.norm_gradient = true}).norm_gradient, {0, 0, 0}) == 0);
  // A linear loss has no second derivative to follow, and is connected all the same.
  CHECK(gap(evaluate(sum(3.0 * model.head), w, {.norm_gradient = true}).norm_gradient, {0, 0, 0}) == 0);
}

TEST_CASE("disconnected: an objective of other weights' size is named, not the sum that it breaks") {
  One p;
  struct Three {
    Variable w = Variable::parameter(Tensor::from(Numbers{1, 2, 3}));
    void describe(Inventory& it) { it.parameter("w", w); }
  } other;
  ParameterVector w = ParameterVector::of(p);
  const ParameterVector v = ParameterVector::of(other);
  const Objective wrong = [&](const Request& r) {
    return evaluate(sum(square(other.w)), v, {.norm_gradient = r.norm_gradient});
  };
  Plain plain;
  Sam sam({});
  Gam gam({.form = GamForm::exact});
  for (GradientRule* rule : std::initializer_list<GradientRule*>{&plain, &sam, &gam})
    CHECK_THROWS_WITH_AS(
        rule->direction(wrong, w),
        "[objective] its gradient is f64 {3}, the weights are f64 {2}: evaluate the loss with "
        "the same ParameterVector",
        ArgumentError);
}

TEST_CASE("hessian_vector_product: flat in, flat out") {
  Quadratic q;
  const ParameterVector w = ParameterVector::of(q);
  // A v with A = [[1, 1], [1, 1.5]].
  CHECK(gap(hessian_vector_product(q.loss(), w, Tensor::from(Numbers{1, -2})), {-1, -2}) < 1e-15);
  const Variable loss = q.loss();
  CHECK(gap(hessian_vector_product(loss, w, Tensor::from(Numbers{1, 0}), true), {1, 1}) < 1e-15);
  CHECK(gap(hessian_vector_product(loss, w, Tensor::from(Numbers{0, 1})), {1, 1.5}) < 1e-15);
  CHECK_THROWS_AS(hessian_vector_product(q.loss(), w, Tensor::from(Numbers{1})), ArgumentError);
  CHECK_THROWS_AS(hessian_vector_product(q.loss(), w, w.values().to(Dtype::f32)), ArgumentError);

  // A network: against a central difference of gradients.
  TanhNetwork network;
  ParameterVector v = ParameterVector::of(network);
  Tensor u = v.values().clone();
  for (Index i = 0; i < u.elements(); ++i) u.mutable_data<double>()[i] = std::sin(i + 1.0);
  const Tensor product = hessian_vector_product(network.loss(), v, u);
  const double r = 1e-5;
  const Tensor here = v.values().clone();
  const auto gradient_at = [&](double step) {
    v.values().copy_from(here + step * u);
    return evaluate(network.loss(), v).gradient;
  };
  const Tensor up = gradient_at(r), down = gradient_at(-r);
  CHECK(norm((up - down) / (2 * r) - product) < 1e-8 * norm(product) + 1e-9);
}

}  // namespace basin::optim::testing
