// The weight gradient of the convolution. The sum over the batch is split into a fixed number of partial sums
// over runs of images, which are added in their order; output channels are shared out besides where weights
// are many.
#include <algorithm>

#include "core/cpu/conv/conv_plan.h"
#include "core/cpu/conv/direct.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

// Outputs that one call of a kernel sums over: x and dy of that many pixels stay in the L1 cache while all
// taps and channels pass.
constexpr Index kPixels = 128;

// The taps in the order of the plan: where they lie in a packed image, and in the kernel.
struct Taps {
  std::vector<Index> offset, kernel;

  explicit Taps(const ConvPlan& plan) {
    const std::vector<Axis::Tap>& cols = plan.cols.classes[0].taps;
    for (const Axis::Tap& r : plan.rows.classes[0].taps) {
      for (const Axis::Tap& s : cols) {
        offset.push_back(plan.tap_offset(r, s));
        kernel.push_back(r.kernel * static_cast<Index>(cols.size()) + s.kernel);
      }
    }
  }
  Index count() const { return static_cast<Index>(offset.size()); }
};

ConvPlan output_plan(const ConvPlan& plan) {
  return unmoved_plan(forward_axis(plan.target_h, 1, 1, 0), forward_axis(plan.target_w, 1, 1, 0), plan.batch,
                      plan.groups, plan.target_h, plan.target_w, plan.target_c);
}

// A strip, packed: x of all channels of a group, dy of the channels of one task.
struct PackedStrip {
  Strip strip;
  float* x;
  Index x_image, x_block;
  float* dy;
  Index dy_image, dy_block;
};

PackedStrip pack_space(const ConvPlan& plan, const Strip& strip, Index x_channels, Index dy_channels) {
  PackedStrip p{};
  p.strip = strip;
  p.x_block = plan.packed_block(strip.rows);
  p.x_image = ceil_div(x_channels, kLanes) * p.x_block;
  p.dy_block = strip.rows * plan.target_w * kLanes;
  p.dy_image = ceil_div(dy_channels, kLanes) * p.dy_block;
  p.x = scratch(Slot::images, strip.images * p.x_image);
  p.dy = scratch(Slot::rows, strip.images * p.dy_image);
  return p;
}

// Calls body(t) with x and dy of one run of about kPixels outputs of the strip after the other; t.next_x and
// t.next_dy are the run's share of what the next strip will read.
template <class Body>
void for_each_run(const ConvPlan& plan, const Taps& taps, const PackedStrip& p, const Ahead& next_x,
                  const Ahead& next_dy, Body body) {
  const Index rows = std::clamp<Index>(kPixels / plan.target_w, 1, p.strip.rows);
  const Index images = rows == p.strip.rows ? std::max<Index>(1, kPixels / (rows * plan.target_w)) : 1;
  const Index down = ceil_div(p.strip.rows, rows), runs = ceil_div(p.strip.images, images) * down;
  const Index x_row = plan.rows.run * plan.packed_row();
  for (Index r = 0; r < runs; ++r) {
    const Index image = r / down * images, row = r % down * rows;
    TapWeightGrad t{};
    t.x = p.x + image * p.x_image + row * x_row;
    t.x_image = p.x_image;
    t.x_row = x_row;
    t.x_block = p.x_block;
    t.tap = taps.offset.data();
    t.taps = taps.count();
    t.dy = p.dy + image * p.dy_image + row * plan.target_w * kLanes;
    t.dy_image = p.dy_image;
    t.dy_block = p.dy_block;
    t.images = std::min(images, p.strip.images - image);
    t.rows = std::min(rows, p.strip.rows - row);
    t.cols = plan.target_w;
    t.next_x = share_of(next_x, r, runs);
    t.next_dy = share_of(next_dy, r, runs);
    body(t);
  }
}

// Packed weight gradients: {sum, group, panel, block, tap, channel, width}.
struct PartialSums {
  Panels panels;
  Index taps, channels, groups, sums;  // channels: of x, per group

  Index group_size() const { return taps * channels * panels.total(); }
  Index size() const { return groups * group_size(); }
  Index at(Index group, Index j) const { return group * group_size() + j * panels.panel * taps * channels; }
  Index panel_size(Index j) const { return panels.width(j) * taps * channels; }
};

// Adds the partial sums in their order and unpacks them to {tap, channel, output channel}.
void add_up(const PartialSums& p, const Taps& taps, const float* partial, float* dw) {
  const Index blocks = ceil_div(p.channels, kLanes), target = p.panels.channels;
  parallel_for(p.groups * p.panels.count() * blocks, [&](Index chunk, int) {
    const Index group = chunk / blocks / p.panels.count(), j = chunk / blocks % p.panels.count();
    const Index c0 = chunk % blocks * kLanes, depth = std::min(kLanes, p.channels - c0);
    const Index lanes = p.panels.lanes(j), width = p.panels.width(j);
    const float* in = partial + p.at(group, j) + c0 * width * p.taps;
    for (Index tap : taps.kernel) {
      for (Index c = 0; c < depth; ++c, in += width) {
        float* out = dw + ((tap * p.channels + c0 + c) * p.groups + group) * target + j * p.panels.panel;
        std::copy_n(in, lanes, out);
        for (Index s = 1; s < p.sums; ++s)
          for (Index k = 0; k < lanes; ++k) out[k] += in[s * p.size() + k];
      }
    }
  });
}

