// The update rules, alone and under SAM, against their recurrences written out in plain doubles: 100 steps,
// f64, a rate that changes, agreement to 1e-12.
#include <doctest/doctest.h>

#include <functional>

#include "core/random.h"
#include "optim/gradient/sam.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

constexpr std::size_t kSize = 9;
constexpr std::size_t kWeights = 6;  // the rest is the bias, which decay may leave alone
constexpr int kSteps = 100;

/// L_t = w^T A w / 2 - b_t^T w + sum(w^4) / 4, A positive definite: once in Variables, once in doubles. b_t
/// is drawn anew in each step, as a mini-batch would be: at a standstill SAM's g / |g| and Adam's m / sqrt(v)
/// would hang on the last bits of g, and two correct programs would part.
struct Bowl {
  Numbers a = Numbers(kSize * kSize), start = Numbers(kSize);
  Variable weight, bias;

  Bowl() {
    Random random(2, Stream::user);
    Numbers m(kSize * kSize);
    for (double& x : m) x = random.normal();
    for (std::size_t i = 0; i < kSize; ++i)
      for (std::size_t j = 0; j < kSize; ++j) {
        for (std::size_t k = 0; k < kSize; ++k)
          a[i * kSize + j] += m[i * kSize + k] * m[j * kSize + k] / kSize;
        if (i == j) a[i * kSize + j] += 0.1;
      }
    for (double& x : start) x = random.normal();
    weight = Variable::parameter(Tensor::from(Numbers(start.begin(), start.begin() + kWeights), {2, 3}));
    bias = Variable::parameter(Tensor::from(Numbers(start.begin() + kWeights, start.end())));
  }
  void describe(Inventory& it) {
    it.parameter("weight", weight, ParameterRole::weight);
    it.parameter("bias", bias, ParameterRole::bias);
  }
  static Numbers pull(int t) {
    Random random(2, Stream::user, 1, static_cast<std::uint64_t>(t));
    Numbers b(kSize);
    for (double& x : b) x = 3 * random.normal();
    return b;
  }
  Objective objective(const ParameterVector& vector, int t) const {
    return [this, &vector, t](const Request&) {
      const Variable row = reshape(concat({reshape(weight, {kWeights}), bias}, 0), {1, kSize});
      const Variable quadratic = sum(matmul(row, Variable(Tensor::from(a, {kSize, kSize}))) * row);
      const Variable linear_part = sum(row * Variable(Tensor::from(pull(t))));
      return evaluate(0.5 * quadratic - linear_part + 0.25 * sum(square(square(row))), vector);
    };
  }
  Numbers gradient(const Numbers& w, int t) const {
    const Numbers b = pull(t);
    Numbers g(kSize);
    for (std::size_t i = 0; i < kSize; ++i) {
      g[i] = w[i] * w[i] * w[i] - b[i];
      for (std::size_t j = 0; j < kSize; ++j) g[i] += a[i * kSize + j] * w[j];
    }
    return g;
  }
  /// The gradient at w + rho g / |g|.
  Numbers sam_gradient(const Numbers& w, int t, double rho) const {
    const Numbers g = gradient(w, t);
    double squares = 0;
    for (double x : g) squares += x * x;
    Numbers there = w;
    for (std::size_t i = 0; i < kSize; ++i) there[i] += rho * g[i] / std::sqrt(squares);
    return gradient(there, t);
  }
};

double rate(int t) { return 0.03 / (1 + 0.02 * t); }

/// Whether coordinate i decays.
bool decays(std::size_t i, Decay decay) { return decay == Decay::all || i < kWeights; }

/// A textbook's state and its step: w at time t (from 0) to the next.
using Textbook = std::function<void(int t, Numbers& w, const Numbers& g)>;

Textbook sgd(double momentum, double dampening, double weight_decay, bool nesterov, Decay decay) {
  return [=, v = Numbers(kSize)](int t, Numbers& w, const Numbers& g) mutable {
    for (std::size_t i = 0; i < kSize; ++i) {
      const double d = decays(i, decay) ? g[i] + weight_decay * w[i] : g[i];
      v[i] = t == 0 ? d : momentum * v[i] + (1 - dampening) * d;
      w[i] -= rate(t) * (nesterov ? d + momentum * v[i] : v[i]);
    }
  };
}

Textbook adam(double beta1, double beta2, double eps, double weight_decay, bool decoupled, Decay decay) {
  return [=, m = Numbers(kSize), v = Numbers(kSize)](int t, Numbers& w, const Numbers& g) mutable {
    for (std::size_t i = 0; i < kSize; ++i) {
      const double lambda = decays(i, decay) ? weight_decay : 0;
      const double d = decoupled ? g[i] : g[i] + lambda * w[i];
      m[i] = beta1 * m[i] + (1 - beta1) * d;
      v[i] = beta2 * v[i] + (1 - beta2) * d * d;
      const double m_hat = m[i] / (1 - std::pow(beta1, t + 1));
      const double v_hat = v[i] / (1 - std::pow(beta2, t + 1));
      if (decoupled) w[i] -= rate(t) * lambda * w[i];
      w[i] -= rate(t) * m_hat / (std::sqrt(v_hat) + eps);
    }
  };
}

Textbook rmsprop(const RmsPropOptions& o, Decay decay) {
  return [=, s = Numbers(kSize, o.eps_inside_root ? 1 : 0), v = Numbers(kSize)](int t, Numbers& w,
                                                                                const Numbers& g) mutable {
    for (std::size_t i = 0; i < kSize; ++i) {
      const double d = g[i] + (decays(i, decay) ? o.weight_decay : 0) * w[i];
      s[i] = o.alpha * s[i] + (1 - o.alpha) * d * d;
      const double root = o.eps_inside_root ? std::sqrt(s[i] + o.eps) : std::sqrt(s[i]) + o.eps;
      v[i] = o.momentum * v[i] + d / root;
      w[i] -= rate(t) * v[i];
    }
  };
}

