// ResNets: He, Zhang, Ren, Sun 2016, "Deep Residual Learning for Image Recognition", for CIFAR (section 4.2)
// and for ImageNet (section 4.1).
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "nn/layers.h"
#include "nn/models/shortcut.h"

namespace basin::nn {

/// A shortcut's 1x1 convolution with batch normalisation, named as torchvision names it: downsample.0, .1.
struct ProjectionShortcut {
  Conv2d conv;
  BatchNorm2d norm;
  ProjectionShortcut(Index in, Index out, Index stride, Scheme scheme, Initializer& init);
  void describe(Inventory& it);
  Variable operator()(const Variable& x, Context& ctx) { return norm(conv(x, ctx), ctx); }
};

/// relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)), both convolutions 3x3; the first may stride (figure
/// 2).
class BasicBlock : public Module {
 public:
  static constexpr Index kExpansion = 1;

  BasicBlock(Index in, Index width, Index stride, Shortcut shortcut, Scheme scheme, Initializer& init);
  void describe(Inventory& it) override;
  const char* kind() const override { return "basic_block"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  Variable shortcut(const Variable& x, Context& ctx);

  Index in_, out_, stride_;
  Shortcut shortcut_;
  Conv2d conv1_;
  BatchNorm2d bn1_;
  Conv2d conv2_;
  BatchNorm2d bn2_;
  std::unique_ptr<ProjectionShortcut> downsample_;
};

/// Three convolutions, 1x1 to `width`, 3x3, 1x1 to 4 `width` (figure 5), option B. The 3x3 convolution
/// strides, as in torchvision ("v1.5"); the paper strides in the first.
class Bottleneck : public Module {
 public:
  static constexpr Index kExpansion = 4;

  Bottleneck(Index in, Index width, Index stride, Scheme scheme, Initializer& init);
  void describe(Inventory& it) override;
  const char* kind() const override { return "bottleneck"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  Conv2d conv1_;
  BatchNorm2d bn1_;
  Conv2d conv2_;
  BatchNorm2d bn2_;
  Conv2d conv3_;
  BatchNorm2d bn3_;
  std::unique_ptr<ProjectionShortcut> downsample_;
};

/// Depth 6n+2: a 3x3 convolution with 16 channels, three stages of n basic blocks with 16, 32, 64 channels
/// (the second and third begin with stride 2), global average pooling, a linear layer. Convolutions start
/// Kaiming normal over fan_in.
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

/// How ImageNet's ResNets begin: with a 7x7 convolution of stride 2 and a 3x3 max-pool of stride 2, or, for
/// images of 32 pixels, with a 3x3 convolution of stride 1.
enum class Stem { large, small };

struct ResNetOptions {
  std::array<int, 4> blocks = {2, 2, 2, 2};
  bool bottleneck = false;
  Stem stem = Stem::large;
  Index width = 64;  // of the first stage; each next one has twice as many channels and half the side
  Index channels = 3, classes = 1000;
};

/// Table 1's 18 to 152 layers: depth 18 {2,2,2,2}, 34 {3,4,6,3}, with bottlenecks 50 {3,4,6,3}, 101
/// {3,4,23,3}, 152 {3,8,36,3}. Names and initial values are torchvision's: convolutions Kaiming normal over
/// fan_out.
class ResNet : public Module {
 public:
  ResNet(const ResNetOptions& options, Initializer& init);
  void describe(Inventory& it) override;
  const char* kind() const override { return "resnet"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  Stem stem_;
  Conv2d conv1_;
  BatchNorm2d bn1_;
  MaxPool2d pool_;
  Sequential stages_[4];
  Linear fc_;
};

}  // namespace basin::nn