void direct(const ConvPlan& plan, const float* x, const float* dy, float* dw) {
  const Kernels& isa = kernels();
  const Taps taps(plan);
  const Index source = plan.source_channels(), target = plan.target_channels();
  const Panels panels{target, isa.panel};
  PartialSums sums{panels, taps.count(), source, plan.groups, 1};
  sums.sums = partial_sums(plan.batch, 1, sums.size());
  const Index shares = std::min(panels.count(), 16 / sums.sums);
  const StripSize strip_shape = strip_size(plan, source + target, kPixels);
  const ConvPlan dy_plan = output_plan(plan);
  float* partial = scratch(Slot::shared, sums.sums * sums.size());

  parallel_for(sums.sums * shares, [&](Index task, int) {
    const Index s = task / shares, share = task % shares;
    const Index first = panels.count() * share / shares, last = panels.count() * (share + 1) / shares;
    const Index channel = first * isa.panel, channels = std::min(last * isa.panel, target) - channel;
    float* sum = partial + s * sums.size();
    for (Index group = 0; group < plan.groups; ++group)
      for (Index j = first; j < last; ++j) std::fill_n(sum + sums.at(group, j), sums.panel_size(j), 0.0f);
    const std::vector<Strip> list =
        strips(plan, strip_shape, plan.batch * s / sums.sums, plan.batch * (s + 1) / sums.sums);
    for (std::size_t l = 0; l < list.size(); ++l) {
      const PackedStrip p = pack_space(plan, list[l], source, channels);
      const Ahead next_x = source_of(plan, list, l + 1, x), next_dy = source_of(dy_plan, list, l + 1, dy);
      for (Index group = 0; group < plan.groups; ++group) {
        for (Index i = 0; i < p.strip.images; ++i) {
          const Index n = p.strip.n + i, row = p.strip.row, rows = p.strip.rows;
          plan.pack(isa, x, n, group * source, source, row, rows, p.x + i * p.x_image);
          dy_plan.pack(isa, dy, n, group * target + channel, channels, row, rows, p.dy + i * p.dy_image);
        }
        const auto run = [&](TapWeightGrad& t) {
          t.channels = source;
          for (Index j = first; j < last; ++j) {
            t.dw = sum + sums.at(group, j);
            t.lanes = panels.lanes(j);
            isa.conv_weight_grad(t);
            t.dy += isa.panel / kLanes * p.dy_block;
            t.next_x = t.next_dy = {};
          }
        };
        for_each_run(plan, taps, p, share_of(next_x, group, plan.groups),
                     share_of(next_dy, group, plan.groups), run);
      }
    }
  });
  add_up(sums, taps, partial, dw);
}

void depthwise(const ConvPlan& plan, const float* x, const float* dy, float* dw) {
  const Kernels& isa = kernels();
  const Taps taps(plan);
  const Index channels = plan.source_c, blocks = ceil_div(channels, kLanes),
              size = blocks * taps.count() * kLanes;
  const Index sums = partial_sums(plan.batch, 1, size);
  const StripSize strip_shape = strip_size(plan, 2 * channels, kPixels);
  const ConvPlan dy_plan = output_plan(plan);
  float* partial = scratch(Slot::shared, sums * size);  // {sum, block, tap, kLanes}

  parallel_for(sums, [&](Index s, int) {
    float* sum = partial + s * size;
    std::fill_n(sum, size, 0.0f);
    const std::vector<Strip> list =
        strips(plan, strip_shape, plan.batch * s / sums, plan.batch * (s + 1) / sums);
    for (std::size_t l = 0; l < list.size(); ++l) {
      const PackedStrip p = pack_space(plan, list[l], channels, channels);
      for (Index i = 0; i < p.strip.images; ++i) {
        const Index n = p.strip.n + i, row = p.strip.row, rows = p.strip.rows;
        plan.pack(isa, x, n, 0, channels, row, rows, p.x + i * p.x_image);
        dy_plan.pack(isa, dy, n, 0, channels, row, rows, p.dy + i * p.dy_image);
      }
      const auto run = [&](TapWeightGrad& t) {
        for (Index b = 0; b < blocks; ++b, t.x += p.x_block, t.dy += p.dy_block) {
          t.dw = sum + b * taps.count() * kLanes;
          isa.depthwise_weight_grad(t);
        }
      };
      for_each_run(plan, taps, p, source_of(plan, list, l + 1, x), source_of(dy_plan, list, l + 1, dy), run);
    }
  });

  for (Index c = 0; c < channels; ++c) {
    const float* in = partial + c / kLanes * taps.count() * kLanes + c % kLanes;
    for (Index tap : taps.kernel) {
      float total = in[0];
      for (Index s = 1; s < sums; ++s) total += in[s * size];
      dw[tap * channels + c] = total;
      in += kLanes;
    }
  }
}

}  // namespace

void direct_weight_grad(const ConvGeometry& g, const float* x, const float* dy, float* dw,
                        const ChannelAffine& affine) {
  if (is_depthwise(g))
    depthwise(forward_plan(g, affine), x, dy, dw);
  else
    direct(forward_plan(g, affine), x, dy, dw);
}

}  // namespace basin::cpu
