#include "nn/models/wide_resnet.h"

#include <cmath>

namespace basin::nn {
namespace {

Scheme scheme_of(WideForm form) { return form == WideForm::swa ? Scheme::xavier_relu : Scheme::kaiming_out; }

Linear head(const WideResNetOptions& o, Initializer& init) {
  const Index in = 4 * o.widen * o.width;
  if (o.form == WideForm::swa) return Linear(in, o.classes, init);
  const double bound = 1 / std::sqrt(static_cast<double>(o.form == WideForm::sam ? o.classes : in));
  return Linear{init.uniform({o.classes, in}, -bound, bound), init.zeros({o.classes})};
}

PreactOptions block_options(const WideResNetOptions& o, int stage, int block) {
  const Index width = o.widen * o.width << stage;
  PreactOptions b{.in = block > 0   ? width
                        : stage > 0 ? width / 2
                                    : o.width,
                  .width = width,
                  .stride = stage > 0 && block == 0 ? 2 : 1,
                  .scheme = scheme_of(o.form)};
  switch (o.form) {
    case WideForm::zagoruyko:
      b.shared_activation = b.in != b.width;
      b.projection = "convShortcut";
      break;
    case WideForm::swa:
      b.bias = true;
      b.stride_last = true;
      b.projection = "shortcut.0";
      break;
    case WideForm::sam:
      b.resize = Resize::pool_pad;
      b.shared_activation = stage == 0 && block == 0;
      break;
  }
  return b;
}

}  // namespace

WideResNet::WideResNet(const WideResNetOptions& o, Initializer& init)
    : form_(o.form),
      conv1_({.in = o.channels,
              .out = o.width,
              .kernel = 3,
              .pad = 1,
              .bias = o.form == WideForm::swa,
              .scheme = scheme_of(o.form)},
             init),
      bn1_(4 * o.widen * o.width, init, {.momentum = o.form == WideForm::swa ? 0.9 : 0.1}),
      fc_(head(o, init)) {
  if (o.depth < 10 || (o.depth - 4) % 6 != 0)
    throw ArgumentError("[wide_resnet] wide ResNets have depth 6n+4 (10, 16, 22, 28, ...), got ", o.depth);
  for (int stage = 0; stage < 3; ++stage)
    for (int block = 0; block < (o.depth - 4) / 6; ++block)
      stages_[stage].add<PreactBlock>(block_options(o, stage, block), init);
}

void WideResNet::describe(Inventory& it) {
  const bool swa = form_ == WideForm::swa;
  it.child("conv1", conv1_);
  for (int stage = 0; stage < 3; ++stage)
    it.child(swa ? text("layer", stage + 1) : text("block", stage + 1, ".layer"), stages_[stage]);
  it.child("bn1", bn1_);
  it.child(swa ? "linear" : "fc", fc_);
}

Variable WideResNet::forward(const Variable& x, Context& ctx) {
  Variable y = conv1_(x, ctx);
  for (Sequential& stage : stages_) y = stage(y, ctx);
  return fc_(global_avg_pool(relu(bn1_(y, ctx))), ctx);
}

}  // namespace basin::nn
