// The windows of pooling: which pixels of the image are under one, and which windows cover a pixel. Along one
// axis; padding is not of the image.
#pragma once

#include "core/conv_geometry.h"
#include "core/functors/host_device.h"

namespace basin::pooling {

/// [at, at + count) along an axis.
struct Span {
  Index at, count;
};

/// Rows of the image under output row `o`.
BASIN_BOTH inline Span window(Index o, Index stride, Index pad, Index kernel, Index in) {
  const Index low = o * stride - pad, high = low + kernel;
  const Index begin = low > 0 ? low : 0, end = high < in ? high : in;
  return {begin, end - begin};
}

/// Output rows whose windows cover row i of the image.
BASIN_BOTH inline Span covering(Index i, Index stride, Index pad, Index kernel, Index out) {
  const Index low = i + pad - kernel + 1;  // o * stride >= low
  const Index begin = low <= 0 ? 0 : (low + stride - 1) / stride, last = (i + pad) / stride + 1;
  const Index end = last < out ? last : out;
  return {begin, end > begin ? end - begin : 0};
}

/// 1 / divisor of an output pixel's mean: kernel_h kernel_w (count_pad), or the pixels of the image.
BASIN_BOTH inline double share(const ConvGeometry& g, bool count_pad, Index oh, Index ow) {
  const Index taps = count_pad ? g.kernel_h * g.kernel_w
                               : window(oh, g.stride_h, g.pad_h, g.kernel_h, g.in_h).count *
                                     window(ow, g.stride_w, g.pad_w, g.kernel_w, g.in_w).count;
  return 1 / static_cast<double>(taps);
}

}  // namespace basin::pooling
