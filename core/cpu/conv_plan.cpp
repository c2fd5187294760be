// See conv_plan.h.
#include "core/cpu/conv_plan.h"

#include <algorithm>

namespace basin::cpu {

bool is_pointwise(const ConvGeometry& g) {
  return g.kernel_h * g.kernel_w == 1 && g.stride_h * g.stride_w == 1 && g.pad_h == 0 && g.pad_w == 0 &&
         g.groups == 1;
}

bool is_depthwise(const ConvGeometry& g) { return g.groups > 1 && g.groups == g.in_c && g.groups == g.out_c; }

Axis forward_axis(Index out, Index kernel, Index stride, Index pad) {
  Axis axis{0, out, stride, -pad, std::min(kernel, stride), kernel, {}};
  Axis::Class all{0, out, 1, 0, {}};
  for (Index r = 0; r < kernel; ++r) all.taps.push_back({r, r});
  axis.classes.push_back(all);
  return axis;
}

// Input pixel p meets tap r at output o where p + pad = stride * o + r. With p + pad = stride * i + a, a the
// class, the taps are r = a + stride * j and o = i - j.
Axis gradient_axis(Index in, Index kernel, Index stride, Index pad) {
  const Index most = ceil_div(kernel, stride);  // taps of a class
  Axis axis{in + pad, 0, 1, 1 - most, 1, most, {}};
  for (Index a = 0; a < stride; ++a) {
    Axis::Class one{0, 0, stride, a - pad, {}};
    one.first = pad > a ? ceil_div(pad - a, stride) : 0;
    one.last = in + pad > a ? (in - 1 + pad - a) / stride + 1 : 0;
    if (one.first >= one.last) continue;
    for (Index j = 0; a + stride * j < kernel; ++j) one.taps.push_back({a + stride * j, most - 1 - j});
    axis.first = std::min(axis.first, one.first);
    axis.last = std::max(axis.last, one.last);
    axis.classes.push_back(one);
  }
  return axis;
}

void ConvPlan::pack(const Kernels& isa, const float* source, Index n, Index channel, Index channels,
                    Index first, Index outputs, float* out) const {
  isa.pack_image({source + n * source_h * source_w * source_c + channel, source_h, source_w, source_c,
                  channels, first * rows.stride + rows.offset, rows.run, rows.stride, packed_rows(outputs),
                  cols.first * cols.stride + cols.offset, cols.run, cols.stride, packed_cols(), out,
                  packed_block(outputs)});
}

ConvPlan forward_plan(const ConvGeometry& g) {
  return {forward_axis(g.out_h, g.kernel_h, g.stride_h, g.pad_h),
          forward_axis(g.out_w, g.kernel_w, g.stride_w, g.pad_w),
          g.batch,
          g.groups,
          g.in_h,
          g.in_w,
          g.in_c,
          g.out_h,
          g.out_w,
          g.out_c};
}

ConvPlan gradient_plan(const ConvGeometry& g) {
  return {gradient_axis(g.in_h, g.kernel_h, g.stride_h, g.pad_h),
          gradient_axis(g.in_w, g.kernel_w, g.stride_w, g.pad_w),
          g.batch,
          g.groups,
          g.out_h,
          g.out_w,
          g.out_c,
          g.in_h,
          g.in_w,
          g.in_c};
}

Strips strips(const ConvPlan& plan, Index channels, Index pixels) {
  constexpr Index kFloats = 96 * 1024;  // 384 KiB
  constexpr Index kTasks = 32, kLeastRows = 4;
  const Index height = plan.rows.last - plan.rows.first, width = plan.cols.last - plan.cols.first;
  const Index blocks = std::max<Index>(1, ceil_div(channels, kLanes));
  const Index fitting = kFloats / (blocks * plan.rows.run * plan.packed_row());
  Strips s{1, std::clamp<Index>(fitting, 1, height), 0, 0};
  if (s.rows == height) {
    const Index enough = ceil_div(pixels, height * width);
    const Index fit = kFloats / (blocks * plan.packed_block(height));
    s.images = std::max<Index>(1, std::min({enough, fit, plan.batch / kTasks}));
  }
  // A batch of few images is shared by the threads row by row.
  const Index wanted = ceil_div(kTasks, plan.batch);
  s.rows = std::min(s.rows, std::max(std::min(kLeastRows, height), ceil_div(height, wanted)));
  s.per_image = ceil_div(height, s.rows);
  s.groups_of_images = ceil_div(plan.batch, s.images);
  return s;
}

}  // namespace basin::cpu
