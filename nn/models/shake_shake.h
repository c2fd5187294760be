// Shake-Shake networks: Gastaldi 2017, "Shake-Shake regularization".
#pragma once

#include "nn/layers.h"
#include "nn/shake.h"

namespace basin::nn {

/// To another number of channels, from the block's first ReLU: two 1x1 convolutions with the block's stride,
/// each to half the channels, the second of the image moved one pixel to the right and down (zeros enter);
/// concatenated and normalised.
class ShakeShortcut : public Module {
 public:
  /// Errors: an odd number of channels.
  ShakeShortcut(Index in, Index out, Index stride, Initializer& init);
  void describe(Inventory& it) override;
  const char* kind() const override { return "shake_shortcut"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  Conv2d conv1_, conv2_;
  BatchNorm2d bn_;
};

/// shortcut(x) + shake_shake(branch1(relu(x)), branch2(relu(x))), a branch being conv3x3 - bn - relu -
/// conv3x3 - bn. The shortcut is x itself where the channels stay, else a ShakeShortcut of relu(x).
class ShakeBlock : public Module {
 public:
  ShakeBlock(Index in, Index out, Index stride, Initializer& init);
  void describe(Inventory& it) override;
  const char* kind() const override { return "shake_block"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  struct Branch : Module {
    Branch(Index in, Index out, Index stride, Initializer& init);
    void describe(Inventory& it) override;
    const char* kind() const override { return "shake_branch"; }

   protected:
    Variable forward(const Variable& x, Context& ctx) override;

   private:
    Conv2d conv1_, conv2_;
    BatchNorm2d bn1_, bn2_;
  };

  Branch branch1_, branch2_;
  std::unique_ptr<ShakeShortcut> shortcut_;
};

struct ShakeShakeOptions {
  int depth = 26;   // 6n+2
  Index base = 32;  // channels of the first stage: the d of "26 2x32d"
  Index channels = 3, classes = 10;
  Index width = 16;  // of the first convolution
};

/// A 3x3 convolution and batch norm, three stages of n blocks with base, 2 base and 4 base channels, the
/// second and third of half the side, ReLU, global average pooling, a linear layer. The author's network
/// (xgastaldi/shake-shake); in google-research/sam's the shortcut has no ReLU and moves the other way.
class ShakeShake : public Module {
 public:
  /// Errors: a depth that the blocks do not give; an odd number of channels in a stage that changes them.
  ShakeShake(const ShakeShakeOptions& options, Initializer& init);
  void describe(Inventory& it) override;
  const char* kind() const override { return "shake_shake"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  Conv2d conv1_;
  BatchNorm2d bn1_;
  Sequential stages_[3];
  Linear fc_;
};

}  // namespace basin::nn
