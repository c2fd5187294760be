// PyramidNets: Han, Kim, Kim 2017, "Deep Pyramidal Residual Networks". With ShakeDrop: Yamada, Iwamura,
// Akiba, Kise 2019, "ShakeDrop Regularization for Deep Residual Learning".
#pragma once

#include "nn/blocks.h"

namespace basin::nn {

struct PyramidNetOptions {
  int depth = 110;    // 6n+2 with basic blocks, 9n+2 with bottlenecks
  double alpha = 48;  // channels gained from the first block to the last
  bool bottleneck = false;
  double last_keep = 1;  // p_L of ShakeDrop (0.5 in the paper); 1: no ShakeDrop
  Index channels = 3, classes = 10;
  Index width = 16;  // of the first convolution
};

/// Additive PyramidNet: the k-th of N = 3n blocks has round(16 + k alpha / N) channels (times 4 behind a
/// bottleneck), three stages of n blocks, the second and third of half the side. A block is conv - bn without
/// the first ReLU and with a last bn (figure 6d); shortcuts average-pool and pad with zeros. Widths, names
/// and initial values (Kaiming normal over fan_out) are those of the authors' code,
/// dyhan0920/PyramidNet-PyTorch; the paper's equation (2) rounds down instead, which gives about 1 % fewer
/// parameters.
///
/// With ShakeDrop the l-th of L blocks has nn::ShakeDrop on its branch, behind the last bn, with the
/// probability 1 - l/L (1 - last_keep) that an image's branch passes as it is (the paper's "linear decay").
class PyramidNet : public Module {
 public:
  /// Errors: a depth that the blocks do not give; last_keep outside [0, 1]; later, samples whose sides are
  /// not multiples of 4.
  PyramidNet(const PyramidNetOptions& options, Initializer& init);
  void describe(Inventory& it) override;
  const char* kind() const override { return "pyramidnet"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  Conv2d conv1_;
  BatchNorm2d bn1_;
  Sequential stages_[3];
  std::unique_ptr<BatchNorm2d> bn_final_;
  std::unique_ptr<Linear> fc_;
};

}  // namespace basin::nn
