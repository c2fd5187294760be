#include "nn/models/lenet.h"

#include <algorithm>

namespace basin::nn {
namespace {

constexpr Index kPaperSize = 32;

Index padding(Index height) {
  return height < kPaperSize ? (std::min<Index>(kPaperSize - height, 4) + 1) / 2 : 0;
}

/// Side after two rounds of a 5x5 convolution (the first padded) and a 2x2 pool.
Index final_side(Index side, Index pad) {
  const Index last = ((side + 2 * pad - 4) / 2 - 4) / 2;
  if (last < 1)
    throw ArgumentError("[lenet5] samples of ", side, " pixels are too small; at least 12 are needed");
  return last;
}

}  // namespace

LeNet5::LeNet5(Index height, Index width, Index channels, Index classes, Initializer& init)
    : conv1_({.in = channels, .out = 6, .kernel = 5, .pad = padding(height), .bias = true}, init),
      conv2_({.in = 6, .out = 16, .kernel = 5, .bias = true}, init),
      fc1_(final_side(height, padding(height)) * final_side(width, padding(height)) * 16, 120, init),
      fc2_(120, 84, init),
      fc3_(84, classes, init) {}

void LeNet5::describe(Inventory& it) {
  it.children("conv1", conv1_, "conv2", conv2_, "fc1", fc1_, "fc2", fc2_, "fc3", fc3_);
}

Variable LeNet5::forward(const Variable& x, Context& ctx) {
  Variable y = pool_(relu(conv1_(x, ctx)), ctx);
  y = pool_(relu(conv2_(y, ctx)), ctx);
  y = reshape(y, {y.size(0), y.size(1) * y.size(2) * y.size(3)});
  y = relu(fc1_(y, ctx));
  y = relu(fc2_(y, ctx));
  return fc3_(y, ctx);
}

}  // namespace basin::nn
