// The windows of pooling: which pixels of the image are under one, and which windows cover a pixel. Along one
// axis; padding is not of the image.
#pragma once

#include <cstdint>

#include "core/functors/host_device.h"

namespace basin::functors {

/// [at, at + count) along an axis.
struct Span {
  std::int64_t at, count;
};

/// Rows of the image under output row `o`.
BASIN_BOTH inline Span window(std::int64_t o, std::int64_t stride, std::int64_t pad, std::int64_t kernel,
                              std::int64_t in) {
  const std::int64_t low = o * stride - pad, high = low + kernel;
  const std::int64_t begin = low > 0 ? low : 0, end = high < in ? high : in;
  return {begin, end - begin};
}

/// Output rows whose windows cover row i of the image.
BASIN_BOTH inline Span covering(std::int64_t i, std::int64_t stride, std::int64_t pad, std::int64_t kernel,
                                std::int64_t out) {
  const std::int64_t low = i + pad - kernel + 1;  // o * stride >= low
  const std::int64_t begin = low <= 0 ? 0 : (low + stride - 1) / stride, last = (i + pad) / stride + 1;
  const std::int64_t end = last < out ? last : out;
  return {begin, end > begin ? end - begin : 0};
}

/// 1 / divisor of an output pixel's mean: kernel_h kernel_w (count_pad), or the pixels of the image. Geometry
/// is ConvGeometry.
template <class Geometry>
BASIN_BOTH double share(const Geometry& g, bool count_pad, std::int64_t oh, std::int64_t ow) {
  const std::int64_t taps = count_pad ? g.kernel_h * g.kernel_w
                                      : window(oh, g.stride_h, g.pad_h, g.kernel_h, g.in_h).count *
                                            window(ow, g.stride_w, g.pad_w, g.kernel_w, g.in_w).count;
  return 1 / static_cast<double>(taps);
}

}  // namespace basin::functors
