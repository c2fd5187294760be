// The parts of Winograd's convolution that are compiled once per instruction set. A tile of outputs x outputs
// pixels becomes points x points numbers (points = outputs + 2), point by point independent of each other:
//   y = A^T [ sum over channels (G w G^T) (B^T x B) ] A        dw = G^T [ sum over tiles (A dy A^T) (B^T x B)
//   ] G
// with elementwise products. The matrices are in winograd_points.h. Transformed tiles lie as {point, block of
// kLanes channels, tile, kLanes}, transformed weights as {point, panel, channel, width of the panel}.
#pragma once

#include "core/cpu/conv/kernels.h"

namespace basin::cpu {

/// v = B^T x B (`input`) or A x A^T (`output_grad`) of down x across tiles of one image, which begin
/// `outputs` pixels apart.
struct WinogradSource {
  const float* x;                 // packed: {block, row, column, kLanes}; `output_grad` takes any
  Index x_row, x_block, x_pixel;  // floats from one row, block of kLanes channels, column to the next
  Index down, across, blocks;
  float* v;  // the first tile's
  Index v_point, v_block;
};

/// m[point, tile, k] = sum over channels of v[point, tile, c] u[point, c, k].
struct WinogradProduct {
  const float* v;
  Index v_point, v_block;
  const float* u;
  Index u_point;
  float* m;
  Index m_point, m_block;
  Index points, tiles, channels;
  Panels panels;  // of the targets k; m is written in whole blocks
  Ahead next;     // to be read
  Ahead target;   // to be written
};

/// y = A^T m A of down x across tiles of one image, clipped to rows x cols pixels.
struct WinogradTarget {
  const float* m;  // the first tile's
  Index m_point, m_block;
  Index down, across;
  float* y;
  Index y_row, y_pixel;
  Index rows, cols, channels;
};

/// s[point, c, k] = or += sum over tiles of v[point, tile, c] d[point, tile, k]; the sum over the tiles is
/// formed first.
struct WinogradSums {
  const float* v;
  Index v_point, v_block;
  const float* d;
  Index d_point, d_block;
  float* s;
  Index s_point;
  Index points, tiles, channels;
  Panels panels;
  bool accumulate;
  Ahead next_x, next_dy;
};

/// u = G w G^T of kLanes targets and `channels` sources.
struct WinogradWeights {
  const float* w;  // {9, channels, kLanes}
  Index channels;
  float* u;
  Index u_point, u_channel;
};

/// dw = G^T s G of `lanes` targets and `channels` sources, after the addition of `sums` partial sums.
struct WinogradWeightGrad {
  const float* s;
  Index s_point, s_channel, s_sum;
  Index sums, channels, lanes;
  float* dw;
  Index dw_tap, dw_channel;
};

/// The transforms of one size of tile.
struct WinogradTile {
  Index outputs, points;  // along one side
  void (*input)(const WinogradSource&);
  void (*output_grad)(const WinogradSource&);
  void (*output)(const WinogradTarget&);
  void (*weights)(const WinogradWeights&);
  void (*weight_grad)(const WinogradWeightGrad&);

  Index all_points() const { return points * points; }
};

struct WinogradKernels {
  WinogradTile two, four;
  void (*product)(const WinogradProduct&);
  void (*sums)(const WinogradSums&);
};

/// Those of the instruction set in use.
const WinogradKernels& winograd_kernels();

}  // namespace basin::cpu
