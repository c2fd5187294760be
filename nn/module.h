// Module: a value with members, a forward pass, and one describe() that names what it owns.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "autograd/inventory.h"
#include "nn/context.h"

namespace basin::nn {

/// Base of layers and models. A module that holds parameters must not move once a ParameterVector views them.
///
/// forward() is written in the paper's words, `y = relu(bn1(conv1(x)))`. Which of these become one kernel is
/// the engine's business: within one forward() a result may wait for its reader (autograd/ops/deferred.h);
/// what goes in and what comes out does not.
class Module {
 public:
  virtual ~Module() = default;

  /// The output for x; records the layer in ctx.trace if that is set.
  Variable operator()(const Variable& x, Context& ctx);

  /// Names parameters, buffers and children: `it.parameter("weight", weight_)`, `it.child("bn1", bn1_)`.
  virtual void describe(Inventory& it) = 0;
  /// Short name for tables: "conv2d".
  virtual const char* kind() const { return "module"; }
  /// Multiply-add operations of one forward pass from `in` to `out`, children not counted.
  virtual Index multiply_adds(const Shape& /*in*/, const Shape& /*out*/) const { return 0; }

 protected:
  virtual Variable forward(const Variable& x, Context& ctx) = 0;

 private:
  /// forward(), and around it what its results may wait for.
  virtual Variable run(const Variable& x, Context& ctx);
};

/// Where the weights of a module live; Device{} if it has none.
Device device_of(Module& module);

/// A module that is one op: part of the forward() that calls it, so that its result may wait there.
class Layer : public Module {
 private:
  Variable run(const Variable& x, Context& ctx) final { return forward(x, ctx); }
};

/// Modules in a row. describe() names them 0, 1, 2, ...
class Sequential : public Module {
 public:
  Sequential() = default;

  /// Appends a module and returns it.
  template <class M, class... Arguments>
  M& add(Arguments&&... arguments) {
    auto module = std::make_unique<M>(std::forward<Arguments>(arguments)...);
    M& added = *module;
    parts_.push_back(std::move(module));
    return added;
  }
  std::size_t size() const { return parts_.size(); }
  Module& operator[](std::size_t i) { return *parts_.at(i); }

  void describe(Inventory& it) override;
  const char* kind() const override { return "sequential"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  std::vector<std::unique_ptr<Module>> parts_;
};

}  // namespace basin::nn
