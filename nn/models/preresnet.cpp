#include "nn/models/preresnet.h"

namespace basin::nn {
namespace {

Index final_width(const PreResNetOptions& o) { return o.width * (o.bottleneck ? 16 : 4); }

}  // namespace

PreResNet::PreResNet(const PreResNetOptions& o, Initializer& init)
    : conv1_({.in = o.channels, .out = o.width, .kernel = 3, .pad = 1, .scheme = Scheme::kaiming_out}, init),
      bn_(final_width(o), init),
      fc_(final_width(o), o.classes, init) {
  const int layers = o.bottleneck ? 9 : 6;  // in three blocks, one of each stage
  if (o.depth < layers + 2 || (o.depth - 2) % layers != 0)
    throw ArgumentError("[preresnet] ", o.bottleneck ? "bottlenecks" : "basic blocks", " give depths ",
                        layers, "n+2 (", layers + 2, ", ", 2 * layers + 2, ", ...), not ", o.depth);
  Index in = o.width;
  for (int stage = 0; stage < 3; ++stage) {
    for (int block = 0; block < (o.depth - 2) / layers; ++block) {
      const PreactOptions options{.in = in,
                                  .width = o.width << stage,
                                  .stride = stage > 0 && block == 0 ? 2 : 1,
                                  .bottleneck = o.bottleneck};
      stages_[stage].add<PreactBlock>(options, init);
      in = options.out();
    }
  }
}

void PreResNet::describe(Inventory& it) {
  it.child("conv1", conv1_);
  for (int stage = 0; stage < 3; ++stage) it.child(text("layer", stage + 1), stages_[stage]);
  it.children("bn", bn_, "fc", fc_);
}

Variable PreResNet::forward(const Variable& x, Context& ctx) {
  Variable y = conv1_(x, ctx);
  for (Sequential& stage : stages_) y = stage(y, ctx);
  return fc_(global_avg_pool(relu(bn_(y, ctx))), ctx);
}

}  // namespace basin::nn
