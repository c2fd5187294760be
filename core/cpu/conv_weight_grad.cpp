// The weight gradient of the convolution. The sum over the batch is split into a fixed number of partial sums
// over runs of images, and those are added in their order; output channels are shared out besides where
// weights are large.
#include <algorithm>

#include "core/cpu/conv_plan.h"
#include "core/cpu/kernels.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

// Outputs that one call of a kernel sums over: x and dy of that many pixels stay in the L1 cache while all
// taps and channels pass.
constexpr Index kPixels = 128;

std::vector<Index> tap_offsets(const ConvPlan& plan) {
  std::vector<Index> offsets;
  for (const Axis::Tap& r : plan.rows.classes[0].taps)
    for (const Axis::Tap& s : plan.cols.classes[0].taps) offsets.push_back(plan.tap_offset(r, s));
  return offsets;
}

// dy of rows [first, first + rows) of images n.. in blocks {block, row, column, kLanes}, without a border.
void pack_grad(const Kernels& isa, const ConvPlan& plan, const float* dy, Index n, Index channel,
               Index channels, Index first, Index rows, float* out) {
  const Index row_size = plan.target_w * plan.target_c;
  isa.pack_image({dy + (n * plan.target_h + first) * row_size + channel, rows, plan.target_w, plan.target_c,
                  channels, 0, 1, 1, rows, 0, 1, 1, plan.target_w, out, rows * plan.target_w * kLanes});
}

// A strip of `images` images, packed: x of all channels of a group, dy of the channels of one task.
struct PackedStrip {
  const float* x;
  Index x_image, x_block;
  const float* dy;
  Index dy_image, dy_block;
  Index images, rows;
};

// Calls body(t) with x and dy of one run of about kPixels outputs after the other.
template <class Body>
void for_each_run(const ConvPlan& plan, const std::vector<Index>& offsets, const PackedStrip& s, Body body) {
  const Index run = std::clamp<Index>(kPixels / plan.target_w, 1, s.rows);
  const Index images = run == s.rows ? std::max<Index>(1, kPixels / (s.rows * plan.target_w)) : 1;
  const Index x_row = plan.rows.run * plan.packed_row();
  for (Index i = 0; i < s.images; i += images) {
    for (Index row = 0; row < s.rows; row += run) {
      TapWeightGrad t{};
      t.x = s.x + i * s.x_image + row * x_row;
      t.x_image = s.x_image;
      t.x_row = x_row;
      t.x_block = s.x_block;
      t.tap = offsets.data();
      t.taps = static_cast<Index>(offsets.size());
      t.dy = s.dy + i * s.dy_image + row * plan.target_w * kLanes;
      t.dy_image = s.dy_image;
      t.dy_block = s.dy_block;
      t.images = std::min(images, s.images - i);
      t.rows = std::min(run, s.rows - row);
      t.cols = plan.target_w;
      body(t);
    }
  }
}

// Calls body(n, images, first row, rows) for the strips of images [begin, end).
template <class Body>
void for_each_strip(const ConvPlan& plan, const Strips& s, Index begin, Index end, Body body) {
  for (Index n = begin; n < end; n += s.images)
    for (Index row = 0; row < plan.target_h; row += s.rows)
      body(n, std::min(s.images, end - n), row, std::min(s.rows, plan.target_h - row));
}

