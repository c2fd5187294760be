#include "nn/models/vit.h"

namespace basin::nn {
namespace {

constexpr double kEps = 1e-6;

Linear hidden(Index in, Index out, Initializer& init) {
  return Linear{init.xavier_uniform({out, in}), init.normal({out}, 0, 1e-6)};
}

/// The options, once their patches are known to tile the samples.
const VitOptions& tiled(const VitOptions& o) {
  if (o.patch < 1 || o.height < o.patch || o.width < o.patch || o.height % o.patch != 0 ||
      o.width % o.patch != 0)
    throw ArgumentError("[vit] patches of ", o.patch, " pixels do not tile samples of {", o.height, ",",
                        o.width, "}");
  if (o.layers < 1) throw ArgumentError("[vit] layers must be at least 1, got ", o.layers);
  return o;
}

}  // namespace

EncoderBlock::EncoderBlock(Index dim, Index heads, Index mlp, Initializer& init)
    : ln_1_(dim, init, kEps),
      attention_(dim, heads, init),
      ln_2_(dim, init, kEps),
      mlp1_(hidden(dim, mlp, init)),
      mlp2_(hidden(mlp, dim, init)) {}

void EncoderBlock::describe(Inventory& it) {
  it.children("ln_1", ln_1_, "self_attention", attention_, "ln_2", ln_2_, "mlp.0", mlp1_, "mlp.3", mlp2_);
}

Variable EncoderBlock::forward(const Variable& x, Context& ctx) {
  const Variable y = x + attention_(ln_1_(x, ctx), ctx);
  return y + mlp2_(gelu(mlp1_(ln_2_(y, ctx), ctx)), ctx);
}

Encoder::Encoder(const VitOptions& o, Initializer& init)
    : positions_(Variable::parameter(
          init.normal({1, (o.height / o.patch) * (o.width / o.patch) + 1, o.dim}, 0, 0.02))),
      ln_(o.dim, init, kEps) {
  for (Index i = 0; i < o.layers; ++i)
    blocks_.push_back(std::make_unique<EncoderBlock>(o.dim, o.heads, o.mlp, init));
}

void Encoder::describe(Inventory& it) {
  it.parameter("pos_embedding", positions_);
  for (std::size_t i = 0; i < blocks_.size(); ++i) it.child(text("layers.encoder_layer_", i), *blocks_[i]);
  it.child("ln", ln_);
}

Variable Encoder::forward(const Variable& x, Context& ctx) {
  Variable y = x + positions_;
  for (auto& block : blocks_) y = (*block)(y, ctx);
  return ln_(y, ctx);
}

Vit::Vit(const VitOptions& o, Initializer& init)
    : options_(tiled(o)),
      class_token_(Variable::parameter(init.zeros({1, 1, o.dim}))),
      patches_({.in = o.channels,
                .out = o.dim,
                .kernel = o.patch,
                .stride = o.patch,
                .bias = true,
                .scheme = Scheme::lecun},
               init),
      encoder_(o, init),
      head_(init.zeros({o.classes, o.dim}), init.zeros({o.classes})) {}

void Vit::describe(Inventory& it) {
  it.parameter("class_token", class_token_);
  it.children("conv_proj", patches_, "encoder", encoder_, "heads.head", head_);
}

Variable Vit::forward(const Variable& x, Context& ctx) {
  if (x.size(1) != options_.height || x.size(2) != options_.width)
    throw ArgumentError("[vit] made for samples of {", options_.height, ",", options_.width, "}, got ",
                        x.shape());
  const Variable map = patches_(x, ctx);
  const Index samples = x.size(0), dim = options_.dim;
  const Variable tokens = reshape(map, {samples, map.size(1) * map.size(2), dim});
  const Variable first = to(broadcast_to(class_token_, {samples, 1, dim}), tokens.dtype());
  const Variable y = encoder_(concat({first, tokens}, 1), ctx);
  return head_(reshape(slice(y, {0, 0, 0}, {samples, 1, dim}), {samples, dim}), ctx);
}

}  // namespace basin::nn
