// A step whose outcome would not be finite is refused: nothing has changed, and the next step is as if it had
// never been asked for.
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>

#include "optim/averages/average.h"
#include "optim/buffer_guard.h"
#include "optim/gradient/sam_family.h"
#include "optim/update/lookahead.h"
#include "optim/update/muon.h"
#include "optim/update/schedule_free.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

struct Pair {
  Variable w;
  Pair(Dtype dtype, double value) : w(Variable::parameter(Tensor::full({2}, value, dtype))) {}
  void describe(Inventory& it) { it.parameter("w", w); }
};

using Make = std::function<std::unique_ptr<UpdateRule>(const ParameterVector&)>;

struct Case {
  const char* label;
  Make make;
  double size;      // of a direction that the rule cannot take in f32
  double f64_size;  // in f64; 0: it takes every finite one
  double lr = 0.1;
  double start = 1;  // of the weights
};

template <class Rule, class Options>
Make rule(const Options& options) {
  return [options](const ParameterVector& w) { return std::make_unique<Rule>(w, options); };
}

std::vector<Case> cases() {
  return {
      {"sgd, lr d overflows", rule<Sgd>(SgdOptions{}), 1e38, 1e308, 100},
      {"sgd, w - lr d overflows", rule<Sgd>(SgdOptions{}), 3e38, 0, 1, -3e38},
      {"sgd, nesterov", rule<Sgd>(SgdOptions{.momentum = 0.9, .nesterov = true}), 2e38, 1e308},
      {"sgd, decay", rule<Sgd>(SgdOptions{.weight_decay = 1}), 2e38, 0, 0.1, 2e38},
      {"adam", rule<Adam>(AdamOptions{}), 1e21, 1e156},
      {"adamw", rule<Adam>(AdamOptions{.weight_decay = 0.1, .decoupled = true}), 1e25, 1e200},
      {"adamw, lr", rule<Adam>(AdamOptions{.decoupled = true}), 1, 0, 1e308},
      {"rmsprop", rule<RmsProp>(RmsPropOptions{}), 1e21, 1e156},
      {"rmsprop, PyTorch's form", rule<RmsProp>(RmsPropOptions{.momentum = 0, .eps_inside_root = false}),
       1e21, 1e156},
      {"lion, lr", rule<Lion>(LionOptions{}), 1, 0, 1e39},
      {"lion, decay", rule<Lion>(LionOptions{.weight_decay = 10}), 1, 0, 10, 1e37},
      {"lookahead",
       [](const ParameterVector& w) {
         return std::make_unique<Lookahead>(w, std::make_unique<Sgd>(w), LookaheadOptions{.every = 1});
       },
       1e38, 1e308, 100},
      {"schedule-free sgd", rule<ScheduleFree>(ScheduleFreeOptions{}), 1e38, 1e308, 100},
      {"schedule-free sgd, lr", rule<ScheduleFree>(ScheduleFreeOptions{}), 1e-9, 1e-9, 1e200},
      {"schedule-free adamw", rule<ScheduleFree>(ScheduleFreeOptions{.step = FreeStep::adamw}), 1e21, 1e156},
      {"muon, AdamW's share", rule<Muon>(MuonOptions{}), 1e21, 1e156}};
}

}  // namespace

TEST_CASE("refused step: an overflow in weights or state throws and leaves every bit") {
  for (const Case& c : cases())
    for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
      CAPTURE(std::string(c.label));
      CAPTURE(dtype);
      const double size = dtype == Dtype::f32 ? c.size : c.f64_size;
      if (size == 0) continue;
      Pair refused(dtype, c.start), straight(dtype, c.start);
      ParameterVector w = ParameterVector::of(refused), v = ParameterVector::of(straight);
      const auto update = c.make(w), other = c.make(v);
      const Tensor small = Tensor::full({2}, 1e-3, dtype), huge = Tensor::full({2}, size, dtype);
      const auto both = [&](double lr) {
        update->apply(w, small, lr);
        other->apply(v, small, lr);
      };
      both(1e-3);
      CHECK_THROWS_AS(update->apply(w, huge, c.lr), NumericalError);
      CHECK(same_bits(w.values(), v.values()));
      CHECK(same_bits(state_of(*update), state_of(*other)));
      both(1e-3);  // and goes on
      CHECK(same_bits(w.values(), v.values()));
      CHECK(same_bits(state_of(*update), state_of(*other)));
    }
}

TEST_CASE("refused step: after one f32 gradient of 1e21, Adam and RMSProp still move") {
  for (const Make& make : {rule<Adam>(AdamOptions{}), rule<RmsProp>(RmsPropOptions{.momentum = 0})}) {
    Pair p(Dtype::f32, 1);
    ParameterVector w = ParameterVector::of(p);
    const auto update = make(w);
    CHECK_THROWS_WITH_AS(update->apply(w, Tensor::full({2}, 1e21), 0.1),
                         doctest::Contains("would not be finite after it"), NumericalError);
    for (int i = 0; i < 3; ++i) update->apply(w, Tensor::full({2}, 1), 0.1);
    CHECK(w.values().to_vector<double>()[0] < 0.8);
  }
}

TEST_CASE("refused step: the largest directions that fit are taken, with the bits of the plain kernel") {
  // The bounds call for care here, and the step itself is finite.
  for (double size : {1e15, 1e18, 1.7e19}) {
    CAPTURE(size);
    Pair p(Dtype::f32, 1), q(Dtype::f32, 1);
    ParameterVector w = ParameterVector::of(p), v = ParameterVector::of(q);
    Adam careful(w), trusted(v);
    careful.apply(w, Tensor::full({2}, size), 0.1);
    trusted.apply(v, Tensor::full({2}, size), 0.1, /*direction_norm=*/1);  // no reason for care
    CHECK(same_bits(w.values(), v.values()));
    CHECK(same_bits(state_of(careful), state_of(trusted)));
  }
}

