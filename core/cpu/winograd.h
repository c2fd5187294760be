// Winograd's convolution F(2x2,3x3) and F(4x4,3x3) with its two gradients in f32, and the rule that says when
// it is used instead of the direct kernels.
#pragma once

#include "core/conv_algorithm.h"
#include "core/cpu/conv_plan.h"
#include "core/cpu/winograd_table.h"

namespace basin::cpu {

/// Whether the functions below can compute it: a 3x3 kernel, stride 1, padding 0 to 2, one group.
bool winograd_fits(const ConvGeometry& g);

/// The tiles that `algorithm` uses for a convolution and both its gradients, or null where the direct kernels
/// run: where it does not fit, or where it would not pay, because tiles that reach beyond the image leave the
/// multiplications more than 4/7 of the direct ones, or because of fewer than 8 channels (16 for tiles of
/// two) on either side the transforms cost more than the products save.
const WinogradTile* winograd_tile(ConvAlgorithm algorithm, const ConvGeometry& g);

/// y = x * w, dx and dw as in kernels.h, of a geometry that fits and has no empty tensor. Scratch memory as
/// the kernels there. An image's y and dx do not depend on the batch around it.
void winograd_conv2d(const WinogradTile& tile, const ConvGeometry& g, const float* x, const float* w,
                     float* y, const ChannelAffine& affine = {});
void winograd_input_grad(const WinogradTile& tile, const ConvGeometry& g, const float* dy, const float* w,
                         float* dx);
void winograd_weight_grad(const WinogradTile& tile, const ConvGeometry& g, const float* x, const float* dy,
                          float* dw, const ChannelAffine& affine = {});

/// The batch cut into strips of whole tiles, and where a tile's numbers lie once it is transformed. Strips of
/// about `tiles` tiles, rows of tiles of one image or whole images; at least `strips` strips where the batch
/// has as many images.
class WinogradStrips {
 public:
  WinogradStrips(const WinogradTile& tile, const ConvPlan& plan, Index tiles, Index strips)
      : tile_(tile), plan_(plan), size_(strip_size(tile, plan, tiles, strips)) {}

  /// The size of strips whose points the threads share: large where the transformed weights (or their
  /// gradients), which every strip reads, come from memory rather than from the L3 cache.
  static Index wide_strip(Index weights);

  std::vector<Strip> list(Index begin, Index end) const { return strips(plan_, size_, begin, end); }
  Index across() const { return (plan_.cols.last - plan_.cols.first) / tile_.outputs; }
  Index down(const Strip& s) const { return s.rows / tile_.outputs; }
  Index tiles(const Strip& s) const { return s.images * down(s) * across(); }
  /// Floats from one block, one point, to the next, and of all points, with room for the largest strip. A
  /// point's size is no multiple of a page, lest all points of a tile compete for the same lines of the
  /// cache.
  Index block() const { return size_.images * size_.rows / tile_.outputs * across() * kLanes; }
  Index point(Index channels) const { return ceil_div(channels, kLanes) * block() + kLanes; }
  Index size(Index channels) const { return tile_.all_points() * point(channels); }

 private:
  static StripSize strip_size(const WinogradTile& tile, const ConvPlan& plan, Index tiles, Index strips);

  const WinogradTile& tile_;
  const ConvPlan& plan_;
  StripSize size_;
};

/// Packs one of `parts` equal parts of the channel blocks of one of a strip's images and transforms it: chunk
/// = image * parts + part. v is the strip's.
void winograd_source(void (*transform)(const WinogradSource&), const ConvPlan& plan,
                     const WinogradStrips& strips, const Strip& strip, Index chunk, Index parts,
                     const float* source, float* v);

/// The plan of one axis of `pixels` outputs, rounded up to whole tiles.
Axis winograd_axis(const WinogradTile& tile, Index pixels, Index kernel, Index pad);

}  // namespace basin::cpu
