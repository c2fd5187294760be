// See winograd.h. The convolution and its input gradient, which is a convolution of dy, padded by 2 - pad,
// with the kernel turned around: strip by strip, the packed source is transformed, multiplied by the
// transformed weights point by point, and transformed back.
#include "core/cpu/conv/winograd/winograd.h"

#include <algorithm>

#include "core/parallel.h"

namespace basin::cpu {

bool winograd_fits(const ConvGeometry& g) {
  return g.kernel_h == 3 && g.kernel_w == 3 && g.stride_h == 1 && g.stride_w == 1 && g.groups == 1 &&
         g.pad_h <= 2 && g.pad_w <= 2;
}

const WinogradTile* winograd_tile(ConvAlgorithm algorithm, const ConvGeometry& g) {
  if (algorithm == ConvAlgorithm::direct || !winograd_fits(g)) return nullptr;
  const WinogradKernels& all = winograd_kernels();
  const WinogradTile& tile = algorithm == ConvAlgorithm::winograd2 ? all.two : all.four;
  if (std::min(g.in_c, g.out_c) * tile.outputs < 32) return nullptr;
  // The forward pass and the weight gradient have tiles of outputs, the input gradient of inputs.
  const auto pays = [&](Index h, Index w) {
    const Index direct = 9 * h * w;
    const Index products = ceil_div(h, tile.outputs) * ceil_div(w, tile.outputs) * tile.all_points();
    return direct > 0 && 4 * direct >= 7 * products;
  };
  return pays(g.out_h, g.out_w) && pays(g.in_h, g.in_w) ? &tile : nullptr;
}

StripSize WinogradStrips::strip_size(const WinogradTile& tile, const ConvPlan& plan, Index tiles,
                                     Index strips) {
  const Index height = plan.rows.last - plan.rows.first, width = plan.cols.last - plan.cols.first;
  const Index down = height / tile.outputs, across = width / tile.outputs;
  StripSize size{1, height};
  if (down * across > tiles)
    size.rows = ceil_div(down, ceil_div(down * across, tiles)) * tile.outputs;
  else
    size.images = std::max<Index>(1, std::min(tiles / (down * across), plan.batch / strips));
  return size;
}

Index WinogradStrips::wide_strip(Index weights) { return weights <= Index{4} << 20 ? 32 : 128; }

ConvPlan winograd_plan(const WinogradTile& tile, const ConvGeometry& g, const ChannelAffine& affine) {
  ConvPlan plan = forward_plan(g, affine);
  plan.rows = winograd_axis(tile, g.out_h, 3, g.pad_h);
  plan.cols = winograd_axis(tile, g.out_w, 3, g.pad_w);
  return plan;
}

Axis winograd_axis(const WinogradTile& tile, Index pixels, Index kernel, Index pad) {
  return forward_axis(round_up(pixels, tile.outputs), kernel, 1, pad);
}

void winograd_source(void (*transform)(const WinogradSource&), const ConvPlan& plan,
                     const WinogradStrips& strips, const Strip& strip, Index chunk, Index parts,
                     const float* source, float* v) {
  const Index image = chunk / parts, part = chunk % parts, all = ceil_div(plan.source_c, kLanes);
  const Index first = all * part / parts, blocks = all * (part + 1) / parts - first;
  const Index channel = first * kLanes, channels = std::min(blocks * kLanes, plan.source_c - channel);
  const Index block = plan.packed_block(strip.rows), down = strips.down(strip);
  WinogradSource tiles{.x = nullptr,
                       .x_row = plan.packed_row(),
                       .x_block = block,
                       .x_pixel = kLanes,
                       .down = down,
                       .across = strips.across(),
                       .blocks = blocks,
                       .v = v + first * strips.block() + image * down * strips.across() * kLanes,
                       .v_point = strips.point(plan.source_c),
                       .v_block = strips.block()};
  // Whole tiles without a border are read where they are.
  if (plan.rows.span == 1 && plan.cols.span == 1 && plan.cols.last == plan.source_w &&
      strip.row + strip.rows <= plan.source_h && channels == blocks * kLanes && !plan.affine) {
    const Index row = plan.source_w * plan.source_c;
    tiles.x = source + ((strip.n + image) * plan.source_h + strip.row) * row + channel;
    tiles.x_row = row;
    tiles.x_block = kLanes;
    tiles.x_pixel = plan.source_c;
  } else {
    float* packed = scratch(Slot::images, blocks * block);
    plan.pack(kernels(), source, strip.n + image, channel, channels, strip.row, strip.rows, packed);
    tiles.x = packed;
  }
  transform(tiles);
}

namespace {

// Transformed weights: {point, panel, channel, width}.
void transform_weights(const WinogradTile& tile, const ConvPlan& plan, const Panels& panels, bool gradient,
                       const float* w, float* u) {
  const Kernels& isa = kernels();
  const Index source = plan.source_c, target = plan.target_c;
  const Index blocks = ceil_div(source, kLanes);
  parallel_for(ceil_div(target, kLanes) * blocks, [&](Index chunk, int) {
    const Index k = chunk / blocks * kLanes, c = chunk % blocks * kLanes;
    const Index lanes = std::min(kLanes, target - k), depth = std::min(kLanes, source - c);
    float taps[9 * kLanes * kLanes];  // {tap, channel, lane}
    for (Index tap = 0; tap < 9; ++tap) {
      // w is {tap, input channel, output channel}; the sources of the gradient are output channels, and its
      // kernel is turned around.
      const float* from =
          gradient ? w + ((8 - tap) * target + k) * source + c : w + (tap * source + c) * target + k;
      pack_panel(isa, gradient, from, gradient ? source : target, depth, lanes, kLanes,
                 taps + tap * depth * kLanes);
    }
    const Index panel = k / panels.panel, width = panels.width(panel);
    tile.weights({.w = taps,
                  .channels = depth,
                  .u = u + panel * panels.panel * source + c * width + k % panels.panel,
                  .u_point = source * panels.total(),
                  .u_channel = width});
  });
}

// Tiles of a strip. Transformed source and product take a third of the L2 cache.
Index narrow_strip(Index source, Index target) {
  return std::max<Index>(16, 2048 / (round_up(source, kLanes) + round_up(target, kLanes)));
}

ConvPlan tiled_gradient(const WinogradTile& tile, const ConvGeometry& g) {
  ConvPlan plan = gradient_plan(g);
  plan.rows = winograd_axis(tile, g.in_h, 3, 2 - g.pad_h);
  plan.cols = winograd_axis(tile, g.in_w, 3, 2 - g.pad_w);
  return plan;
}

}  // namespace

WinogradConvolution::WinogradConvolution(const WinogradTile& tile, ConvPlan plan, bool gradient)
    : tile_(tile),
      plan_(std::move(plan)),
      gradient_(gradient),
      panels_{plan_.target_c, kernels().panel},
      strips_(tile, plan_,
              wide() ? WinogradStrips::wide_strip(weights()) : narrow_strip(plan_.source_c, plan_.target_c),
              wide() ? 1 : 16) {}

WinogradConvolution WinogradConvolution::forward(const WinogradTile& tile, const ConvGeometry& g,
                                                 const ChannelAffine& affine) {
  return {tile, winograd_plan(tile, g, affine), false};
}

WinogradConvolution WinogradConvolution::input_grad(const WinogradTile& tile, const ConvGeometry& g) {
  return {tile, tiled_gradient(tile, g), true};
}

void WinogradConvolution::transform(const float* w, float* u) const {
  transform_weights(tile_, plan_, panels_, gradient_, w, u);
}

void WinogradConvolution::strip(const Strip& strip, const Ahead& next, const float* source, const float* u,
                                float* target) const {
  const Index points = tile_.all_points(), tiles = strips_.tiles(strip);
  const Index v_point = strips_.point(plan_.source_c), m_point = strips_.point(plan_.target_c);
  float* v = scratch(Slot::rows, strips_.size(plan_.source_c));
  float* m = scratch(Slot::panels, strips_.size(plan_.target_c));
  const Index source_parts = wide() ? ceil_div(plan_.source_c, kLanes) : 1;
  parallel_for(strip.images * source_parts, [&](Index i, int) {
    winograd_source(tile_.input, plan_, strips_, strip, i, source_parts, source, v);
  });
  const Index chunk = wide() ? 1 : points, row = plan_.target_w * plan_.target_c;
  const PixelRun run = plan_.target_pixels(strip);
  float* y = target + run.first * plan_.target_c;
  const Ahead own{y, run.count * plan_.target_c};
  parallel_for(points / chunk, [&](Index p, int) {
    winograd_kernels().product({.v = v + p * chunk * v_point,
                                .v_point = v_point,
                                .v_block = strips_.block(),
                                .u = u + p * chunk * (weights() / points),
                                .u_point = weights() / points,
                                .m = m + p * chunk * m_point,
                                .m_point = m_point,
                                .m_block = strips_.block(),
                                .points = chunk,
                                .tiles = tiles,
                                .channels = plan_.source_c,
                                .panels = panels_,
                                .next = share_of(next, p, points / chunk),
                                .target = share_of(own, p, points / chunk)});
  });
  const Index blocks = ceil_div(plan_.target_c, kLanes), target_parts = wide() ? blocks : 1;
  parallel_for(strip.images * target_parts, [&](Index i, int) {
    const Index image = i / target_parts, first = blocks * (i % target_parts) / target_parts;
    const Index last = blocks * (i % target_parts + 1) / target_parts, channel = first * kLanes;
    tile_.output({.m = m + image * (tiles / strip.images) * kLanes + first * strips_.block(),
                  .m_point = m_point,
                  .m_block = strips_.block(),
                  .down = strips_.down(strip),
                  .across = strips_.across(),
                  .y = y + image * plan_.target_h * row + channel,
                  .y_row = row,
                  .y_pixel = plan_.target_c,
                  .rows = plan_.target_h - strip.row,
                  .cols = plan_.target_w,
                  .channels = std::min(last * kLanes, plan_.target_c) - channel});
  });
}

void WinogradConvolution::whole(const float* source, const float* w, float* target, RowConsumer* rows) const {
  const std::vector<Strip> list = strips_.list(0, plan_.batch);
  float* u = scratch(Slot::shared, weights());
  transform(w, u);
  const auto count = static_cast<Index>(list.size());
  if (rows && !wide()) rows->expect(count);
  const auto one_strip = [&](Index task, int) {
    const auto i = static_cast<std::size_t>(task);
    strip(list[i], source_of(plan_, list, i + 1, source), source, u, target);
    const PixelRun run = plan_.target_pixels(list[i]);
    if (rows && !wide()) rows->take(task, run.first, run.count);
  };
  if (!wide()) return parallel_for(count, one_strip);
  for (Index task = 0; task < count; ++task) one_strip(task, 0);
  if (rows) rows->take_all(plan_.batch * plan_.target_h * plan_.target_w, plan_.target_c);
}

void winograd_conv2d(const WinogradTile& tile, const ConvGeometry& g, const float* x, const float* w,
                     float* y, const ChannelAffine& affine, RowConsumer* rows) {
  WinogradConvolution::forward(tile, g, affine).whole(x, w, y, rows);
}

void winograd_input_grad(const WinogradTile& tile, const ConvGeometry& g, const float* dy, const float* w,
                         float* dx) {
  WinogradConvolution::input_grad(tile, g).whole(dy, w, dx, nullptr);
}

}  // namespace basin::cpu
