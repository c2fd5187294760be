#include "nn/models/densenet.h"

#include <cmath>

namespace basin::nn {
namespace {

Conv2dOptions convolution(Index in, Index out, Index kernel) {
  return {.in = in, .out = out, .kernel = kernel, .pad = kernel / 2, .scheme = Scheme::kaiming_out};
}

}  // namespace

DenseLayer::DenseLayer(Index in, Index growth, bool bottleneck, Initializer& init)
    : bn1_(in, init), conv1_(bottleneck ? convolution(in, 4 * growth, 1) : convolution(in, growth, 3), init) {
  if (!bottleneck) return;
  bn2_ = std::make_unique<BatchNorm2d>(4 * growth, init);
  conv2_ = std::make_unique<Conv2d>(convolution(4 * growth, growth, 3), init);
}

void DenseLayer::describe(Inventory& it) {
  it.children("bn1", bn1_, "conv1", conv1_);
  if (!bn2_) return;
  it.children("bn2", *bn2_, "conv2", *conv2_);
}

Variable DenseLayer::forward(const Variable& x, Context& ctx) {
  Variable y = conv1_(relu(bn1_(x, ctx)), ctx);
  if (bn2_) y = (*conv2_)(relu((*bn2_)(y, ctx)), ctx);
  return concat({x, y}, 3);
}

DenseNet::DenseNet(const DenseNetOptions& o, Initializer& init) {
  const int layers = o.compressed ? 6 : 3;  // in three dense layers, one of each block
  if (o.depth < layers + 4 || (o.depth - 4) % layers != 0)
    throw ArgumentError("[densenet] ", o.compressed ? "with" : "without", " bottlenecks depths are ", layers,
                        "n+4 (", layers + 4, ", ", 2 * layers + 4, ", ...), not ", o.depth);
  Index width = o.compressed ? 2 * o.growth : 16;
  conv1_ = std::make_unique<Conv2d>(convolution(o.channels, width, 3), init);
  for (int block = 0; block < 3; ++block) {
    for (int i = 0; i < (o.depth - 4) / layers; ++i, width += o.growth)
      blocks_[block].add<DenseLayer>(width, o.growth, o.compressed, init);
    if (block == 2) break;
    const Index kept = o.compressed ? width / 2 : width;
    transitions_.push_back({BatchNorm2d(width, init), Conv2d(convolution(width, kept, 1), init)});
    width = kept;
  }
  bn1_ = std::make_unique<BatchNorm2d>(width, init);
  const double bound = 1 / std::sqrt(static_cast<double>(width));
  fc_ = std::make_unique<Linear>(init.uniform({o.classes, width}, -bound, bound), init.zeros({o.classes}));
}

void DenseNet::describe(Inventory& it) {
  it.child("conv1", *conv1_);
  for (int block = 0; block < 3; ++block) {
    it.child(text("block", block + 1, ".layer"), blocks_[block]);
    if (block == 2) break;
    Transition& transition = transitions_[static_cast<std::size_t>(block)];
    it.child(text("trans", block + 1, ".bn1"), transition.norm);
    it.child(text("trans", block + 1, ".conv1"), transition.conv);
  }
  it.children("bn1", *bn1_, "fc", *fc_);
}

Variable DenseNet::forward(const Variable& x, Context& ctx) {
  Variable y = (*conv1_)(x, ctx);
  for (std::size_t block = 0; block < 3; ++block) {
    y = blocks_[block](y, ctx);
    if (block == 2) break;
    Transition& transition = transitions_[block];
    y = pool_(transition.conv(relu(transition.norm(y, ctx)), ctx), ctx);
  }
  return (*fc_)(global_avg_pool(relu((*bn1_)(y, ctx))), ctx);
}

}  // namespace basin::nn
