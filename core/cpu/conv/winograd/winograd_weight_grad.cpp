// Winograd's weight gradient (see winograd.h).
#include <algorithm>

#include "core/cpu/conv/winograd/winograd.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

// dy in tiles.
ConvPlan tiled_output(const WinogradTile& tile, const ConvGeometry& g) {
  return unmoved_plan(winograd_axis(tile, g.out_h, 1, 0), winograd_axis(tile, g.out_w, 1, 0), g.batch, 1,
                      g.out_h, g.out_w, g.out_c);
}

// How many partial sums; fewer, or shorter ones, do not pay.
Index sums_of(const WinogradTile& tile, const ConvGeometry& g, Index floats) {
  constexpr Index kSums = 8, kLeastTiles = 256;
  const Index tiles = g.batch * ceil_div(g.out_h, tile.outputs) * ceil_div(g.out_w, tile.outputs);
  const Index sums = partial_sums(std::min(tiles / kLeastTiles, g.batch), 1, floats);
  return sums < kSums ? 1 : sums;
}

}  // namespace

WinogradWeightSums::WinogradWeightSums(const WinogradTile& tile, const ConvGeometry& g,
                                       const ChannelAffine& affine)
    : tile_(tile),
      x_plan_(winograd_plan(tile, g, affine)),
      dy_plan_(tiled_output(tile, g)),
      panels_{g.out_c, kernels().panel},
      channels_(g.in_c),
      count_(sums_of(tile, g, size())),
      strips_(tile, x_plan_, wide() ? WinogradStrips::wide_strip(size()) : 32, 1) {}

void WinogradWeightSums::strip(const std::vector<Strip>& list, std::size_t i, const float* x, const float* dy,
                               float* sum) const {
  const Strip& strip = list[i];
  const Index v_point = strips_.point(channels_), d_point = strips_.point(panels_.channels);
  float* v = scratch(Slot::rows, strips_.size(channels_));
  float* d = scratch(Slot::panels, strips_.size(panels_.channels));
  const Index x_parts = wide() ? ceil_div(channels_, kLanes) : 1,
              dy_parts = wide() ? ceil_div(panels_.channels, kLanes) : 1;
  const Index x_chunks = strip.images * x_parts, dy_chunks = strip.images * dy_parts;
  parallel_for(x_chunks + dy_chunks, [&](Index c, int) {
    if (c < x_chunks)
      winograd_source(tile_.input, x_plan_, strips_, strip, c, x_parts, x, v);
    else
      winograd_source(tile_.output_grad, dy_plan_, strips_, strip, c - x_chunks, dy_parts, dy, d);
  });
  const Index chunk = wide() ? 1 : points(), parts = points() / chunk;
  const Ahead next_x = source_of(x_plan_, list, i + 1, x), next_dy = source_of(dy_plan_, list, i + 1, dy);
  parallel_for(parts, [&](Index p, int) {
    winograd_kernels().sums({.v = v + p * chunk * v_point,
                             .v_point = v_point,
                             .v_block = strips_.block(),
                             .d = d + p * chunk * d_point,
                             .d_point = d_point,
                             .d_block = strips_.block(),
                             .s = sum + p * chunk * point(),
                             .s_point = point(),
                             .points = chunk,
                             .tiles = strips_.tiles(strip),
                             .channels = channels_,
                             .panels = panels_,
                             .accumulate = i > 0,
                             .next_x = share_of(next_x, p, parts),
                             .next_dy = share_of(next_dy, p, parts)});
  });
}

void WinogradWeightSums::add_up(const float* sums, float* dw) const {
  const Index blocks = ceil_div(channels_, kLanes), target = panels_.channels;
  parallel_for(ceil_div(target, kLanes) * blocks, [&](Index chunk, int) {
    const Index k = chunk / blocks * kLanes, c = chunk % blocks * kLanes;
    const Index panel = k / panels_.panel, width = panels_.width(panel);
    tile_.weight_grad({.s = sums + panel * panels_.panel * channels_ + c * width + k % panels_.panel,
                       .s_point = point(),
                       .s_channel = width,
                       .s_sum = size(),
                       .sums = count_,
                       .channels = std::min(kLanes, channels_ - c),
                       .lanes = std::min(kLanes, target - k),
                       .dw = dw + c * target + k,
                       .dw_tap = channels_ * target,
                       .dw_channel = target});
  });
}

void winograd_weight_grad(const WinogradTile& tile, const ConvGeometry& g, const float* x, const float* dy,
                          float* dw, const ChannelAffine& affine) {
  const WinogradWeightSums weight(tile, g, affine);
  float* sums = scratch(Slot::shared, weight.count() * weight.size());
  const auto one_sum = [&](Index s, int) {
    const std::vector<Strip> list = weight.list(s);
    for (std::size_t i = 0; i < list.size(); ++i) weight.strip(list, i, x, dy, sums + s * weight.size());
  };
  if (weight.wide())
    one_sum(0, 0);
  else
    parallel_for(weight.count(), one_sum);
  weight.add_up(sums, dw);
}

}  // namespace basin::cpu
