// The multilayer perceptron.
#pragma once

#include <vector>

#include "nn/layers.h"

namespace basin::nn {

/// Flattens its input, then Linear + ReLU for each hidden width, then Linear to the classes.
class Mlp : public Module {
 public:
  Mlp(Index inputs, const std::vector<Index>& hidden, Index classes, Initializer& init);
  void describe(Inventory& it) override { body_.describe(it); }
  const char* kind() const override { return "mlp"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override { return body_(x, ctx); }

 private:
  Sequential body_;
};

}  // namespace basin::nn
