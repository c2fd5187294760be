#include "nn/models/resnet.h"

namespace basin::nn {

BasicBlock::BasicBlock(Index in, Index out, Index stride, Shortcut shortcut, Initializer& init)
    : in_(in),
      out_(out),
      stride_(stride),
      conv1_({.in = in, .out = out, .kernel = 3, .stride = stride, .pad = 1}, init),
      bn1_(out, init),
      conv2_({.in = out, .out = out, .kernel = 3, .pad = 1}, init),
      bn2_(out, init) {
  if (shortcut == Shortcut::b && (stride != 1 || in != out))
    downsample_ = std::make_unique<Projection>(Projection{
        Conv2d({.in = in, .out = out, .kernel = 1, .stride = stride}, init), BatchNorm2d(out, init)});
}

void BasicBlock::describe(Inventory& it) {
  it.child("conv1", conv1_);
  it.child("bn1", bn1_);
  it.child("conv2", conv2_);
  it.child("bn2", bn2_);
  if (downsample_) it.child("downsample", *downsample_);
}

Variable BasicBlock::shortcut(const Variable& x, Context& ctx) {
  if (downsample_) return downsample_->norm(downsample_->conv(x, ctx), ctx);
  Variable y = x;
  // Option A: every stride-th pixel, then the new channels as zeros.
  if (stride_ != 1) y = avg_pool(y, {.kernel_h = 1, .kernel_w = 1, .stride_h = stride_, .stride_w = stride_});
  if (out_ != in_) y = pad(y, {0, 0, 0, (out_ - in_) / 2}, {0, 0, 0, out_ - in_ - (out_ - in_) / 2});
  return y;
}

Variable BasicBlock::forward(const Variable& x, Context& ctx) {
  const Variable inner = bn1_(conv1_(x, ctx), ctx, /*relu=*/true);
  return bn2_(conv2_(inner, ctx), ctx, /*relu=*/true, shortcut(x, ctx));
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
      stages_[stage].add<BasicBlock>(in, out, stride, shortcut, init);
      in = out;
    }
  }
}

void CifarResNet::describe(Inventory& it) {
  it.child("conv1", conv1_);
  it.child("bn1", bn1_);
  it.child("layer1", stages_[0]);
  it.child("layer2", stages_[1]);
  it.child("layer3", stages_[2]);
  it.child("fc", fc_);
}

Variable CifarResNet::forward(const Variable& x, Context& ctx) {
  Variable y = bn1_(conv1_(x, ctx), ctx, /*relu=*/true);
  for (Sequential& stage : stages_) y = stage(y, ctx);
  return fc_(global_avg_pool(y), ctx);
}

}  // namespace basin::nn
