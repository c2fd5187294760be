// See winograd.h. The convolution and its input gradient, which is a convolution of dy, padded by 2 - pad,
// with the kernel turned around: strip by strip, the packed source is transformed, multiplied by the
// transformed weights point by point, and transformed back.
#include "core/cpu/winograd.h"

#include <algorithm>
#include <string_view>

#include "core/cpu/kernels.h"
#include "core/parallel.h"

namespace basin::cpu {

#if defined(__x86_64__)
extern const WinogradKernels avx512_winograd, avx2_winograd;
#endif
extern const WinogradKernels portable_winograd;

const WinogradKernels& winograd_kernels() {
#if defined(__x86_64__)
  const std::string_view name = instruction_set();
  if (name == "avx512") return avx512_winograd;
  if (name == "avx2") return avx2_winograd;
#endif
  return portable_winograd;
}

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
  float* packed = scratch(Slot::images, blocks * block);
  plan.pack(kernels(), source, strip.n + image, channel, channels, strip.row, strip.rows, packed);
  transform({.x = packed,
             .x_row = plan.packed_row(),
             .x_block = block,
             .down = down,
             .across = strips.across(),
             .blocks = blocks,
             .v = v + first * strips.block() + image * down * strips.across() * kLanes,
             .v_point = strips.point(plan.source_c),
             .v_block = strips.block()});
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

// Where the transformed weights are so many that a thread would read them all from far away for every strip,
// the threads share the channels and the points of one strip instead of whole strips.
bool is_wide(Index weights) { return weights >= Index{1} << 20; }

// Tiles of a strip. Transformed source and product take a third of the L2 cache.
Index narrow_strip(Index source, Index target) {
  return std::max<Index>(16, 2048 / (round_up(source, kLanes) + round_up(target, kLanes)));
}

void convolve(const WinogradTile& tile, const ConvPlan& plan, bool gradient, const float* source,
              const float* w, float* target) {
  const WinogradKernels& winograd = winograd_kernels();
  const Panels panels{plan.target_c, kernels().panel};
  const Index points = tile.all_points(), weights = points * plan.source_c * panels.total();
  const bool wide = is_wide(weights);
  const WinogradStrips all(
      tile, plan, wide ? WinogradStrips::wide_strip(weights) : narrow_strip(plan.source_c, plan.target_c),
      wide ? 1 : 16);
  const std::vector<Strip> list = all.list(0, plan.batch);
  float* u = scratch(Slot::shared, weights);
  transform_weights(tile, plan, panels, gradient, w, u);

  const auto one_strip = [&](Index task, int) {
    const Strip& strip = list[static_cast<std::size_t>(task)];
    const Index tiles = all.tiles(strip);
    const Index v_point = all.point(plan.source_c), m_point = all.point(plan.target_c);
    float* v = scratch(Slot::rows, all.size(plan.source_c));
    float* m = scratch(Slot::panels, all.size(plan.target_c));
    const Index source_parts = wide ? ceil_div(plan.source_c, kLanes) : 1;
    parallel_for(strip.images * source_parts, [&](Index i, int) {
      winograd_source(tile.input, plan, all, strip, i, source_parts, source, v);
    });
    const Index chunk = wide ? 1 : points, row = plan.target_w * plan.target_c;
    float* y = target + (strip.n * plan.target_h + strip.row) * row;
    const Ahead next = source_of(plan, list, static_cast<std::size_t>(task) + 1, source);
    const Ahead own{
        y, ((strip.images - 1) * plan.target_h + std::min(strip.rows, plan.target_h - strip.row)) * row};
    parallel_for(points / chunk, [&](Index p, int) {
      winograd.product({.v = v + p * chunk * v_point,
                        .v_point = v_point,
                        .v_block = all.block(),
                        .u = u + p * chunk * (weights / points),
                        .u_point = weights / points,
                        .m = m + p * chunk * m_point,
                        .m_point = m_point,
                        .m_block = all.block(),
                        .points = chunk,
                        .tiles = tiles,
                        .channels = plan.source_c,
                        .panels = panels,
                        .next = share_of(next, p, points / chunk),
                        .target = share_of(own, p, points / chunk)});
    });
    const Index blocks = ceil_div(plan.target_c, kLanes), target_parts = wide ? blocks : 1;
    parallel_for(strip.images * target_parts, [&](Index i, int) {
      const Index image = i / target_parts, first = blocks * (i % target_parts) / target_parts;
      const Index last = blocks * (i % target_parts + 1) / target_parts, channel = first * kLanes;
      tile.output({.m = m + image * (tiles / strip.images) * kLanes + first * all.block(),
                   .m_point = m_point,
                   .m_block = all.block(),
                   .down = all.down(strip),
                   .across = all.across(),
                   .y = y + image * plan.target_h * row + channel,
                   .y_row = row,
                   .y_pixel = plan.target_c,
                   .rows = plan.target_h - strip.row,
                   .cols = plan.target_w,
                   .channels = std::min(last * kLanes, plan.target_c) - channel});
    });
  };
  const auto count = static_cast<Index>(list.size());
  if (wide)
    for (Index task = 0; task < count; ++task) one_strip(task, 0);
  else
    parallel_for(count, one_strip);
}

}  // namespace

void winograd_conv2d(const WinogradTile& tile, const ConvGeometry& g, const float* x, const float* w,
                     float* y, const ChannelAffine& affine) {
  ConvPlan plan = forward_plan(g, affine);
  plan.rows = winograd_axis(tile, g.out_h, 3, g.pad_h);
  plan.cols = winograd_axis(tile, g.out_w, 3, g.pad_w);
  convolve(tile, plan, false, x, w, y);
}

void winograd_input_grad(const WinogradTile& tile, const ConvGeometry& g, const float* dy, const float* w,
                         float* dx) {
  ConvPlan plan = gradient_plan(g);
  plan.rows = winograd_axis(tile, g.in_h, 3, 2 - g.pad_h);
  plan.cols = winograd_axis(tile, g.in_w, 3, 2 - g.pad_w);
  convolve(tile, plan, true, dy, w, dx);
}

}  // namespace basin::cpu