TEST_CASE("refused step: a direction or weights that are not finite") {
  const double bad[] = {std::nan(""), HUGE_VAL, -HUGE_VAL};
  for (const Case& c : cases())
    for (double x : bad) {
      CAPTURE(std::string(c.label));
      CAPTURE(x);
      Pair p(Dtype::f64, 1);
      ParameterVector w = ParameterVector::of(p);
      const auto update = c.make(w);
      const Tensors state = state_of(*update);
      CHECK_THROWS_WITH_AS(update->apply(w, Tensor::from(Numbers{1, x}), 0.1),
                           doctest::Contains("its direction is not finite"), NumericalError);
      CHECK(gap(w.values(), {1, 1}) == 0);
      CHECK(same_bits(state_of(*update), state));
      w.values().view(0, {1}).fill(x);
      CHECK_THROWS_WITH_AS(update->apply(w, Tensor::from(Numbers{1, 1}), 0.1),
                           doctest::Contains("'w' is not finite before it"), NumericalError);
      CHECK(same_bits(state_of(*update), state));
    }
}

TEST_CASE("refused step: state and weights that others wrote are looked at again") {
  Pair p(Dtype::f32, 1);
  ParameterVector w = ParameterVector::of(p);
  Sgd sgd(w, {.momentum = 0.5});
  sgd.apply(w, Tensor::full({2}, 1), 0.1);
  // A checkpoint put back: the momentum is near the largest number.
  entries_of(sgd).buffers[0].buffer->fill(3e38);
  CHECK_THROWS_AS(sgd.apply(w, Tensor::full({2}, 3e38), 0.1), NumericalError);
  entries_of(sgd).buffers[0].buffer->fill(0);
  sgd.apply(w, Tensor::full({2}, 1), 0.1);
  w.values().fill(-3e38);
  CHECK_THROWS_AS(sgd.apply(w, Tensor::full({2}, 1e38), 1), NumericalError);
  // The same rule for another model of the same size.
  Pair other(Dtype::f32, -3e38);
  ParameterVector v = ParameterVector::of(other);
  CHECK_THROWS_AS(sgd.apply(v, Tensor::full({2}, 1e38), 1), NumericalError);
}

TEST_CASE("refused step: weight decay counts into the moments") {
  Pair p(Dtype::f32, 1e12);
  ParameterVector w = ParameterVector::of(p);
  Adam coupled(w, {.weight_decay = 1e10});
  CHECK_THROWS_AS(coupled.apply(w, Tensor::full({2}, 1), 0.1), NumericalError);
}

TEST_CASE("refused step: an eps that is 0 in the weights' dtype is an option out of its range") {
  Pair f32(Dtype::f32, 1), f64(Dtype::f64, 1);
  const ParameterVector w = ParameterVector::of(f32), v = ParameterVector::of(f64);
  CHECK_THROWS_AS(Adam(w, {.eps = 1e-320}), ArgumentError);
  CHECK_THROWS_AS(Adam(w, {.eps = 1e300}), ArgumentError);
  CHECK_THROWS_AS(RmsProp(w, {.eps = 1e-46}), ArgumentError);
  CHECK_NOTHROW(Adam(v, {.eps = 1e-320}));
  CHECK_NOTHROW(Adam(w, {.eps = 1e-16}));
}

TEST_CASE("refused step: averages keep out what is not finite") {
  Pair p(Dtype::f32, 1);
  ParameterVector w = ParameterVector::of(p);
  for (bool mean : {true, false}) {
    WeightAverage average = mean ? WeightAverage::mean() : WeightAverage::ema();
    w.values().fill(std::nan(""));
    CHECK_THROWS_AS(average.collect(w), NumericalError);
    CHECK(average.n() == 0);
    w.values().fill(3e38);
    average.collect(w);
    w.values().fill(-3e38);  // the difference overflows
    CHECK_THROWS_AS(average.collect(w), NumericalError);
    w.values().fill(HUGE_VAL);
    CHECK_THROWS_AS(average.collect(w), NumericalError);
    CHECK(average.n() == 1);
    CHECK(gap(average.values(), {3e38f, 3e38f}) == 0);
  }
}

TEST_CASE("refused step: a guard takes a rule's state back") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  Sam rule(fsam());
  rule.direction(q.objective(w), w);
  const Tensors before = state_of(rule);
  w.values().fill(3);
  {
    BufferGuard guard(entries_of(rule).buffers);
    rule.direction(q.objective(w), w, {.step = 1});
    CHECK_FALSE(same_bits(state_of(rule), before));
  }
  CHECK(same_bits(state_of(rule), before));
  {
    BufferGuard guard(entries_of(rule).buffers);
    rule.direction(q.objective(w), w, {.step = 1});
    guard.keep();
  }
  CHECK_FALSE(same_bits(state_of(rule), before));
}

TEST_CASE("refused step: a buffer guard sees statistics that are not finite") {
  Tensor mean = Tensor::full({3}, 1), count = Tensor::zeros({}, Dtype::i64), stale;
  BufferGuard guard({{"mean", &mean}, {"count", &count}, {"stale", &stale}});
  CHECK(guard.finite());
  mean.view(1, {1}).fill(HUGE_VAL);
  CHECK_FALSE(guard.finite());
}

}  // namespace basin::optim::testing
