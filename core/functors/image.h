// The numbers of images that are cut out of pictures of bytes (core/images/image_batch.h), one at a time.
#pragma once

#include <cstdint>

#include "core/functors/host_device.h"

namespace basin::functors {

/// The row or column of a picture that stands at `at`, which may lie outside of [0, extent): -1 for none, or
/// the one that is seen there in a mirror at the edge.
BASIN_BOTH inline std::int64_t behind(std::int64_t at, std::int64_t extent, bool reflect) {
  if (at >= 0 && at < extent) return at;
  if (!reflect) return -1;
  return at < 0 ? -at : 2 * (extent - 1) - at;
}

/// Whether a box {top, bottom, left, right} holds (y, x).
BASIN_BOTH inline bool holds(const std::int64_t* box, std::int64_t y, std::int64_t x) {
  return y >= box[0] && y < box[1] && x >= box[2] && x < box[3];
}

/// ImageBatch by addresses.
struct ImageFormula {
  const std::uint8_t* pixels;
  const float* table;
  const std::int64_t* draws;
  const std::int64_t* covered;
  const std::int64_t* partners;
  const std::int64_t* exchanged;
  std::int64_t height, width, channels;
  bool reflect;

  /// Image b without a partner at (y, x, c).
  BASIN_BOTH float own(std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) const {
    const std::int64_t* draw = draws + 8 * b;
    if (holds(draw + 4, y, x) || (covered != nullptr && holds(covered, y, x))) return 0;
    const std::int64_t row = behind(y + draw[1], height, reflect);
    const std::int64_t column = behind((draw[3] != 0 ? width - 1 - x : x) + draw[2], width, reflect);
    const std::int64_t pixel = (draw[0] * height + row) * width + column;
    return table[256 * c + (row < 0 || column < 0 ? 0 : pixels[pixel * channels + c])];
  }

  /// Image b at (y, x, c), with lambda's f32.
  BASIN_BOTH float operator()(std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c,
                              float lambda) const {
    if (partners == nullptr) return own(b, y, x, c);
    if (exchanged != nullptr) return own(holds(exchanged, y, x) ? partners[b] : b, y, x, c);
    const float rest = 1 - lambda;
    return lambda * own(b, y, x, c) + rest * own(partners[b], y, x, c);
  }

  /// For the checks of the kernels' emulator: each address.
  template <class F>
  void for_each_pointer(F f) const {
    f(pixels), f(table), f(draws), f(covered), f(partners), f(exchanged);
  }
};

}  // namespace basin::functors
