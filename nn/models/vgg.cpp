#include "nn/models/vgg.h"

namespace basin::nn {

Vgg::Vgg(const VggOptions& o, Initializer& init)
    : fc1_(o.stages.back().back(), o.hidden, init),
      fc2_(o.hidden, o.hidden, init),
      fc3_(o.hidden, o.classes, init) {
  int number = 0;  // of the layer in the reference's Sequential, which counts ReLUs and pools
  Index in = o.channels;
  for (const std::vector<Index>& stage : o.stages) {
    for (Index out : stage) {
      Unit unit{text("features.", number++),
                Conv2d({.in = in, .out = out, .pad = 1, .bias = true, .scheme = Scheme::kaiming_out}, init),
                {},
                {}};
      if (o.batch_norm) {
        unit.norm.emplace(out, init);
        unit.norm_name = text("features.", number++);
      }
      ++number;
      features_.push_back(std::move(unit));
      in = out;
    }
    ++number;
    features_.back().pool = true;
  }
}

void Vgg::describe(Inventory& it) {
  for (Unit& unit : features_) {
    it.child(unit.name, unit.conv);
    if (unit.norm) it.child(unit.norm_name, *unit.norm);
  }
  it.child("classifier.1", fc1_);
  it.child("classifier.4", fc2_);
  it.child("classifier.6", fc3_);
}

Variable Vgg::forward(const Variable& x, Context& ctx) {
  Convolved y = x;
  BatchNorm2d* before = nullptr;  // of the unit before, whose norm and ReLU go along with this convolution
  for (Unit& unit : features_) {
    if (unit.norm)
      y = before ? before->then_for_norm(unit.conv, y, ctx, /*relu=*/true) : unit.conv.for_norm(y.y, ctx);
    else
      y = relu(unit.conv(y.y, ctx));
    before = unit.norm && !unit.pool ? &*unit.norm : nullptr;
    if (!unit.pool) continue;
    Variable active = unit.norm ? (*unit.norm)(y, ctx, /*relu=*/true) : y.y;
    if (active.size(1) < 2 || active.size(2) < 2)
      throw ArgumentError("[vgg] samples of {", x.size(1), ",", x.size(2),
                          "} are too small: each stage halves them");
    y = pool_(active, ctx);
  }
  Variable features = global_avg_pool(y.y);
  features = relu(fc1_(dropout_(features, ctx), ctx));
  features = relu(fc2_(dropout_(features, ctx), ctx));
  return fc3_(features, ctx);
}

}  // namespace basin::nn