void direct(const ConvPlan& plan, const float* x, const float* dy, float* dw) {
  const Kernels& isa = kernels();
  const std::vector<Index> offsets = tap_offsets(plan);
  const auto taps = static_cast<Index>(offsets.size());
  const Index source = plan.source_channels(), target = plan.target_channels();
  const Panels panels{target, isa.panel};
  const Index group_size = taps * source * panels.total(), size = plan.groups * group_size;
  const Index sums = partial_sums(plan.batch, 1, size);
  const Index shares = std::min(panels.count(), 16 / sums);
  const Strips cut = strips(plan, source + target, kPixels);
  float* partial = scratch(Slot::shared, sums * size);  // {sum, group, panel, block, tap, channel, width}

  parallel_for(sums * shares, [&](Index task, int) {
    const Index s = task / shares, share = task % shares;
    const Index first = panels.count() * share / shares, last = panels.count() * (share + 1) / shares;
    const Index channel = first * isa.panel, channels = std::min(last * isa.panel, target) - channel;
    float* sum = partial + s * size;
    for (Index group = 0; group < plan.groups; ++group)
      for (Index j = first; j < last; ++j)
        std::fill_n(sum + group * group_size + j * isa.panel * taps * source, panels.width(j) * taps * source,
                    0.0f);
    for_each_strip(plan, cut, plan.batch * s / sums, plan.batch * (s + 1) / sums,
                   [&](Index n, Index images, Index row, Index rows) {
                     PackedStrip strip{};
                     strip.x_block = plan.packed_block(rows);
                     strip.x_image = ceil_div(source, kLanes) * strip.x_block;
                     strip.dy_block = rows * plan.target_w * kLanes;
                     strip.dy_image = ceil_div(channels, kLanes) * strip.dy_block;
                     strip.images = images;
                     strip.rows = rows;
                     float* packed_x = scratch(Slot::images, images * strip.x_image);
                     float* packed_dy = scratch(Slot::rows, images * strip.dy_image);
                     strip.x = packed_x;
                     strip.dy = packed_dy;
                     for (Index group = 0; group < plan.groups; ++group) {
                       for (Index i = 0; i < images; ++i) {
                         plan.pack(isa, x, n + i, group * source, source, row, rows,
                                   packed_x + i * strip.x_image);
                         pack_grad(isa, plan, dy, n + i, group * target + channel, channels, row, rows,
                                   packed_dy + i * strip.dy_image);
                       }
                       for_each_run(plan, offsets, strip, [&](TapWeightGrad& t) {
                         t.channels = source;
                         const float* packed = t.dy;
                         for (Index j = first; j < last; ++j) {
                           t.dy = packed + (j - first) * (isa.panel / kLanes) * strip.dy_block;
                           t.dw = sum + group * group_size + j * isa.panel * taps * source;
                           t.lanes = panels.lanes(j);
                           isa.conv_weight_grad(t);
                         }
                       });
                     }
                   });
  });

  // Adds the partial sums in their order and unpacks to {tap, channel, output channel}.
  const Index blocks = ceil_div(source, kLanes);
  parallel_for(plan.groups * panels.count() * blocks, [&](Index chunk, int) {
    const Index group = chunk / blocks / panels.count(), j = chunk / blocks % panels.count();
    const Index c0 = chunk % blocks * kLanes, depth = std::min(kLanes, source - c0);
    const Index lanes = panels.lanes(j), width = panels.width(j);
    float* in = partial + group * group_size + (j * isa.panel * source + c0 * width) * taps;
    for (Index tap = 0; tap < taps; ++tap) {
      for (Index c = 0; c < depth; ++c, in += width) {
        float* out = dw + (tap * source + c0 + c) * plan.target_c + group * target + j * isa.panel;
        std::copy_n(in, lanes, out);
        for (Index s = 1; s < sums; ++s)
          for (Index k = 0; k < lanes; ++k) out[k] += in[s * size + k];
      }
    }
  });
}

void depthwise(const ConvPlan& plan, const float* x, const float* dy, float* dw) {
  const Kernels& isa = kernels();
  const std::vector<Index> offsets = tap_offsets(plan);
  const auto taps = static_cast<Index>(offsets.size());
  const Index channels = plan.source_c, blocks = ceil_div(channels, kLanes), size = blocks * taps * kLanes;
  const Index sums = partial_sums(plan.batch, 1, size);
  const Strips cut = strips(plan, 2 * channels, kPixels);
  float* partial = scratch(Slot::shared, sums * size);  // {sum, block, tap, kLanes}

  parallel_for(sums, [&](Index s, int) {
    float* sum = partial + s * size;
    std::fill_n(sum, size, 0.0f);
    for_each_strip(
        plan, cut, plan.batch * s / sums, plan.batch * (s + 1) / sums,
        [&](Index n, Index images, Index row, Index rows) {
          PackedStrip strip{};
          strip.x_block = plan.packed_block(rows);
          strip.x_image = blocks * strip.x_block;
          strip.dy_block = rows * plan.target_w * kLanes;
          strip.dy_image = blocks * strip.dy_block;
          strip.images = images;
          strip.rows = rows;
          float* packed_x = scratch(Slot::images, images * strip.x_image);
          float* packed_dy = scratch(Slot::rows, images * strip.dy_image);
          strip.x = packed_x;
          strip.dy = packed_dy;
          for (Index i = 0; i < images; ++i) {
            plan.pack(isa, x, n + i, 0, channels, row, rows, packed_x + i * strip.x_image);
            pack_grad(isa, plan, dy, n + i, 0, channels, row, rows, packed_dy + i * strip.dy_image);
          }
          for_each_run(plan, offsets, strip, [&](TapWeightGrad& t) {
            for (Index block = 0; block < blocks; ++block, t.x += strip.x_block, t.dy += strip.dy_block) {
              t.dw = sum + block * taps * kLanes;
              isa.depthwise_weight_grad(t);
            }
          });
        });
  });

  for (Index tap = 0; tap < taps; ++tap) {
    for (Index c = 0; c < channels; ++c) {
      const float* in = partial + (c / kLanes * taps + tap) * kLanes + c % kLanes;
      float total = in[0];
      for (Index s = 1; s < sums; ++s) total += in[s * size];
      dw[tap * channels + c] = total;
    }
  }
}

}  // namespace

void conv2d_weight_grad(const ConvGeometry& g, const float* x, const float* dy, float* dw) {
  if (g.w_shape().elements() == 0) return;
  if (g.y_shape().elements() == 0)
    std::fill_n(dw, g.w_shape().elements(), 0.0f);
  else if (is_pointwise(g))
    gemm(true, false, g.in_c, g.out_c, g.batch * g.out_h * g.out_w, x, g.in_c, dy, g.out_c, dw, g.out_c);
  else if (is_depthwise(g))
    depthwise(forward_plan(g), x, dy, dw);
  else
    direct(forward_plan(g), x, dy, dw);
}

}  // namespace basin::cpu
