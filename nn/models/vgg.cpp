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
  it.children("classifier.1", fc1_, "classifier.4", fc2_, "classifier.6", fc3_);
}

Variable Vgg::forward(const Variable& x, Context& ctx) {
  Variable y = x;
  for (Unit& unit : features_) {
    y = unit.conv(y, ctx);
    if (unit.norm) y = (*unit.norm)(y, ctx);
    y = relu(y);
    if (!unit.pool) continue;
    if (y.size(1) < 2 || y.size(2) < 2)
      throw ArgumentError("[vgg] samples of {", x.size(1), ",", x.size(2),
                          "} are too small: each stage halves them");
    y = pool_(y, ctx);
  }
  Variable features = global_avg_pool(y);
  features = relu(fc1_(dropout_(features, ctx), ctx));
  features = relu(fc2_(dropout_(features, ctx), ctx));
  return fc3_(features, ctx);
}

}  // namespace basin::nn
