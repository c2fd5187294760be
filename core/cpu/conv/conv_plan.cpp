// See conv_plan.h.
#include "core/cpu/conv/conv_plan.h"

#include <algorithm>
#include <utility>

namespace basin::cpu {

bool is_pointwise(const ConvGeometry& g) {
  return g.kernel_h * g.kernel_w == 1 && g.stride_h * g.stride_w == 1 && g.pad_h == 0 && g.pad_w == 0 &&
         g.groups == 1;
}

bool is_depthwise(const ConvGeometry& g) { return g.groups > 1 && g.groups == g.in_c && g.groups == g.out_c; }

Axis forward_axis(Index out, Index kernel, Index stride, Index pad) {
  Axis axis{0, out, stride, -pad, std::min(kernel, stride), kernel, {}};
  Axis::Class all{0, out, 1, 0, {}};
  // Taps a stride apart meet neighbours of the packed image: they follow each other.
  for (Index first = 0; first < std::min(kernel, stride); ++first)
    for (Index r = first; r < kernel; r += stride) all.taps.push_back({r, r});
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
    // In the order of the source, so that neighbours in memory follow each other.
    for (Index j = most - 1; j >= 0; --j)
      if (a + stride * j < kernel) one.taps.push_back({a + stride * j, most - 1 - j});
    axis.first = std::min(axis.first, one.first);
    axis.last = std::max(axis.last, one.last);
    axis.classes.push_back(one);
  }
  return axis;
}

PixelRun ConvPlan::target_pixels(const Strip& s) const {
  const Index height = std::min(s.rows, target_h - s.row);
  return {(s.n * target_h + s.row) * target_w, ((s.images - 1) * target_h + height) * target_w};
}

void ConvPlan::pack(const Kernels& isa, const float* source, Index n, Index channel, Index channels,
                    Index first, Index outputs, float* out) const {
  isa.pack_image({source + n * source_h * source_w * source_c + channel, source_h, source_w, source_c,
                  channels, first * rows.stride + rows.offset, rows.run, rows.stride, packed_rows(outputs),
                  cols.first * cols.stride + cols.offset, cols.run, cols.stride, packed_cols(),
                  affine.from(channel), out, packed_block(outputs)});
}

ConvPlan forward_plan(const ConvGeometry& g, const ChannelAffine& affine) {
  return {forward_axis(g.out_h, g.kernel_h, g.stride_h, g.pad_h),
          forward_axis(g.out_w, g.kernel_w, g.stride_w, g.pad_w),
          g.batch,
          g.groups,
          g.in_h,
          g.in_w,
          g.in_c,
          g.out_h,
          g.out_w,
          g.out_c,
          affine};
}

ConvPlan unmoved_plan(Axis rows, Axis cols, Index batch, Index groups, Index h, Index w, Index c) {
  return {.rows = std::move(rows),
          .cols = std::move(cols),
          .batch = batch,
          .groups = groups,
          .source_h = h,
          .source_w = w,
          .source_c = c,
          .target_h = h,
          .target_w = w,
          .target_c = c};
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

StripSize strip_size(const ConvPlan& plan, Index channels, Index pixels) {
  constexpr Index kFloats = 96 * 1024;  // 384 KiB
  constexpr Index kStrips = 32, kLeastRows = 4;
  const Index height = plan.rows.last - plan.rows.first, width = plan.cols.last - plan.cols.first;
  const Index blocks = std::max<Index>(1, ceil_div(channels, kLanes));
  const Index fitting = kFloats / (blocks * plan.rows.run * plan.packed_row());
  StripSize size{1, std::clamp<Index>(fitting, 1, height)};
  if (size.rows == height) {
    const Index enough = ceil_div(pixels, height * width);
    const Index fit = kFloats / (blocks * plan.packed_block(height));
    size.images = std::max<Index>(1, std::min({enough, fit, plan.batch / kStrips}));
  }
  // A batch of few images is shared by the threads row by row.
  const Index wanted = ceil_div(kStrips, plan.batch);
  size.rows = std::min(size.rows, std::max(std::min(kLeastRows, height), ceil_div(height, wanted)));
  return size;
}

std::vector<Strip> strips(const ConvPlan& plan, const StripSize& size, Index begin, Index end) {
  std::vector<Strip> list;
  for (Index n = begin; n < end; n += size.images)
    for (Index row = plan.rows.first; row < plan.rows.last; row += size.rows)
      list.push_back({n, std::min(size.images, end - n), row, std::min(size.rows, plan.rows.last - row)});
  return list;
}

Ahead source_of(const ConvPlan& plan, const std::vector<Strip>& list, std::size_t i, const float* source) {
  if (i >= list.size()) return {};
  const Strip& s = list[i];
  const Index row_size = plan.source_w * plan.source_c, image_size = plan.source_h * row_size;
  const Index first = s.row * plan.rows.stride + plan.rows.offset;
  const Index last = first + (s.rows - 1) * plan.rows.stride + plan.rows.span;
  const Index begin = std::clamp<Index>(first, 0, plan.source_h) * row_size;
  const Index end = std::clamp<Index>(last, 0, plan.source_h) * row_size + (s.images - 1) * image_size;
  return {source + s.n * image_size + begin, end - begin};
}

Ahead share_of(const Ahead& all, Index part, Index parts) {
  const Index begin = all.size * part / parts;
  return {all.at + begin, all.size * (part + 1) / parts - begin};
}

}  // namespace basin::cpu
