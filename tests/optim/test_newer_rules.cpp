// Lookahead, Schedule-Free and Muon: five steps against numbers from numpy (golden_rules.py), in f64.
#include <doctest/doctest.h>

#include <functional>
#include <memory>

#include "core/ops.h"
#include "optim/update/lookahead.h"
#include "optim/update/muon.h"
#include "optim/update/schedule_free.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

/// A hidden matrix with its bias, a convolution, a head; weight i of all is cos(i).
struct Parameters {
  Variable matrix, bias, convolution, head;

  Parameters() {
    double next = 0;
    const auto make = [&next](const Shape& shape) {
      Numbers numbers;
      for (Index i = 0; i < shape.elements(); ++i) numbers.push_back(std::cos(next++));
      return Variable::parameter(Tensor::from(numbers, shape));
    };
    matrix = make({3, 2}), bias = make({3}), convolution = make({2, 2, 1, 3}), head = make({2, 3});
  }
  void describe(Inventory& it) {
    it.parameter("matrix", matrix);
    it.parameter("bias", bias, ParameterRole::bias);
    it.parameter("convolution", convolution, ParameterRole::weight, ParameterLayout::convolution);
    it.parameter("head", head);
  }
};

/// Number i of the direction of step t is sin(1 + i + 3 t).
Tensor direction_of(std::int64_t t, Index size) {
  Numbers numbers;
  for (Index i = 0; i < size; ++i) numbers.push_back(std::sin(static_cast<double>(1 + i + 3 * t)));
  return Tensor::from(numbers);
}

/// sum over i of x_i sin(j (i + 1)) for j = 1, 2, 3.
Numbers probes(const Tensor& x) {
  Numbers sums(3, 0);
  const Numbers numbers = x.to_vector<double>();
  for (std::size_t i = 0; i < numbers.size(); ++i)
    for (std::size_t j = 0; j < 3; ++j)
      sums[j] += numbers[i] * std::sin(static_cast<double>((j + 1) * (i + 1)));
  return sums;
}

const Numbers kRates = {0.1, 0.2, 0.2, 0.15, 0.05};

using Make = std::function<std::unique_ptr<UpdateRule>(const ParameterVector&)>;

/// The largest difference of the probes after five steps: of w, or of evaluated() if `at_evaluated`.
double largest_gap(const Make& make, const std::vector<Numbers>& expected, bool at_evaluated = false) {
  Parameters parameters;
  ParameterVector w = ParameterVector::of(parameters, Decay::weights_only);
  const std::unique_ptr<UpdateRule> rule = make(w);
  double largest = 0;
  for (std::size_t t = 0; t < kRates.size(); ++t) {
    rule->apply(w, direction_of(static_cast<std::int64_t>(t), w.size()), kRates[t]);
    const Tensor seen = at_evaluated ? rule->evaluated(w) : w.values();
    largest = std::max(largest, gap(Tensor::from(probes(seen)), expected[t]));
  }
  return largest;
}

}  // namespace

TEST_CASE("lookahead: five steps of SGD with momentum and of Adam, slow ones after the second and fourth") {
  const auto over = [](const auto& fast) -> Make {
    return [fast](const ParameterVector& w) {
      return std::make_unique<Lookahead>(w, fast(w), LookaheadOptions{.every = 2, .alpha = 0.8});
    };
  };
  const auto sgd = [](const ParameterVector& w) {
    return std::make_unique<Sgd>(w, SgdOptions{.momentum = 0.9, .weight_decay = 0.1});
  };
  const auto adam = [](const ParameterVector& w) { return std::make_unique<Adam>(w); };
  CHECK(largest_gap(over(sgd), {{10.3927753157311, 0.503640114812216, -0.0409382100612081},
                                {10.593481018295, 0.503976937994658, -0.0569124175436241},
                                {7.60289532937165, 0.509998541559526, 0.00465735052436442},
                                {8.03430848687009, 0.502404690235898, -0.0215205430916665},
                                {7.34814253550775, 0.511926638486263, -0.00628481433864508}}) < 1e-12);
  CHECK(largest_gap(over(adam), {{10.1434597504618, 0.464738259498899, -0.549091749422379},
                                 {10.606651932697, 0.460551617216717, -0.461467827190768},
                                 {9.47476360696231, 0.439663410044152, -0.709455116783698},
                                 {9.73822777486731, 0.438365570890722, -0.711414200978619},
                                 {9.58446491070332, 0.435492098730958, -0.728247520119075}}) < 1e-12);
}

