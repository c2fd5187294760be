// See direct.h. The convolution and its input gradient, which a plan (conv_plan.h) makes alike: the weights
// are packed once, then each strip of images is packed and goes through the register tiles.
#include "core/cpu/conv/direct.h"

#include <algorithm>

#include "core/cpu/conv/conv_plan.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

// One class of rows crossed with one class of columns.
struct Pass {
  const Axis::Class* rows;
  const Axis::Class* cols;
  std::vector<Index> offsets;  // of the taps in the packed source
  std::vector<Index> kernel;   // their positions in the kernel, row-major
  Index weights = 0;           // where its packed weights begin
};

std::vector<Pass> passes(const ConvPlan& plan, Index kernel_w, Index weights_per_tap) {
  std::vector<Pass> all;
  Index weights = 0;
  for (const Axis::Class& rows : plan.rows.classes) {
    for (const Axis::Class& cols : plan.cols.classes) {
      Pass pass{&rows, &cols, {}, {}, weights};
      for (const Axis::Tap& r : rows.taps) {
        for (const Axis::Tap& s : cols.taps) {
          pass.offsets.push_back(plan.tap_offset(r, s));
          pass.kernel.push_back(r.kernel * kernel_w + s.kernel);
        }
      }
      weights += static_cast<Index>(pass.kernel.size()) * weights_per_tap;
      all.push_back(std::move(pass));
    }
  }
  return all;
}

// Weights in the order in which the kernels read them: {pass, group, panel, block, tap, channel, width}.
class PackedWeights {
 public:
  PackedWeights(const Kernels& isa, const ConvPlan& plan, bool gradient)
      : isa_(isa), plan_(plan), gradient_(gradient), panels_{plan.target_channels(), isa.panel} {}

  Index per_tap() const { return plan_.groups * plan_.source_channels() * panels_.total(); }
  const Panels& panels() const { return panels_; }
  const float* panel(const Pass& pass, Index group, Index j) const { return data_ + at(pass, group, j); }

  void pack(const std::vector<Pass>& all, const float* w) {
    Index taps = 0;
    for (const Pass& pass : all) taps += static_cast<Index>(pass.kernel.size());
    data_ = scratch(Slot::shared, taps * per_tap());
    const Index count = panels_.count();
    parallel_for(plan_.groups * count, [&](Index chunk, int) {
      for (const Pass& pass : all) pack_one(pass, w, chunk / count, chunk % count);
    });
  }

 private:
  Index at(const Pass& pass, Index group, Index j) const {
    return pass.weights + (group * panels_.total() + j * panels_.panel) * plan_.source_channels() *
                              static_cast<Index>(pass.kernel.size());
  }

  void pack_one(const Pass& pass, const float* w, Index group, Index j) {
    const Index source = plan_.source_channels(), target = plan_.target_channels();
    const Index first = j * panels_.panel, lanes = panels_.lanes(j), width = panels_.width(j);
    float* out = data_ + at(pass, group, j);
    for (Index c = 0; c < source; c += kLanes) {
      const Index depth = std::min(kLanes, source - c);
      for (Index tap : pass.kernel) {
        // w is {tap, input channel of the group, output channel}; the source of the gradient are output
        // channels.
        const float* from = gradient_ ? w + (tap * target + first) * plan_.source_c + group * source + c
                                      : w + (tap * source + c) * plan_.target_c + group * target + first;
        pack_panel(isa_, gradient_, from, gradient_ ? plan_.source_c : plan_.target_c, depth, lanes, width,
                   out);
        out += depth * width;
      }
    }
  }

  const Kernels& isa_;
  const ConvPlan& plan_;
  bool gradient_;
  Panels panels_;
  float* data_ = nullptr;
};

// A strip whose source is packed: blocks of `block` floats, images of `image`.
struct PackedStrip {
  Strip strip;
  const float* data;
  Index block, image;
};

// Fills in what the kernels need to know about a pass on image i of a strip; false if it has no rows there.
bool locate(const ConvPlan& plan, const Pass& pass, const PackedStrip& p, Index i, float* target,
            TapConv& t) {
  const Index first = std::max(pass.rows->first, p.strip.row);
  const Index last = std::min(pass.rows->last, p.strip.row + p.strip.rows);
  if (first >= last) return false;
  const Index row = first * pass.rows->scale + pass.rows->shift;
  const Index col = pass.cols->first * pass.cols->scale + pass.cols->shift;
  t.x_row = plan.rows.run * plan.packed_row();
  t.x_block = p.block;
  t.x =
      p.data + i * p.image + (first - p.strip.row) * t.x_row + (pass.cols->first - plan.cols.first) * kLanes;
  t.tap = pass.offsets.data();
  t.taps = static_cast<Index>(pass.offsets.size());
  t.y = target + (((p.strip.n + i) * plan.target_h + row) * plan.target_w + col) * plan.target_c;
  t.y_row = pass.rows->scale * plan.target_w * plan.target_c;
  t.y_pixel = pass.cols->scale * plan.target_c;
  t.rows = last - first;
  t.cols = pass.cols->last - pass.cols->first;
  return true;
}

