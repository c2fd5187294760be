#include "nn/models/shake_shake.h"

#include <cmath>

#include "autograd/ops/deferred.h"

namespace basin::nn {
namespace {

Conv2dOptions convolution(Index in, Index out, Index kernel, Index stride) {
  return {.in = in,
          .out = out,
          .kernel = kernel,
          .stride = stride,
          .pad = kernel / 2,
          .scheme = Scheme::kaiming_out};
}

/// The images one pixel further to the right and down, zeros in the first row and column.
Variable moved(const Variable& x) {
  const Variable rest = slice(x, {0, 0, 0, 0}, {x.size(0), x.size(1) - 1, x.size(2) - 1, x.size(3)});
  return pad(rest, {0, 1, 1, 0}, {0, 0, 0, 0});
}

Linear head(const ShakeShakeOptions& o, Initializer& init) {
  const Index in = 4 * o.base;
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  return Linear{init.uniform({o.classes, in}, -bound, bound), init.zeros({o.classes})};
}

}  // namespace

ShakeShortcut::ShakeShortcut(Index in, Index out, Index stride, Initializer& init)
    : conv1_(convolution(in, out / 2, 1, stride), init),
      conv2_(convolution(in, out / 2, 1, stride), init),
      bn_(out, init) {
  if (out % 2 != 0)
    throw ArgumentError("[shake_shake] the shortcut's two paths need an even number of channels, got ", out);
}

void ShakeShortcut::describe(Inventory& it) { it.children("conv1", conv1_, "conv2", conv2_, "bn", bn_); }

Variable ShakeShortcut::forward(const Variable& x, Context& ctx) {
  const Variable here = conv1_(x, ctx), there = conv2_(moved(x), ctx);
  return bn_(concat({here, there}, 3), ctx);
}

ShakeBlock::Branch::Branch(Index in, Index out, Index stride, Initializer& init)
    : conv1_(convolution(in, out, 3, stride), init),
      conv2_(convolution(out, out, 3, 1), init),
      bn1_(out, init),
      bn2_(out, init) {}

void ShakeBlock::Branch::describe(Inventory& it) {
  it.children("conv1", conv1_, "bn1", bn1_, "conv2", conv2_, "bn2", bn2_);
}

Variable ShakeBlock::Branch::forward(const Variable& x, Context& ctx) {
  const Variable y = relu(bn1_(conv1_(x, ctx), ctx));
  return bn2_(conv2_(y, ctx), ctx);
}

ShakeBlock::ShakeBlock(Index in, Index out, Index stride, Initializer& init)
    : branch1_(in, out, stride, init), branch2_(in, out, stride, init) {
  if (in != out || stride != 1) shortcut_ = std::make_unique<ShakeShortcut>(in, out, stride, init);
}

void ShakeBlock::describe(Inventory& it) {
  it.children("branch1", branch1_, "branch2", branch2_);
  if (shortcut_) it.child("shortcut", *shortcut_);
}

Variable ShakeBlock::forward(const Variable& x, Context& ctx) {
  const Variable active = relu(x);
  const Variable first = branch1_(active, ctx), second = branch2_(active, ctx);
  const Variable mixed = shake_shake(first, second, ctx);
  return mixed + (shortcut_ ? (*shortcut_)(active, ctx) : x);
}

ShakeShake::ShakeShake(const ShakeShakeOptions& o, Initializer& init)
    : conv1_(convolution(o.channels, o.width, 3, 1), init), bn1_(o.width, init), fc_(head(o, init)) {
  if (o.depth < 8 || (o.depth - 2) % 6 != 0)
    throw ArgumentError("[shake_shake] blocks of two convolutions give depths 6n+2 (8, 14, ...), not ",
                        o.depth);
  Index in = o.width;
  for (int stage = 0; stage < 3; ++stage) {
    const Index out = o.base << stage;
    for (int block = 0; block < (o.depth - 2) / 6; ++block) {
      stages_[stage].add<ShakeBlock>(in, out, stage > 0 && block == 0 ? 2 : 1, init);
      in = out;
    }
  }
}

void ShakeShake::describe(Inventory& it) {
  it.children("conv1", conv1_, "bn1", bn1_);
  for (int stage = 0; stage < 3; ++stage) it.child(text("layer", stage + 1), stages_[stage]);
  it.child("fc", fc_);
}

Variable ShakeShake::forward(const Variable& x, Context& ctx) {
  // Formed: the moments of the first convolution are taken by themselves. Beside it they would round
  // otherwise, and no run of this network would have the bits that it had.
  Variable y = bn1_(formed(conv1_(x, ctx)), ctx);
  for (Sequential& stage : stages_) y = stage(y, ctx);
  return fc_(global_avg_pool(relu(y)), ctx);
}

}  // namespace basin::nn
