// How a convolution, and its input gradient, become sums over taps of a packed image.
#pragma once

#include <vector>

#include "core/conv_geometry.h"
#include "core/cpu/conv/kernels.h"
#include "core/cpu/conv/packing.h"

namespace basin::cpu {

/// Kernel 1x1, stride 1: the pixels of the batch are the rows of a matrix.
bool is_pointwise(const ConvGeometry& g);
/// One input and one output channel per group: sixteen groups share a vector.
bool is_depthwise(const ConvGeometry& g);

/// One spatial direction. Outputs fall into classes that see the same taps: a forward convolution has one
/// class; the input gradient has one for each remainder of the position by the stride, because only every
/// stride-th tap meets a pixel of dy (so no multiplication by an inserted zero is ever done).
struct Axis {
  struct Tap {
    Index kernel;  // position in the kernel
    Index source;  // source pixels from the output's first one
  };
  struct Class {
    Index first, last;   // outputs i in [first, last)
    Index scale, shift;  // are pixels i * scale + shift of the target
    std::vector<Tap> taps;
  };
  Index first, last;     // all classes together
  Index stride, offset;  // the first source pixel of output i is i * stride + offset
  Index run;             // of each stride source pixels the first `run` are needed
  Index span;            // source pixels from an output's first to its last one
  std::vector<Class> classes;
};

Axis forward_axis(Index out, Index kernel, Index stride, Index pad);
Axis gradient_axis(Index in, Index kernel, Index stride, Index pad);

struct Strip;
/// Pixels [first, first + count) of a tensor {batch, h, w, c}.
struct PixelRun {
  Index first, count;
};

/// The two axes, the channels per group of source and target, and the layout of a packed strip of the source.
struct ConvPlan {
  Axis rows, cols;
  Index batch, groups;
  Index source_h, source_w, source_c;  // source_c, target_c: of all groups
  Index target_h, target_w, target_c;
  ChannelAffine affine{};  // of the source, while it is packed

  Index source_channels() const { return source_c / groups; }
  Index target_channels() const { return target_c / groups; }
  Index packed_cols() const { return cols.last - cols.first + (cols.span - 1) / cols.stride; }
  Index packed_row() const { return cols.run * packed_cols() * kLanes; }
  Index packed_rows(Index outputs) const { return (outputs - 1) * rows.run + rows.span; }
  /// Floats of one block of channels of a strip of `outputs` rows.
  Index packed_block(Index outputs) const { return packed_rows(outputs) * packed_row(); }
  /// Offset of a tap in a packed block.
  Index tap_offset(const Axis::Tap& row, const Axis::Tap& col) const {
    return row.source * packed_row() +
           (col.source % cols.stride * packed_cols() + col.source / cols.stride) * kLanes;
  }
  /// The target's pixels that a strip gives, where outputs are pixels of the target (or lie behind the last).
  PixelRun target_pixels(const Strip& strip) const;
  /// Packs rows [first, first + outputs) of image n, channels [channel, channel + channels).
  void pack(const Kernels& isa, const float* source, Index n, Index channel, Index channels, Index first,
            Index outputs, float* out) const;
};

ConvPlan forward_plan(const ConvGeometry& g, const ChannelAffine& affine);
/// Of a tensor {batch,h,w,c} packed as it is, without a border: a convolution with a kernel of one pixel
/// would read it so.
ConvPlan unmoved_plan(Axis rows, Axis cols, Index batch, Index groups, Index h, Index w, Index c);
ConvPlan gradient_plan(const ConvGeometry& g);

/// A piece of a batch that is packed at a time: `images` whole images from image n on, or output rows
/// [row, row + rows) of one image.
struct Strip {
  Index n, images, row, rows;
};

/// The cut of a batch into strips of about `pixels` outputs at least, whose packed source (`channels` of it)
/// fits the L2 cache.
struct StripSize {
  Index images, rows;
};
StripSize strip_size(const ConvPlan& plan, Index channels, Index pixels);

/// The strips of images [begin, end).
std::vector<Strip> strips(const ConvPlan& plan, const StripSize& size, Index begin, Index end);

/// The memory of the source that strip `i` of a list reads, nothing beyond the end of the list; and the share
/// of it that the `part`-th of `parts` kernel calls is to fetch.
Ahead source_of(const ConvPlan& plan, const std::vector<Strip>& list, std::size_t i, const float* source);
Ahead share_of(const Ahead& all, Index part, Index parts);

}  // namespace basin::cpu
