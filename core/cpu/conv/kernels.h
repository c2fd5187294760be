// What the register tiles of matrix products and direct convolutions compute, and what packs for them: the
// interface between the drivers (gemm.cpp, direct*.cpp) and the code that is compiled once per instruction
// set
// (*_kernel.h). All work on memory that the drivers have packed: channels in blocks of kLanes, output
// channels in panels of at most Kernels::panel lanes, padded with zeros.
#pragma once

#include "core/cpu/simd/instruction_set.h"
#include "core/shape.h"

namespace basin::cpu {

/// Channels in a block of a packed image, lanes in a vector.
inline constexpr Index kLanes = 16;

/// A transposed copy of a matrix: out[j * out_stride + i] = in[i * in_stride + j], i in [0, rows), j in [0,
/// cols).
struct TransposedCopy {
  const float* in;
  Index in_stride;
  Index rows, cols;
  float* out;
  Index out_stride;
};

/// A batch normalisation that is applied while numbers are packed: a number x of channel c becomes
/// (x - mean[c]) scale[c] + shift[c], then max(that, 0) if `relu`. So the convolution of relu(bn(x)) reads x
/// and multiplies normalised numbers that were never in memory: mean and shift are bn's mean and beta, scale
/// is its gamma / sqrt(var + eps). Where mean is null, x stays as it is.
struct ChannelAffine {
  const float* mean = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;
  bool relu = false;

  explicit operator bool() const { return mean != nullptr; }
  /// That of the channels from `channel` on.
  ChannelAffine from(Index channel) const {
    if (mean == nullptr) return *this;
    return {mean + channel, scale + channel, shift + channel, relu};
  }
};

/// A matrix {rows, cols} cut into panels of columns: out[(p * rows + i) * width + j] = in[i * stride + p *
/// step + j], read through `affine`, for j in [0, width), zero where that column is beyond cols. Width is 16
/// or 32; it may exceed step.
struct PackPanels {
  const float* in;
  Index stride;
  Index rows, cols;
  Index panels, step, width;
  float* out;
  ChannelAffine affine = {};  // of the first column
};

/// out[i * out_stride + j] = affine(in[i * in_stride + j]), i in [0, rows), j in [0, cols), and 0 from cols
/// up to the next multiple of kLanes.
struct AffineRows {
  const float* in;
  Index in_stride;
  Index rows, cols;
  ChannelAffine affine;
  float* out;
  Index out_stride;
};

/// Memory that the calls after this one will read. A kernel brings it to the L2 cache, a little with each
/// tile: what it costs to wait for memory is hidden behind the multiplications.
struct Ahead {
  const float* at = nullptr;
  Index size = 0;
};

/// C {rows, cols} = or += A {rows, depth} B {depth, cols}. B lies in panels of at most Kernels::panel
/// columns, each {depth, width of the panel} with width 16 or 32. A is read in place, or from panels {depth,
/// kGemmRows} of rows.
struct GemmBlock {
  const float* a;
  Index a_stride;
  bool a_packed;
  const float* b;
  float* c;
  Index c_stride;
  Index rows, cols, depth;
  bool accumulate;
  Ahead next;
};
/// Rows of a packed panel of A; the lanes beyond are not read.
inline constexpr Index kGemmRows = 12;

/// One image, or a strip of its rows, copied from channels-last to blocks {block, row, phase, column, kLanes}
/// and surrounded by zeros. Packed row i holds image row `row0 + i / row_run * row_stride + i % row_run`;
/// column j of phase f holds image column `col0 + j * phase_stride + f`. So the input pixels of neighbouring
/// outputs of a strided convolution are neighbours.
struct PackImage {
  const float* in;             // {height, width, channels of the tensor}, at the first channel wanted
  Index height, width, pixel;  // pixel: floats from one pixel to the next
  Index channels;
  Index row0, row_run, row_stride, rows;
  Index col0, phases, phase_stride, cols;
  ChannelAffine affine;  // of the first channel wanted
  float* out;
  Index out_block;  // floats from one block to the next
};

/// y[row, col, lane] = sum over blocks, taps and channels of x[pixel of (row, col) + tap, channel] * w, for
/// one panel of output channels. With depthwise kernels the panel is a block of kLanes channels and x's lane
/// = y's lane.
struct TapConv {
  const float* x;        // packed image: the pixel of output (0, 0) at offset 0
  Index x_row, x_block;  // floats from one output row, one block, to the next; columns are kLanes apart
  Index channels;        // to sum over
  const Index* tap;      // offsets in floats
  Index taps;
  const float* w;  // {block, tap, channel of the block, width}; depthwise: {tap, kLanes}
  float* y;
  Index y_row, y_pixel;  // floats from one output row, column, to the next
  Index rows, cols;
  Index lanes;  // output channels of this panel, 1..panel; width = lanes rounded up to 16
  Ahead next;
};

/// dw[block, tap, channel, lane] += sum over images, rows, cols of x[...] * dy: the weight gradient of
/// TapConv, with the same layout of weights.
struct TapWeightGrad {
  const float* x;
  Index x_image, x_row, x_block;
  Index channels;
  const Index* tap;
  Index taps;
  const float* dy;  // {block, pixel, kLanes}: packed without a border
  Index dy_image, dy_block;
  Index images, rows, cols;
  float* dw;
  Index lanes;
  Ahead next_x, next_dy;
};

/// The functions of one instruction set.
struct Kernels {
  Index panel;  // lanes of a full panel: 32 or 16
  void (*pack_panels)(const PackPanels&);
  void (*transpose)(const TransposedCopy&);
  void (*affine_rows)(const AffineRows&);
  void (*gemm)(const GemmBlock&);
  void (*pack_image)(const PackImage&);
  void (*conv)(const TapConv&);
  void (*conv_weight_grad)(const TapWeightGrad&);
  void (*depthwise)(const TapConv&);
  void (*depthwise_weight_grad)(const TapWeightGrad&);
  double (*multiply_add_chains)(Index steps);  // core/cpu/conv/peak_kernel.h
};

/// Those of the instruction set in use. Errors as chosen_instruction_set() at the first call.
const Kernels& kernels();

/// How `channels` fall into panels of at most `panel` lanes: full ones, then one of 16 or 32.
struct Panels {
  Index channels, panel;

  Index count() const { return (channels + panel - 1) / panel; }
  Index lanes(Index i) const { return channels - i * panel < panel ? channels - i * panel : panel; }
  Index width(Index i) const { return (lanes(i) + kLanes - 1) / kLanes * kLanes; }
  /// Sum of all widths; panel i begins at lane i * panel.
  Index total() const { return (channels + kLanes - 1) / kLanes * kLanes; }
};

}  // namespace basin::cpu
