#include "nn/blocks.h"

namespace basin::nn {

PreactBlock::PreactBlock(const PreactOptions& o, Initializer& init) : options_(o) {
  if (o.bottleneck) {
    add(o.in, o.width, 1, 1, init);
    add(o.width, o.width, 3, o.stride, init);
    add(o.width, o.out(), 1, 1, init);
  } else {
    add(o.in, o.width, 3, o.stride_last ? 1 : o.stride, init);
    add(o.width, o.width, 3, o.stride_last ? o.stride : 1, init);
  }
  if (o.last_norm) last_norm_ = std::make_unique<BatchNorm2d>(o.out(), init);
  if (!(o.shake_keep >= 1)) shake_drop_ = std::make_unique<ShakeDrop>(ShakeDropOptions{.keep = o.shake_keep});
  if (o.resize == Resize::project && (o.stride != 1 || o.in != o.out())) {
    projection_ = std::make_unique<Conv2d>(
        Conv2dOptions{
            .in = o.in, .out = o.out(), .kernel = 1, .stride = o.stride, .bias = o.bias, .scheme = o.scheme},
        init);
  }
}

void PreactBlock::add(Index in, Index out, Index kernel, Index stride, Initializer& init) {
  units_.push_back({BatchNorm2d(in, init), Conv2d({.in = in,
                                                   .out = out,
                                                   .kernel = kernel,
                                                   .stride = stride,
                                                   .pad = kernel / 2,
                                                   .bias = options_.bias,
                                                   .scheme = options_.scheme},
                                                  init)});
}

void PreactBlock::describe(Inventory& it) {
  for (std::size_t i = 0; i < units_.size(); ++i) {
    it.child("bn" + std::to_string(i + 1), units_[i].norm);
    it.child("conv" + std::to_string(i + 1), units_[i].conv);
  }
  if (last_norm_) it.child("bn" + std::to_string(units_.size() + 1), *last_norm_);
  if (shake_drop_) it.child("shake_drop", *shake_drop_);
  if (projection_) it.child(options_.projection, *projection_);
}

Variable PreactBlock::shortcut(const Variable& x, Context& ctx) {
  if (options_.resize == Resize::project) return projection_ ? (*projection_)(x, ctx) : x;
  Variable y = x;
  if (const Index stride = options_.stride; stride != 1) {
    if (x.size(1) % stride != 0 || x.size(2) % stride != 0)
      throw ArgumentError("[residual] average pooling over ", stride, "x", stride,
                          " cannot halve an input of {", x.size(1), ",", x.size(2),
                          "}: use samples whose sides are multiples of 4");
    y = avg_pool(y, {.kernel_h = stride, .kernel_w = stride, .stride_h = stride, .stride_w = stride});
  }
  if (options_.out() != options_.in) y = pad(y, {0, 0, 0, 0}, {0, 0, 0, options_.out() - options_.in});
  return y;
}

Variable PreactBlock::forward(const Variable& x, Context& ctx) {
  Variable start = x, y = x;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    auto& [norm, conv] = units_[i];
    y = norm(y, ctx);
    if (i > 0 || options_.first_relu) y = relu(y);
    if (i == 0 && options_.shared_activation) start = y;
    y = conv(y, ctx);
  }
  if (last_norm_) y = (*last_norm_)(y, ctx);
  if (shake_drop_) y = (*shake_drop_)(y, ctx);
  return y + shortcut(start, ctx);
}

}  // namespace basin::nn
