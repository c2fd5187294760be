#include "nn/models/pyramidnet.h"

#include <cmath>

namespace basin::nn {

PyramidNet::PyramidNet(const PyramidNetOptions& o, Initializer& init)
    : conv1_({.in = o.channels, .out = o.width, .kernel = 3, .pad = 1, .scheme = Scheme::kaiming_out}, init),
      bn1_(o.width, init) {
  const int layers = o.bottleneck ? 9 : 6;  // in three blocks, one of each stage
  if (o.depth < layers + 2 || (o.depth - 2) % layers != 0)
    throw ArgumentError("[pyramidnet] ", o.bottleneck ? "bottlenecks" : "basic blocks", " give depths ",
                        layers, "n+2 (", layers + 2, ", ", 2 * layers + 2, ", ...), not ", o.depth);
  if (!(o.last_keep >= 0 && o.last_keep <= 1))
    throw ArgumentError("[pyramidnet] last_keep is a probability in [0, 1], got ", o.last_keep);
  if (!(o.alpha >= 0 && o.alpha <= 1e6))
    throw ArgumentError("[pyramidnet] alpha is a number of channels, 0 to 1e6, got ", o.alpha);
  const int blocks = (o.depth - 2) / layers;
  const double gain = o.alpha / (3.0 * blocks);
  double width = static_cast<double>(o.width);
  Index in = o.width;
  for (int stage = 0; stage < 3; ++stage) {
    for (int block = 0; block < blocks; ++block) {
      const double place = (stage * blocks + block + 1) / (3.0 * blocks);  // l/L
      width += gain;  // summed as in the reference, so that rounding agrees
      const PreactOptions options{.in = in,
                                  .width = static_cast<Index>(std::nearbyint(width)),
                                  .stride = stage > 0 && block == 0 ? 2 : 1,
                                  .bottleneck = o.bottleneck,
                                  .first_relu = false,
                                  .last_norm = true,
                                  .shake_keep = 1 - place * (1 - o.last_keep),
                                  .resize = Resize::pool_pad};
      stages_[stage].add<PreactBlock>(options, init);
      in = options.out();
    }
  }
  bn_final_ = std::make_unique<BatchNorm2d>(in, init);
  fc_ = std::make_unique<Linear>(in, o.classes, init);
}

void PyramidNet::describe(Inventory& it) {
  it.children("conv1", conv1_, "bn1", bn1_);
  for (int stage = 0; stage < 3; ++stage) it.child(text("layer", stage + 1), stages_[stage]);
  it.children("bn_final", *bn_final_, "fc", *fc_);
}

Variable PyramidNet::forward(const Variable& x, Context& ctx) {
  Variable y = bn1_(conv1_(x, ctx), ctx);
  for (Sequential& stage : stages_) y = stage(y, ctx);
  return (*fc_)(global_avg_pool(relu((*bn_final_)(y, ctx))), ctx);
}

}  // namespace basin::nn
