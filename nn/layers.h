// The layers: linear, convolution, normalisation, pooling, dropout, activations.
#pragma once

#include "nn/initializers.h"
#include "nn/module.h"

namespace basin::nn {

/// y = x W^T + b: x {..., in}, W {out, in}, b {out}.
class Linear : public Layer {
 public:
  /// W and b start uniform on +-1/sqrt(in). Errors: in or out below 1.
  Linear(Index in, Index out, Initializer& init, bool bias = true);
  /// From its initial values. Write `Linear{init.normal(...), init.zeros(...)}`: braces draw in that order.
  /// Errors: their shapes do not go together.
  Linear(Tensor weight, Tensor bias);
  void describe(Inventory& it) override;
  const char* kind() const override { return "linear"; }
  Index multiply_adds(const Shape& in, const Shape& out) const override;

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  Variable weight_, bias_;
};

struct Conv2dOptions {
  Index in = 0, out = 0;  // channels
  Index kernel = 3;       // square
  Index stride = 1;
  Index pad = 0;
  Index groups = 1;
  bool bias = false;
  Scheme scheme = Scheme::kaiming_in;
};

/// Cross-correlation of x {N,H,W,in} with weights {kernel,kernel,in/groups,out}.
class Conv2d : public Layer {
 public:
  /// Weights start as the scheme says, the bias at zero. Errors: an option out of its range.
  Conv2d(const Conv2dOptions& options, Initializer& init);
  void describe(Inventory& it) override;
  const char* kind() const override { return "conv2d"; }
  Index multiply_adds(const Shape& in, const Shape& out) const override;

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  Conv2dOptions options_;
  Variable weight_, bias_;
};

struct BatchNorm2dOptions {
  double eps = 1e-5;      // > 0
  double momentum = 0.1;  // [0, 1]: running <- (1 - momentum) running + momentum batch
};

/// Batch normalisation over all axes but the last. Train mode normalises by the batch's statistics and, if
/// the Context says update, moves the running ones (the running variance is the unbiased one); eval mode, and
/// train mode with Statistics::running, uses the running ones. Errors: running statistics are needed but
/// undefined, as those of averaged weights are until a recalibration; Statistics::collect without a
/// collector; a batch that has one value a channel, in train mode where its statistics normalise (with
/// Statistics::collect the collector decides).
class BatchNorm2d : public Layer {
 public:
  /// Errors: channels below 1, an option out of its range.
  BatchNorm2d(Index channels, Initializer& init, const BatchNorm2dOptions& options = {});

  void describe(Inventory& it) override;
  const char* kind() const override { return "batch_norm"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  void expect_running_statistics() const;

  BatchNorm2dOptions options_;
  Variable weight_, bias_;             // gamma, beta
  Tensor running_mean_, running_var_;  // {C}
  Tensor num_batches_tracked_;         // i64 {}
};

/// Layer normalisation over the last axis.
class LayerNorm : public Layer {
 public:
  /// Errors: width below 1, eps not above 0.
  LayerNorm(Index width, Initializer& init, double eps = 1e-5);
  void describe(Inventory& it) override;
  const char* kind() const override { return "layer_norm"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  double eps_;
  Variable weight_, bias_;
};

/// A module without parameters that is one function of its input.
class FunctionModule : public Layer {
 public:
  using Body = Variable (*)(const Variable&);
  FunctionModule(const char* kind, Body body) : kind_(kind), body_(body) {}
  void describe(Inventory&) override {}
  const char* kind() const override { return kind_; }

 protected:
  Variable forward(const Variable& x, Context&) override { return body_(x); }

 private:
  const char* kind_;
  Body body_;
};

struct Relu : FunctionModule {
  Relu() : FunctionModule("relu", [](const Variable& x) { return relu(x); }) {}
};
struct LeakyRelu : FunctionModule {
  LeakyRelu() : FunctionModule("leaky_relu", [](const Variable& x) { return leaky_relu(x); }) {}
};
struct Tanh : FunctionModule {
  Tanh() : FunctionModule("tanh", [](const Variable& x) { return tanh(x); }) {}
};
struct Sigmoid : FunctionModule {
  Sigmoid() : FunctionModule("sigmoid", [](const Variable& x) { return sigmoid(x); }) {}
};
struct Gelu : FunctionModule {
  Gelu() : FunctionModule("gelu", [](const Variable& x) { return gelu(x); }) {}
};
struct Silu : FunctionModule {
  Silu() : FunctionModule("silu", [](const Variable& x) { return silu(x); }) {}
};
/// {N, ...} -> {N, all the rest}.
struct Flatten : FunctionModule {
  Flatten()
      : FunctionModule("flatten", [](const Variable& x) {
          const Index rows = x.size(0);
          return reshape(x, {rows, rows == 0 ? 0 : x.shape().elements() / rows});
        }) {}
};

class MaxPool2d : public Layer {
 public:
  explicit MaxPool2d(const PoolOptions& options = {}) : options_(options) {}
  void describe(Inventory&) override {}
  const char* kind() const override { return "max_pool"; }

 protected:
  Variable forward(const Variable& x, Context&) override { return max_pool(x, options_); }

 private:
  PoolOptions options_;
};

class AvgPool2d : public Layer {
 public:
  explicit AvgPool2d(const PoolOptions& options = {}) : options_(options) {}
  void describe(Inventory&) override {}
  const char* kind() const override { return "avg_pool"; }

 protected:
  Variable forward(const Variable& x, Context&) override { return avg_pool(x, options_); }

 private:
  PoolOptions options_;
};

/// Train mode: zeroes each element with probability p and scales the rest by 1/(1-p); eval mode, or with the
/// Context's dropout off: nothing.
class Dropout : public Layer {
 public:
  /// Errors: p outside [0, 1).
  explicit Dropout(double p);
  void describe(Inventory&) override {}
  const char* kind() const override { return "dropout"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  double p_;
};

}  // namespace basin::nn