Textbook lion(const LionOptions& o, Decay decay) {
  return [=, m = Numbers(kSize)](int t, Numbers& w, const Numbers& g) mutable {
    for (std::size_t i = 0; i < kSize; ++i) {
      const double c = o.beta1 * m[i] + (1 - o.beta1) * g[i];
      w[i] -= rate(t) * ((c > 0 ? 1 : -1) + (decays(i, decay) ? o.weight_decay : 0) * w[i]);
      m[i] = o.beta2 * m[i] + (1 - o.beta2) * g[i];
    }
  };
}

using MakeUpdate = std::function<std::unique_ptr<UpdateRule>(const ParameterVector&)>;

/// The largest difference to the textbook over all steps, under the plain rule (rho = 0) or SAM.
double largest_gap(const MakeUpdate& make, Textbook textbook, Decay decay, double rho) {
  Bowl bowl;
  ParameterVector w = ParameterVector::of(bowl, decay);
  const std::unique_ptr<UpdateRule> update = make(w);
  Sam rule({.rho = rho});
  Numbers expected = bowl.start;
  double largest = 0;
  for (int t = 0; t < kSteps; ++t) {
    update->apply(w, rule.direction(bowl.objective(w, t), w).vector, rate(t));
    textbook(t, expected, rho > 0 ? bowl.sam_gradient(expected, t, rho) : bowl.gradient(expected, t));
    largest = std::max(largest, gap(w.values(), expected));
  }
  // The run went somewhere, so agreement means something.
  CHECK(gap(w.values(), bowl.start) > 0.1);
  return largest;
}

void check_sgd(const SgdOptions& o) {
  for (Decay decay : {Decay::all, Decay::weights_only})
    for (double rho : {0.0, 0.1}) {
      CAPTURE(rho);
      const MakeUpdate make = [&](const ParameterVector& w) { return std::make_unique<Sgd>(w, o); };
      CHECK(largest_gap(make, sgd(o.momentum, o.dampening, o.weight_decay, o.nesterov, decay), decay, rho) <
            1e-12);
    }
}

void check_adam(const AdamOptions& o) {
  for (Decay decay : {Decay::all, Decay::weights_only})
    for (double rho : {0.0, 0.1}) {
      CAPTURE(rho);
      const MakeUpdate make = [&](const ParameterVector& w) { return std::make_unique<Adam>(w, o); };
      CHECK(largest_gap(make, adam(o.beta1, o.beta2, o.eps, o.weight_decay, o.decoupled, decay), decay, rho) <
            1e-12);
    }
}

void check_rmsprop(const RmsPropOptions& o) {
  for (Decay decay : {Decay::all, Decay::weights_only})
    for (double rho : {0.0, 0.1}) {
      CAPTURE(rho);
      const MakeUpdate make = [&](const ParameterVector& w) { return std::make_unique<RmsProp>(w, o); };
      CHECK(largest_gap(make, rmsprop(o, decay), decay, rho) < 1e-12);
    }
}

void check_lion(const LionOptions& o) {
  for (Decay decay : {Decay::all, Decay::weights_only})
    for (double rho : {0.0, 0.1}) {
      CAPTURE(rho);
      const MakeUpdate make = [&](const ParameterVector& w) { return std::make_unique<Lion>(w, o); };
      CHECK(largest_gap(make, lion(o, decay), decay, rho) < 1e-12);
    }
}

}  // namespace

TEST_CASE("SGD without momentum, with and without decay, is the textbook's") {
  check_sgd({});
  check_sgd({.weight_decay = 0.05});
}

TEST_CASE("SGD with momentum is the textbook's") {
  check_sgd({.momentum = 0.9});
  check_sgd({.momentum = 0.9, .weight_decay = 0.05});
}

TEST_CASE("SGD with dampening starts from d and is the textbook's") {
  check_sgd({.momentum = 0.9, .dampening = 0.3, .weight_decay = 0.05});
  check_sgd({.momentum = 0.5, .dampening = 1});
}

TEST_CASE("SGD with Nesterov momentum is the textbook's") {
  check_sgd({.momentum = 0.9, .nesterov = true});
  check_sgd({.momentum = 0.8, .weight_decay = 0.05, .nesterov = true});
}

TEST_CASE("Adam is the textbook's, decay coupled") {
  check_adam({});
  check_adam({.weight_decay = 0.05});
  check_adam({.beta1 = 0, .beta2 = 0.9, .eps = 1e-3, .weight_decay = 0.05});
}

TEST_CASE("AdamW is the textbook's, decay decoupled") {
  check_adam({.weight_decay = 0.05, .decoupled = true});
  check_adam({.beta1 = 0.8, .beta2 = 0.99, .eps = 1e-6, .weight_decay = 0.5, .decoupled = true});
}

TEST_CASE("RMSProp is the textbook's, in TensorFlow's form and in PyTorch's") {
  check_rmsprop({});
  check_rmsprop({.weight_decay = 0.05});
  check_rmsprop({.momentum = 0, .weight_decay = 0.05});
  check_rmsprop({.weight_decay = 0.05, .eps_inside_root = false});
  check_rmsprop({.alpha = 0.99, .eps = 1e-8, .momentum = 0, .eps_inside_root = false});
}

TEST_CASE("Lion is the textbook's, decay decoupled") {
  check_lion({});
  check_lion({.weight_decay = 0.05});
  check_lion({.beta1 = 0.95, .beta2 = 0.98, .weight_decay = 0.5});
}

}  // namespace basin::optim::testing
