// Residual blocks that several families of models share: normalisation before each convolution.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nn/layers.h"
#include "nn/shake.h"

namespace basin::nn {

/// How a shortcut follows its branch to another size.
enum class Resize {
  project,   // a 1x1 convolution with the block's stride
  pool_pad,  // average pooling over the stride, the new channels as zeros behind the old: no parameters
};

struct PreactOptions {
  Index in = 0;     // channels
  Index width = 0;  // of the 3x3 convolutions
  Index stride = 1;
  bool bottleneck = false;         // 1x1 to width, 3x3, 1x1 to 4 width; else 3x3, 3x3
  bool stride_last = false;        // the second 3x3 convolution strides, not the first (not for bottlenecks)
  bool first_relu = true;          // after the first normalisation
  bool last_norm = false;          // one more normalisation, behind the last convolution
  bool shared_activation = false;  // the shortcut starts from the first normalisation's output, not from x
  double shake_keep = 1;           // ShakeDrop's probability that the branch passes as it is; 1: no ShakeDrop
  Resize resize = Resize::project;
  std::string projection = "downsample.0";  // the projection's name
  bool bias = false;                        // of all convolutions
  Scheme scheme = Scheme::kaiming_out;

  Index out() const { return bottleneck ? 4 * width : width; }
};

/// Pre-activation block: He, Zhang, Ren, Sun 2016, "Identity Mappings in Deep Residual Networks", figure 1b:
/// shortcut(x) + conv(relu(norm(... conv(relu(norm(x)))))), the parts named bn1, conv1, bn2, conv2, ...
/// ShakeDrop acts on the branch, behind its last part.
class PreactBlock : public Module {
 public:
  PreactBlock(const PreactOptions& options, Initializer& init);
  void describe(Inventory& it) override;
  const char* kind() const override { return options_.bottleneck ? "preact_bottleneck" : "preact_block"; }

 protected:
  /// Errors: pool_pad of sides that the stride does not divide.
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  struct Unit {
    BatchNorm2d norm;
    Conv2d conv;
  };

  void add(Index in, Index out, Index kernel, Index stride, Initializer& init);
  Variable shortcut(const Variable& x, Context& ctx);

  PreactOptions options_;
  std::vector<Unit> units_;
  std::unique_ptr<BatchNorm2d> last_norm_;
  std::unique_ptr<ShakeDrop> shake_drop_;
  std::unique_ptr<Conv2d> projection_;
};

}  // namespace basin::nn
