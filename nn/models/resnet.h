// CIFAR ResNets: He, Zhang, Ren, Sun 2016, "Deep Residual Learning for Image Recognition", section 4.2.
#pragma once

#include <memory>
#include <vector>

#include "nn/layers.h"
#include "nn/models/registry.h"

namespace basin::nn {

/// relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)), both convolutions 3x3; the first may stride (figure
/// 2).
class BasicBlock : public Module {
 public:
  BasicBlock(Index in, Index out, Index stride, Shortcut shortcut, Initializer& init);
  void describe(Inventory& it) override;
  const char* kind() const override { return "basic_block"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  Variable shortcut(const Variable& x, Context& ctx);

  /// Option B's projection, named as torchvision names it: downsample.0 and downsample.1.
  struct Projection {
    Conv2d conv;
    BatchNorm2d norm;
    void describe(Inventory& it) {
      it.child("0", conv);
      it.child("1", norm);
    }
  };

  Index in_, out_, stride_;
  Conv2d conv1_;
  BatchNorm2d bn1_;
  Conv2d conv2_;
  BatchNorm2d bn2_;
  std::unique_ptr<Projection> downsample_;
};

/// Depth 6n+2: a 3x3 convolution with 16 channels, three stages of n basic blocks with 16, 32, 64 channels
/// (the second and third begin with stride 2), global average pooling, a linear layer.
class CifarResNet : public Module {
 public:
  /// Errors: depth is not 6n+2, n >= 1.
  CifarResNet(int depth, Index channels, Index classes, Shortcut shortcut, Initializer& init);
  void describe(Inventory& it) override;
  const char* kind() const override { return "resnet"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  Conv2d conv1_;
  BatchNorm2d bn1_;
  Sequential stages_[3];
  Linear fc_;
};

}  // namespace basin::nn