TEST_CASE("lookahead: alpha = 1 is the inner rule, and a rate of zero moves neither weights") {
  Parameters one, two;
  ParameterVector w = ParameterVector::of(one), v = ParameterVector::of(two);
  Sgd alone(w, {.momentum = 0.9});
  Lookahead with(v, std::make_unique<Sgd>(v, SgdOptions{.momentum = 0.9}), {.every = 2, .alpha = 1});
  for (std::int64_t t = 0; t < 4; ++t) {
    alone.apply(w, direction_of(t, w.size()), 0.1);
    with.apply(v, direction_of(t, v.size()), 0.1);
  }
  CHECK(gap(v.values(), w.values().to_vector<double>()) < 1e-14);
  CHECK(with.momentum() != nullptr);

  Lookahead half(v, std::make_unique<Sgd>(v), {.every = 3});
  half.apply(v, direction_of(0, v.size()), 0.1);
  half.apply(v, direction_of(1, v.size()), 0.1);
  const Tensor before = v.values().clone(), slow = state_of(half)[0].clone();
  half.apply(v, direction_of(2, v.size()), 0);
  CHECK(same_bits(v.values(), before));
  CHECK(same_bits(state_of(half)[0], slow));
}

TEST_CASE("lookahead: options out of range are errors") {
  Parameters parameters;
  ParameterVector w = ParameterVector::of(parameters);
  const auto sgd = [&w] { return std::make_unique<Sgd>(w); };
  CHECK_THROWS_WITH_AS(Lookahead(w, sgd(), {.every = 0}), "[lookahead] every must be at least 1, got 0",
                       ArgumentError);
  for (const double alpha : {0.0, 1.1, std::nan("")})
    CHECK_THROWS_AS(Lookahead(w, sgd(), {.alpha = alpha}), ArgumentError);
  CHECK_THROWS_AS(Lookahead(w, nullptr), ArgumentError);
}

TEST_CASE("schedule-free: five steps at rates that rise and fall, gradients' point y and average x") {
  const auto free = [](FreeStep step) -> Make {
    return [step](const ParameterVector& w) {
      return std::make_unique<ScheduleFree>(
          w, ScheduleFreeOptions{.step = step, .beta2 = 0.99, .weight_decay = 0.1});
    };
  };
  CHECK(largest_gap(free(FreeStep::sgd), {{10.3927753157311, 0.503640114812215, -0.0409382100612081},
                                          {12.5184314687179, 0.5229407917912, -0.094171035293834},
                                          {11.2703345192686, 0.529197244677374, -0.0624221736097452},
                                          {11.5658514479669, 0.526642870856667, -0.0748065270039019},
                                          {11.4296551775118, 0.529677385017897, -0.0718416167968596}}) <
        1e-12);
  CHECK(largest_gap(free(FreeStep::sgd),
                    {{10.3927753157311, 0.503640114812216, -0.0409382100612081},
                     {12.4665861966938, 0.522470043572201, -0.0928726737027941},
                     {11.4032513723158, 0.52844977788791, -0.0658055625089727},
                     {11.5359861279493, 0.526974751739957, -0.0731532886272824},
                     {11.4557363540342, 0.529014474968591, -0.0721633476231898}},
                    true) < 1e-12);
  CHECK(largest_gap(free(FreeStep::adamw), {{10.0375936620796, 0.46798641499261, -0.548577749398338},
                                            {12.7213435411343, 0.536901037131985, 0.149370003745399},
                                            {11.2333681455535, 0.531290511599399, -0.0763466372796401},
                                            {11.5929465170369, 0.54083322793462, -0.05803654323791},
                                            {11.4452914059329, 0.543430275440751, -0.0591800840780092}}) <
        1e-12);
  CHECK(largest_gap(free(FreeStep::adamw),
                    {{10.0375936620796, 0.46798641499261, -0.548577749398338},
                     {12.6558862270111, 0.535220192689561, 0.132346887815065},
                     {11.3914257101599, 0.531727142831639, -0.0531584678246729},
                     {11.555932491284, 0.539160681691216, -0.0571405702028259},
                     {11.4724297853587, 0.542383016596525, -0.0586798259576814}},
                    true) < 1e-12);
}

