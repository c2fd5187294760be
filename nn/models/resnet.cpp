#include "nn/models/resnet.h"

namespace basin::nn {

ProjectionShortcut::ProjectionShortcut(Index in, Index out, Index stride, Scheme scheme, Initializer& init)
    : conv({.in = in, .out = out, .kernel = 1, .stride = stride, .scheme = scheme}, init), norm(out, init) {}

void ProjectionShortcut::describe(Inventory& it) { it.children("0", conv, "1", norm); }

BasicBlock::BasicBlock(Index in, Index width, Index stride, Shortcut shortcut, Scheme scheme,
                       Initializer& init)
    : in_(in),
      out_(width),
      stride_(stride),
      shortcut_(shortcut),
      conv1_({.in = in, .out = width, .kernel = 3, .stride = stride, .pad = 1, .scheme = scheme}, init),
      bn1_(width, init),
      conv2_({.in = width, .out = width, .kernel = 3, .pad = 1, .scheme = scheme}, init),
      bn2_(width, init) {
  if (shortcut == Shortcut::b && (stride != 1 || in != width))
    downsample_ = std::make_unique<ProjectionShortcut>(in, width, stride, scheme, init);
}

void BasicBlock::describe(Inventory& it) {
  it.children("conv1", conv1_, "bn1", bn1_, "conv2", conv2_, "bn2", bn2_);
  if (downsample_) it.child("downsample", *downsample_);
}

Variable BasicBlock::shortcut(const Variable& x, Context& ctx) {
  if (downsample_) return (*downsample_)(x, ctx);
  Variable y = x;
  // Option A: every stride-th pixel, then the new channels as zeros.
  if (stride_ != 1) y = avg_pool(y, {.kernel_h = 1, .kernel_w = 1, .stride_h = stride_, .stride_w = stride_});
  if (out_ != in_) y = pad(y, {0, 0, 0, (out_ - in_) / 2}, {0, 0, 0, out_ - in_ - (out_ - in_) / 2});
  return y;
}

Variable BasicBlock::forward(const Variable& x, Context& ctx) {
  Variable y = relu(bn1_(conv1_(x, ctx), ctx));
  y = bn2_(conv2_(y, ctx), ctx);
  if (shortcut_ != Shortcut::none) y = y + shortcut(x, ctx);
  return relu(y);
}

Bottleneck::Bottleneck(Index in, Index width, Index stride, Scheme scheme, Initializer& init)
    : conv1_({.in = in, .out = width, .kernel = 1, .scheme = scheme}, init),
      bn1_(width, init),
      conv2_({.in = width, .out = width, .kernel = 3, .stride = stride, .pad = 1, .scheme = scheme}, init),
      bn2_(width, init),
      conv3_({.in = width, .out = kExpansion * width, .kernel = 1, .scheme = scheme}, init),
      bn3_(kExpansion * width, init) {
  if (stride != 1 || in != kExpansion * width)
    downsample_ = std::make_unique<ProjectionShortcut>(in, kExpansion * width, stride, scheme, init);
}

void Bottleneck::describe(Inventory& it) {
  it.children("conv1", conv1_, "bn1", bn1_, "conv2", conv2_, "bn2", bn2_, "conv3", conv3_, "bn3", bn3_);
  if (downsample_) it.child("downsample", *downsample_);
}

Variable Bottleneck::forward(const Variable& x, Context& ctx) {
  Variable y = relu(bn1_(conv1_(x, ctx), ctx));
  y = relu(bn2_(conv2_(y, ctx), ctx));
  y = bn3_(conv3_(y, ctx), ctx);
  return relu(y + (downsample_ ? (*downsample_)(x, ctx) : x));
}

CifarResNet::CifarResNet(int depth, Index channels, Index classes, Shortcut shortcut, Initializer& init)
    : conv1_({.in = channels, .out = 16, .kernel = 3, .pad = 1}, init),
      bn1_(16, init),
      fc_(64, classes, init) {
  if (depth < 8 || (depth - 2) % 6 != 0)
    throw ArgumentError("[resnet] CIFAR ResNets have depth 6n+2 (8, 14, 20, 32, ...), got ", depth);
  const int blocks = (depth - 2) / 6;
  Index in = 16;
  for (int stage = 0; stage < 3; ++stage) {
    const Index out = Index{16} << stage;
    for (int block = 0; block < blocks; ++block) {
      const Index stride = stage > 0 && block == 0 ? 2 : 1;
      stages_[stage].add<BasicBlock>(in, out, stride, shortcut, Scheme::kaiming_in, init);
      in = out;
    }
  }
}

void CifarResNet::describe(Inventory& it) {
  it.children("conv1", conv1_, "bn1", bn1_, "layer1", stages_[0], "layer2", stages_[1], "layer3", stages_[2],
              "fc", fc_);
}

Variable CifarResNet::forward(const Variable& x, Context& ctx) {
  Variable y = relu(bn1_(conv1_(x, ctx), ctx));
  for (Sequential& stage : stages_) y = stage(y, ctx);
  return fc_(global_avg_pool(y), ctx);
}

ResNet::ResNet(const ResNetOptions& o, Initializer& init)
    : stem_(o.stem),
      conv1_(o.stem == Stem::large ? Conv2dOptions{.in = o.channels,
                                                   .out = o.width,
                                                   .kernel = 7,
                                                   .stride = 2,
                                                   .pad = 3,
                                                   .scheme = Scheme::kaiming_out}
                                   : Conv2dOptions{.in = o.channels,
                                                   .out = o.width,
                                                   .kernel = 3,
                                                   .pad = 1,
                                                   .scheme = Scheme::kaiming_out},
             init),
      bn1_(o.width, init),
      pool_({.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}),
      fc_(8 * o.width * (o.bottleneck ? Bottleneck::kExpansion : BasicBlock::kExpansion), o.classes, init) {
  Index in = o.width;
  for (int stage = 0; stage < 4; ++stage) {
    const Index width = o.width << stage;
    for (int block = 0; block < o.blocks[static_cast<std::size_t>(stage)]; ++block) {
      const Index stride = stage > 0 && block == 0 ? 2 : 1;
      if (o.bottleneck)
        stages_[stage].add<Bottleneck>(in, width, stride, Scheme::kaiming_out, init);
      else
        stages_[stage].add<BasicBlock>(in, width, stride, Shortcut::b, Scheme::kaiming_out, init);
      in = width * (o.bottleneck ? Bottleneck::kExpansion : BasicBlock::kExpansion);
    }
  }
}

void ResNet::describe(Inventory& it) {
  it.children("conv1", conv1_, "bn1", bn1_);
  for (int stage = 0; stage < 4; ++stage) it.child(text("layer", stage + 1), stages_[stage]);
  it.child("fc", fc_);
}

Variable ResNet::forward(const Variable& x, Context& ctx) {
  Variable y = relu(bn1_(conv1_(x, ctx), ctx));
  if (stem_ == Stem::large) y = pool_(y, ctx);
  for (Sequential& stage : stages_) y = stage(y, ctx);
  return fc_(global_avg_pool(y), ctx);
}

}  // namespace basin::nn
