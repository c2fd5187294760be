// The problems that the optimizer tests minimise, and how they compare numbers and bits.
#pragma once

#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "autograd/inventory.h"
#include "autograd/ops/ops.h"
#include "core/parallel.h"
#include "nn/layers.h"
#include "optim/gradient/gradient_rule.h"
#include "optim/update/update_rule.h"

namespace basin::optim::testing {

using Numbers = std::vector<double>;

/// The largest difference between a tensor and the numbers expected; infinite if the counts differ or a NaN
/// is in the way.
inline double gap(const Tensor& actual, const Numbers& expected) {
  if (!actual.defined() || actual.elements() != static_cast<Index>(expected.size())) return HUGE_VAL;
  const Numbers numbers = actual.to_vector<double>();
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(numbers[i] - expected[i]);
    if (!(difference <= largest)) largest = std::isnan(difference) ? HUGE_VAL : difference;
  }
  return largest;
}

/// Worked numbers are printed to ten decimals: this is half a unit of the last, and some rounding.
inline constexpr double kTenDecimals = 5.1e-11;

/// Element and sign of zero included. State that is not there yet equals state that is not there yet.
inline bool same_bits(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.dtype() == b.dtype() && a.bytes() == b.bytes() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

/// L = w^T A w / 2 with A = [[1, 1], [1, 1.5]] at w = (1, 2): the base problem Q of the worked numbers.
struct Quadratic {
  Variable w = Variable::parameter(Tensor::from(Numbers{1, 2}));
  Tensor a = Tensor::from(Numbers{1, 1, 1, 1.5}, {2, 2});

  void describe(Inventory& it) { it.parameter("w", w); }
  Variable loss() const {
    const Variable row = reshape(w, {1, 2});
    return 0.5 * sum(matmul(row, a) * row);
  }
  Objective objective(const ParameterVector& vector) const {
    return [this, &vector](const Request& request) {
      return evaluate(loss(), vector, {.norm_gradient = request.norm_gradient});
    };
  }
};

/// The network of the worked numbers: 2 inputs, 3 tanh units, 3 classes, four rows.
struct TanhNetwork {
  Tensor x = Tensor::from(Numbers{1, 2, -1, .5, .3, -.7, 2, -1}, {4, 2});
  Tensor y = Tensor::from(std::vector<std::int64_t>{0, 1, 2, 1});
  Variable w1, w2;
  Variable b1 = Variable::parameter(Tensor::from(Numbers{.05, -.05, .1}));
  Variable b2 = Variable::parameter(Tensor::zeros({3}, Dtype::f64));

  TanhNetwork() {
    Numbers first, second;
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 2; ++j) first.push_back(.1 * (i + 1) - .2 * (j + 1));
    for (int k = 0; k < 3; ++k)
      for (int i = 0; i < 3; ++i) second.push_back(.2 * ((3 * k + i) % 5 - 2));
    w1 = Variable::parameter(Tensor::from(first, {3, 2}));
    w2 = Variable::parameter(Tensor::from(second, {3, 3}));
  }
  void describe(Inventory& it) {
    it.parameter("w1", w1);
    it.parameter("b1", b1, ParameterRole::bias);
    it.parameter("w2", w2);
    it.parameter("b2", b2, ParameterRole::bias);
  }
  Variable loss() const { return cross_entropy(linear(tanh(linear(x, w1, b1)), w2, b2), y); }
  Objective objective(const ParameterVector& vector) const {
    return [this, &vector](const Request& request) {
      return evaluate(loss(), vector, {.norm_gradient = request.norm_gradient});
    };
  }
};

/// A small f32 network with everything a step can disturb: batch-norm statistics, dropout, biases. Wide
/// enough that the flat vector spans several chunks of the kernels.
struct SmallNetwork {
  static constexpr Index kRows = 24, kInputs = 40, kHidden = 160, kClasses = 5;

  Device device;
  nn::Initializer init;
  nn::Linear first;
  nn::BatchNorm2d norm;
  nn::Dropout dropout;
  nn::Linear second;

  explicit SmallNetwork(Device device = {});
  void describe(Inventory& it) {
    it.child("first", first);
    it.child("norm", norm);
    it.child("second", second);
  }
  /// The rows of step t.
  static std::pair<Tensor, Tensor> batch(std::int64_t t);
  /// The objective of step t, of the rows asked for: the same draws in every pass, statistics moved by the
  /// first.
  Objective objective(const ParameterVector& vector, std::int64_t t);
  /// The same of a batch x, y that is where the network is.
  Objective on(const Tensor& x, const Tensor& y, const ParameterVector& vector, const Scalar& step);
  /// Copies of all buffers: what a failed step must not change.
  Tensors buffers();
};

/// The weights of every pass of one direction.
inline Tensors weights_of_passes(GradientRule& rule, const Objective& objective, ParameterVector& w,
                                 const StepInfo& now = {}) {
  Tensors seen;
  rule.direction(
      [&](const Request& request) {
        seen.push_back(w.values().clone());
        return objective(request);
      },
      w, now);
  return seen;
}

/// Which pass an objective was asked for, and a fault planted in one of them.
struct Watched {
  enum class Fault { none, infinite_loss, infinite_gradient, nan_gradient, exception };

  Objective inner;
  Fault fault = Fault::none;
  std::size_t fault_pass = 0;
  std::vector<Pass> passes = {};

  /// An Objective that refers to this object.
  Objective objective() {
    return [this](const Request& request) { return (*this)(request); };
  }
  Evaluation operator()(const Request& request);
};

/// Everything `describe` names, cloned; undefined where it is.
template <class Object>
Tensors state_of(Object& object) {
  Tensors copies;
  for (const NamedBuffer& b : entries_of(object).buffers)
    copies.push_back(b.buffer->defined() ? b.buffer->clone() : Tensor());
  return copies;
}

/// Gives `to` the state of `from`, an object of the same kind, as a checkpoint would: by copies.
template <class Object>
void copy_state(Object& from, Object& to) {
  const Tensors state = state_of(from);
  const std::vector<NamedBuffer> buffers = entries_of(to).buffers;
  for (std::size_t i = 0; i < buffers.size(); ++i) *buffers[i].buffer = state.at(i);
}

inline bool same_bits(const Tensors& a, const Tensors& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!same_bits(a[i], b[i])) return false;
  return true;
}

}  // namespace basin::optim::testing