TEST_CASE("schedule-free: at a constant rate x is the plain mean of the z, and before the first step w") {
  Parameters parameters;
  ParameterVector w = ParameterVector::of(parameters);
  ScheduleFree rule(w);
  CHECK(gap(rule.evaluated(w), w.values().to_vector<double>()) < 1e-15);
  Tensor mean = Tensor::zeros({w.size()}, Dtype::f64), z = w.values().clone();
  for (std::int64_t t = 0; t < 4; ++t) {
    const Tensor d = direction_of(t, w.size());
    rule.apply(w, d, 0.125);
    axpby(-0.125, d, 1, z);
    axpby(0.25, z, 1, mean);
  }
  CHECK(gap(rule.evaluated(w), mean.to_vector<double>()) < 1e-14);
  CHECK(rule.momentum() == nullptr);
}

TEST_CASE("schedule-free: options out of range are errors") {
  Parameters parameters;
  const ParameterVector w = ParameterVector::of(parameters);
  const auto refused = [&w](const ScheduleFreeOptions& o) {
    CHECK_THROWS_AS(ScheduleFree(w, o), ArgumentError);
  };
  for (const double beta : {0.0, 1.0, std::nan("")}) refused({.beta = beta});
  refused({.step = FreeStep::adamw, .beta2 = 1});
  refused({.step = FreeStep::adamw, .eps = 0});
  refused({.weight_decay = -1});
}

TEST_CASE("muon: five steps, matrices by Newton-Schulz, bias and head as AdamW") {
  const auto muon = [](bool nesterov, MuonScale scale) -> Make {
    return [=](const ParameterVector& w) {
      return std::make_unique<Muon>(w,
                                    MuonOptions{.nesterov = nesterov, .scale = scale, .weight_decay = 0.1});
    };
  };
  CHECK(largest_gap(muon(true, MuonScale::rms), {{11.0776414546453, 0.528382618834893, -0.167886746442167},
                                                 {11.2297884416499, 0.399170374121816, -0.144451923575595},
                                                 {10.3582147018513, 0.497236236241225, -0.199846342679487},
                                                 {10.4301026235692, 0.393228058394323, -0.190515234340351},
                                                 {10.2616645094348, 0.423418172797622, -0.198031074849956}}) <
        1e-10);
  CHECK(largest_gap(muon(false, MuonScale::shape),
                    {{10.7777018918831, 0.637659746153796, -0.156284001301532},
                     {10.8969345937009, 0.496612683880697, -0.0614290417006734},
                     {9.43452955934915, 0.826477484284653, -0.105347441996646},
                     {9.42525357817877, 0.767522959041238, -0.0516441268698042},
                     {9.11538645836778, 0.857573164962298, -0.0594530559942961}}) < 1e-10);
}

TEST_CASE("muon: the orthogonal part has singular values near 1, whichever side is longer, and 0 of zero") {
  for (const Shape& shape : {Shape{4, 7}, Shape{7, 4}, Shape{5, 5}}) {
    CAPTURE(shape);
    Numbers numbers;
    for (Index i = 0; i < shape.elements(); ++i) numbers.push_back(std::sin(static_cast<double>(i * i)));
    const Tensor x = orthogonal(Tensor::from(numbers, shape), 8);
    const bool tall = shape[0] > shape[1];
    const Tensor gram = tall ? matmul(x, x, true, false) : matmul(x, x, false, true);
    const Index n = gram.shape()[0];
    for (Index i = 0; i < n; ++i) {
      const double on = gram.data<double>()[i * n + i];
      CHECK(on > 0.4);
      CHECK(on < 1.5);
    }
    CHECK(norm(orthogonal(Tensor::zeros(shape, Dtype::f64))) == 0);
  }
}

TEST_CASE("muon: which parameters are matrices, and options out of range") {
  Parameters parameters;
  ParameterVector w = ParameterVector::of(parameters);
  CHECK(Muon(w).matrices() == 2);
  Quadratic q;
  const ParameterVector vector = ParameterVector::of(q);
  CHECK(Muon(vector).matrices() == 0);
  const auto refused = [&w](const MuonOptions& o) { CHECK_THROWS_AS(Muon(w, o), ArgumentError); };
  refused({.momentum = 1});
  refused({.iterations = 0});
  refused({.beta1 = -0.1});
  refused({.beta2 = 1});
  refused({.eps = 0});
  refused({.weight_decay = std::nan("")});
}

}  // namespace basin::optim::testing
