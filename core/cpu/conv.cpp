// The convolution and its input gradient: a matrix product where the kernel is one pixel, else the direct
// kernels on packed strips of images. What an image gives does not depend on the batch around it.
#include <algorithm>

#include "core/cpu/conv_plan.h"
#include "core/cpu/kernels.h"
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

// The part of a pass that lies in rows [begin, begin + strip.rows) of image `image` of the packed strip.
struct Position {
  Index n, image, begin, rows;
};

// Fills in what the kernels need to know about a pass on a packed strip; false if it has no rows there.
bool locate(const ConvPlan& plan, const Pass& pass, const Position& p, const float* packed, Index block,
            Index image_size, float* target, TapConv& t) {
  const Index first = std::max(pass.rows->first, p.begin), last = std::min(pass.rows->last, p.begin + p.rows);
  if (first >= last) return false;
  const Index row = first * pass.rows->scale + pass.rows->shift;
  const Index col = pass.cols->first * pass.cols->scale + pass.cols->shift;
  t.x_row = plan.rows.run * plan.packed_row();
  t.x_block = block;
  t.x = packed + p.image * image_size + (first - p.begin) * t.x_row +
        (pass.cols->first - plan.cols.first) * kLanes;
  t.tap = pass.offsets.data();
  t.taps = static_cast<Index>(pass.offsets.size());
  t.y = target + ((p.n * plan.target_h + row) * plan.target_w + col) * plan.target_c;
  t.y_row = pass.rows->scale * plan.target_w * plan.target_c;
  t.y_pixel = pass.cols->scale * plan.target_c;
  t.rows = last - first;
  t.cols = pass.cols->last - pass.cols->first;
  return true;
}

// Calls body(n, first image of the strip, images, first row, rows) for each strip of the batch.
template <class Body>
void for_each_strip(const ConvPlan& plan, const Strips& s, Body body) {
  parallel_for(s.count(), [&](Index task, int) {
    const Index n = task / s.per_image * s.images, row = plan.rows.first + task % s.per_image * s.rows;
    body(n, std::min(s.images, plan.batch - n), row, std::min(s.rows, plan.rows.last - row));
  });
}

void direct(const ConvPlan& plan, Index kernel_w, bool gradient, const float* source, const float* w,
            float* target) {
  const Kernels& isa = kernels();
  PackedWeights weights(isa, plan, gradient);
  const std::vector<Pass> all = passes(plan, kernel_w, weights.per_tap());
  weights.pack(all, w);
  const Index channels = plan.source_channels();
  for_each_strip(plan, strips(plan, channels, 256), [&](Index n, Index images, Index row, Index rows) {
    const Index block = plan.packed_block(rows), image_size = ceil_div(channels, kLanes) * block;
    float* packed = scratch(Slot::images, images * image_size);
    for (Index group = 0; group < plan.groups; ++group) {
      for (Index i = 0; i < images; ++i)
        plan.pack(isa, source, n + i, group * channels, channels, row, rows, packed + i * image_size);
      for (Index j = 0; j < weights.panels().count(); ++j) {
        for (const Pass& pass : all) {
          for (Index i = 0; i < images; ++i) {
            TapConv t{};
            if (!locate(plan, pass, {n + i, i, row, rows}, packed, block, image_size, target, t)) continue;
            t.channels = channels;
            t.w = weights.panel(pass, group, j);
            t.y += group * plan.target_channels() + j * isa.panel;
            t.lanes = weights.panels().lanes(j);
            isa.conv(t);
          }
        }
      }
    }
  });
}

void depthwise(const ConvPlan& plan, Index kernel_w, const float* source, const float* w, float* target) {
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
  for_each_strip(plan, strips(plan, channels, 256), [&](Index n, Index images, Index row, Index rows) {
    const Index block = plan.packed_block(rows), image_size = blocks * block;
    float* packed = scratch(Slot::images, images * image_size);
    for (Index i = 0; i < images; ++i) {
      plan.pack(isa, source, n + i, 0, channels, row, rows, packed + i * image_size);
      for (const Pass& pass : all) {
        TapConv t{};
        if (!locate(plan, pass, {n + i, i, row, rows}, packed, block, image_size, target, t)) continue;
        for (Index c = 0; c < channels; c += kLanes, t.x += block, t.y += kLanes) {
          t.channels = t.lanes = std::min(kLanes, channels - c);
          t.w = weights + pass.weights + c * t.taps;
          isa.depthwise(t);
        }
      }
    }
  });
}

}  // namespace

void conv2d(const ConvGeometry& g, const float* x, const float* w, float* y) {
  if (g.y_shape().elements() == 0) return;
  if (is_pointwise(g))
    gemm(false, false, g.batch * g.out_h * g.out_w, g.out_c, g.in_c, x, g.in_c, w, g.out_c, y, g.out_c);
  else if (is_depthwise(g))
    depthwise(forward_plan(g), g.kernel_w, x, w, y);
  else
    direct(forward_plan(g), g.kernel_w, false, x, w, y);
}

void conv2d_input_grad(const ConvGeometry& g, const float* dy, const float* w, float* dx) {
  if (g.x_shape().elements() == 0) return;
  if (is_pointwise(g))
    gemm(false, true, g.batch * g.out_h * g.out_w, g.in_c, g.out_c, dy, g.out_c, w, g.out_c, dx, g.in_c);
  else if (is_depthwise(g))
    depthwise(gradient_plan(g), g.kernel_w, dy, w, dx);
  else
    direct(gradient_plan(g), g.kernel_w, true, dy, w, dx);
}

}  // namespace basin::cpu
