// Winograd's convolution F(2x2,3x3) and F(4x4,3x3) with its two gradients in f32, and the rule that says when
// it is used instead of the direct kernels.
#pragma once

#include "core/conv_algorithm.h"
#include "core/cpu/conv/conv_plan.h"
#include "core/cpu/conv/kernels.h"
#include "core/cpu/conv/row_consumer.h"
#include "core/cpu/conv/winograd/winograd_table.h"

namespace basin::cpu {

/// Whether the functions below can compute it: a 3x3 kernel, stride 1, padding 0 to 2, one group.
bool winograd_fits(const ConvGeometry& g);

/// The tiles that `algorithm` uses for a convolution and both its gradients, or null where the direct kernels
/// run: where it does not fit, or where it would not pay, because tiles that reach beyond the image leave the
/// multiplications more than 4/7 of the direct ones, or because of fewer than 8 channels (16 for tiles of
/// two) on either side the transforms cost more than the products save.
const WinogradTile* winograd_tile(ConvAlgorithm algorithm, const ConvGeometry& g);

/// y = x * w, dx and dw as in convolution.h, of a geometry that fits and has no empty tensor. Scratch memory
/// as the kernels there. An image's y and dx do not depend on the batch around it.
void winograd_conv2d(const WinogradTile& tile, const ConvGeometry& g, const float* x, const float* w,
                     float* y, const ChannelAffine& affine = {}, RowConsumer* rows = nullptr);
void winograd_input_grad(const WinogradTile& tile, const ConvGeometry& g, const float* dy, const float* w,
                         float* dx);
void winograd_weight_grad(const WinogradTile& tile, const ConvGeometry& g, const float* x, const float* dy,
                          float* dw, const ChannelAffine& affine = {});

/// dx and dw together, bit for bit; `rows`, unless null, takes dx. False, and nothing done, if the threads
/// would have to share strips, not images.
bool winograd_gradients(const WinogradTile& tile, const ConvGeometry& g, const float* x,
                        const ChannelAffine& affine, const float* w, const float* dy, float* dx, float* dw,
                        RowConsumer* rows);

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

/// The convolution, or its input gradient, which is a convolution of dy with the kernel turned around.
class WinogradConvolution {
 public:
  static WinogradConvolution forward(const WinogradTile& tile, const ConvGeometry& g,
                                     const ChannelAffine& affine);
  static WinogradConvolution input_grad(const WinogradTile& tile, const ConvGeometry& g);
  WinogradConvolution(const WinogradConvolution&) = delete;
  WinogradConvolution& operator=(const WinogradConvolution&) = delete;

  /// Where the transformed weights are so many that a thread would read them all from far away for every
  /// strip, the threads share the channels and the points of one strip instead of whole strips.
  bool wide() const { return weights() >= Index{1} << 20; }
  /// Floats of transformed weights.
  Index weights() const { return tile_.all_points() * plan_.source_c * panels_.total(); }
  const ConvPlan& plan() const { return plan_; }
  const WinogradStrips& strips() const { return strips_; }

  /// u = the transformed weights, by all threads.
  void transform(const float* w, float* u) const;
  /// One strip of the target; `next` is what will be read after it.
  void strip(const Strip& strip, const Ahead& next, const float* source, const float* u, float* target) const;
  /// All of them, by all threads; `rows`, unless null, takes the target.
  void whole(const float* source, const float* w, float* target, RowConsumer* rows) const;

 private:
  WinogradConvolution(const WinogradTile& tile, ConvPlan plan, bool gradient);

  const WinogradTile& tile_;
  ConvPlan plan_;
  bool gradient_;
  Panels panels_;
  WinogradStrips strips_;  // of plan_
};

/// The weight gradient. The sum over the tiles of a strip is formed in registers and added to a partial sum
/// over a run of images; the partial sums are added in their order.
class WinogradWeightSums {
 public:
  WinogradWeightSums(const WinogradTile& tile, const ConvGeometry& g, const ChannelAffine& affine);
  WinogradWeightSums(const WinogradWeightSums&) = delete;
  WinogradWeightSums& operator=(const WinogradWeightSums&) = delete;

  /// Where weights are many, or images few, there is one partial sum, and the threads share the channels and
  /// the points of a strip.
  bool wide() const { return count_ == 1; }
  /// Partial sums, and floats of each.
  Index count() const { return count_; }
  Index size() const { return points() * point(); }
  /// The strips of a partial sum, in their order, and its first image.
  std::vector<Strip> list(Index sum) const { return strips_.list(first(sum), first(sum + 1)); }
  Index first(Index sum) const { return x_plan_.batch * sum / count_; }

  /// Strip `i` of a list is added to `sum`; the first one begins it.
  void strip(const std::vector<Strip>& list, std::size_t i, const float* x, const float* dy,
             float* sum) const;
  /// dw from all partial sums, which follow one another.
  void add_up(const float* sums, float* dw) const;

 private:
  Index points() const { return tile_.all_points(); }
  Index point() const { return channels_ * panels_.total(); }

  const WinogradTile& tile_;
  ConvPlan x_plan_, dy_plan_;
  Panels panels_;  // of the output channels
  Index channels_;
  Index count_;
  WinogradStrips strips_;  // of x_plan_
};

/// Transforms one of `parts` equal parts of the channel blocks of one of a strip's images, packed unless its
/// plan has no border and its tiles are whole: chunk = image * parts + part. v is the strip's.
void winograd_source(void (*transform)(const WinogradSource&), const ConvPlan& plan,
                     const WinogradStrips& strips, const Strip& strip, Index chunk, Index parts,
                     const float* source, float* v);

/// The plan of a convolution, in tiles of outputs.
ConvPlan winograd_plan(const WinogradTile& tile, const ConvGeometry& g, const ChannelAffine& affine);
/// The plan of one axis of `pixels` outputs, rounded up to whole tiles.
Axis winograd_axis(const WinogradTile& tile, Index pixels, Index kernel, Index pad);

}  // namespace basin::cpu
