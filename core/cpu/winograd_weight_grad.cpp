// Winograd's weight gradient (see winograd.h). The sum over the tiles of a strip is formed in registers and
// added to a partial sum over a run of images; the partial sums are added in their order. Where weights are
// many, or images few, there is one partial sum, and the threads share the channels and the points of a
// strip.
#include <algorithm>

#include "core/cpu/winograd.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

// dy in tiles.
ConvPlan output_plan(const WinogradTile& tile, const ConvGeometry& g) {
  return unmoved_plan(winograd_axis(tile, g.out_h, 1, 0), winograd_axis(tile, g.out_w, 1, 0), g.batch, 1,
                      g.out_h, g.out_w, g.out_c);
}

// Partial sums: {sum, point, panel, channel, width}.
struct Partial {
  Panels panels;
  Index channels, points, count;
  float* data;

  Index point() const { return channels * panels.total(); }
  Index size() const { return points * point(); }
};

void add_up(const WinogradTile& tile, const Partial& p, float* dw) {
  const Index blocks = ceil_div(p.channels, kLanes), target = p.panels.channels;
  parallel_for(ceil_div(target, kLanes) * blocks, [&](Index chunk, int) {
    const Index k = chunk / blocks * kLanes, c = chunk % blocks * kLanes;
    const Index panel = k / p.panels.panel, width = p.panels.width(panel);
    tile.weight_grad({.s = p.data + panel * p.panels.panel * p.channels + c * width + k % p.panels.panel,
                      .s_point = p.point(),
                      .s_channel = width,
                      .s_sum = p.size(),
                      .sums = p.count,
                      .channels = std::min(kLanes, p.channels - c),
                      .lanes = std::min(kLanes, target - k),
                      .dw = dw + c * target + k,
                      .dw_tap = p.channels * target,
                      .dw_channel = target});
  });
}

}  // namespace

void winograd_weight_grad(const WinogradTile& tile, const ConvGeometry& g, const float* x, const float* dy,
                          float* dw, const ChannelAffine& affine) {
  constexpr Index kSums = 8, kLeastTiles = 256;  // fewer sums, or shorter ones, do not pay
  const WinogradKernels& winograd = winograd_kernels();
  ConvPlan x_plan = forward_plan(g, affine);
  x_plan.rows = winograd_axis(tile, g.out_h, 3, g.pad_h);
  x_plan.cols = winograd_axis(tile, g.out_w, 3, g.pad_w);
  const ConvPlan dy_plan = output_plan(tile, g);
  Partial sums{{g.out_c, kernels().panel}, g.in_c, tile.all_points(), 1, nullptr};
  const Index tiles = g.batch * ceil_div(g.out_h, tile.outputs) * ceil_div(g.out_w, tile.outputs);
  sums.count = partial_sums(std::min(tiles / kLeastTiles, g.batch), 1, sums.size());
  const bool wide = sums.count < kSums;
  if (wide) sums.count = 1;
  sums.data = scratch(Slot::shared, sums.count * sums.size());
  const WinogradStrips all(tile, x_plan, wide ? WinogradStrips::wide_strip(sums.size()) : 32, 1);
  const Index v_point = all.point(g.in_c), d_point = all.point(g.out_c);

  // The strips of all sums, one after the other; those of sum s begin at first[s].
  std::vector<Strip> list;
  std::vector<std::size_t> first;
  for (Index s = 0; s < sums.count; ++s) {
    first.push_back(list.size());
    const std::vector<Strip> own = all.list(g.batch * s / sums.count, g.batch * (s + 1) / sums.count);
    list.insert(list.end(), own.begin(), own.end());
  }
  first.push_back(list.size());

  const auto one_sum = [&](Index s, int) {
    float* sum = sums.data + s * sums.size();
    float* v = scratch(Slot::rows, all.size(g.in_c));
    float* d = scratch(Slot::panels, all.size(g.out_c));
    const auto sum_at = static_cast<std::size_t>(s);
    for (std::size_t l = first[sum_at]; l < first[sum_at + 1]; ++l) {
      const Strip& strip = list[l];
      const Index x_parts = wide ? ceil_div(g.in_c, kLanes) : 1,
                  dy_parts = wide ? ceil_div(g.out_c, kLanes) : 1;
      const Index x_chunks = strip.images * x_parts, dy_chunks = strip.images * dy_parts;
      parallel_for(x_chunks + dy_chunks, [&](Index i, int) {
        if (i < x_chunks)
          winograd_source(tile.input, x_plan, all, strip, i, x_parts, x, v);
        else
          winograd_source(tile.output_grad, dy_plan, all, strip, i - x_chunks, dy_parts, dy, d);
      });
      const Index chunk = wide ? 1 : sums.points;
      const Ahead next_x = source_of(x_plan, list, l + 1, x), next_dy = source_of(dy_plan, list, l + 1, dy);
      parallel_for(sums.points / chunk, [&](Index p, int) {
        winograd.sums({.v = v + p * chunk * v_point,
                       .v_point = v_point,
                       .v_block = all.block(),
                       .d = d + p * chunk * d_point,
                       .d_point = d_point,
                       .d_block = all.block(),
                       .s = sum + p * chunk * sums.point(),
                       .s_point = sums.point(),
                       .points = chunk,
                       .tiles = all.tiles(strip),
                       .channels = g.in_c,
                       .panels = sums.panels,
                       .accumulate = l > first[sum_at],
                       .next_x = share_of(next_x, p, sums.points / chunk),
                       .next_dy = share_of(next_dy, p, sums.points / chunk)});
      });
    }
  };
  if (wide)
    one_sum(0, 0);
  else
    parallel_for(sums.count, one_sum);
  add_up(tile, sums, dw);
}

}  // namespace basin::cpu