// Calls body(strip, what the strip after it reads) for each strip of the batch; `rows`, unless null, takes
// the target.
template <class Body>
void for_each_strip(const ConvPlan& plan, Index channels, const float* source, RowConsumer* rows, Body body) {
  const std::vector<Strip> list = strips(plan, strip_size(plan, channels, 256), 0, plan.batch);
  if (rows) rows->expect(static_cast<Index>(list.size()));
  parallel_for(static_cast<Index>(list.size()), [&](Index task, int) {
    const auto i = static_cast<std::size_t>(task);
    body(list[i], source_of(plan, list, i + 1, source));
    const PixelRun run = plan.target_pixels(list[i]);
    if (rows) rows->take(task, run.first, run.count);
  });
}

void direct(const ConvPlan& plan, Index kernel_w, bool gradient, const float* source, const float* w,
            float* target, RowConsumer* rows) {
  const Kernels& isa = kernels();
  PackedWeights weights(isa, plan, gradient);
  const Panels& panels = weights.panels();
  const std::vector<Pass> all = passes(plan, kernel_w, weights.per_tap());
  weights.pack(all, w);
  const Index channels = plan.source_channels();
  for_each_strip(plan, channels, source, rows, [&](const Strip& strip, const Ahead& ahead) {
    const Index block = plan.packed_block(strip.rows), image = ceil_div(channels, kLanes) * block;
    float* data = scratch(Slot::images, strip.images * image);
    const PackedStrip packed{strip, data, block, image};
    for (Index group = 0; group < plan.groups; ++group) {
      for (Index i = 0; i < strip.images; ++i)
        plan.pack(isa, source, strip.n + i, group * channels, channels, strip.row, strip.rows,
                  data + i * image);
      for (Index j = 0; j < panels.count(); ++j) {
        for (const Pass& pass : all) {
          for (Index i = 0; i < strip.images; ++i) {
            TapConv t{};
            if (!locate(plan, pass, packed, i, target, t)) continue;
            t.channels = channels;
            t.w = weights.panel(pass, group, j);
            t.y += group * plan.target_channels() + j * isa.panel;
            t.lanes = panels.lanes(j);
            if (&pass == &all.front())
              t.next = share_of(ahead, (group * panels.count() + j) * strip.images + i,
                                plan.groups * panels.count() * strip.images);
            isa.conv(t);
          }
        }
      }
    }
  });
}

void depthwise(const ConvPlan& plan, Index kernel_w, const float* source, const float* w, float* target,
               RowConsumer* rows) {
  const Kernels& isa = kernels();
  const Index channels = plan.source_c, blocks = ceil_div(channels, kLanes);
  const std::vector<Pass> all = passes(plan, kernel_w, kLanes * blocks);
  Index taps = 0;
  for (const Pass& pass : all) taps += static_cast<Index>(pass.kernel.size());
  float* weights = scratch(Slot::shared, taps * kLanes * blocks);  // {pass, block, tap, kLanes}
  for (const Pass& pass : all) {
    float* out = weights + pass.weights;
    for (Index c = 0; c < channels; c += kLanes)
      for (Index tap : pass.kernel) {
        pack_panel(isa, false, w + tap * channels + c, channels, 1, std::min(kLanes, channels - c), kLanes,
                   out);
        out += kLanes;
      }
  }
  for_each_strip(plan, channels, source, rows, [&](const Strip& strip, const Ahead& ahead) {
    const Index block = plan.packed_block(strip.rows), image = blocks * block;
    float* data = scratch(Slot::images, strip.images * image);
    const PackedStrip packed{strip, data, block, image};
    for (Index i = 0; i < strip.images; ++i) {
      plan.pack(isa, source, strip.n + i, 0, channels, strip.row, strip.rows, data + i * image);
      for (const Pass& pass : all) {
        TapConv t{};
        if (!locate(plan, pass, packed, i, target, t)) continue;
        for (Index b = 0; b < blocks; ++b, t.x += block, t.y += kLanes) {
          t.channels = t.lanes = std::min(kLanes, channels - b * kLanes);
          t.w = weights + pass.weights + b * kLanes * t.taps;
          if (&pass == &all.front()) t.next = share_of(ahead, i * blocks + b, strip.images * blocks);
          isa.depthwise(t);
        }
      }
    }
  });
}

}  // namespace

void direct_conv2d(const ConvGeometry& g, const float* x, const float* w, float* y,
                   const ChannelAffine& affine, RowConsumer* rows) {
  if (is_depthwise(g))
    depthwise(forward_plan(g, affine), g.kernel_w, x, w, y, rows);
  else
    direct(forward_plan(g, affine), g.kernel_w, false, x, w, y, rows);
}

void direct_input_grad(const ConvGeometry& g, const float* dy, const float* w, float* dx) {
  if (is_depthwise(g))
    depthwise(gradient_plan(g), g.kernel_w, dy, w, dx, nullptr);
  else
    direct(gradient_plan(g), g.kernel_w, true, dy, w, dx, nullptr);
}

}  // namespace basin::cpu
