// LeNet-5: LeCun, Bottou, Bengio, Haffner 1998, "Gradient-Based Learning Applied to Document Recognition",
// figure 2.
#pragma once

#include "nn/layers.h"

namespace basin::nn {

/// conv 5x5 (6) - pool - conv 5x5 (16) - pool - 120 - 84 - classes. As is usual today with ReLU, max-pooling
/// and full connections where the paper has scaled tanh, trainable subsampling and a partial connection
/// table. Samples of 28 pixels are padded to the paper's 32.
class LeNet5 : public Module {
 public:
  /// Errors: samples smaller than 12 pixels after padding.
  LeNet5(Index height, Index width, Index channels, Index classes, Initializer& init);
  void describe(Inventory& it) override;
  const char* kind() const override { return "lenet5"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  Conv2d conv1_, conv2_;
  MaxPool2d pool_;
  Linear fc1_, fc2_, fc3_;
};

}  // namespace basin::nn
