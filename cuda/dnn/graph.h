// Convolutions as graphs of cuDNN: what is convolved with what, in which numbers and in which layouts.
#pragma once

#include <array>
#include <cstdint>

#include "core/conv_geometry.h"
#include "core/dtype.h"
#include "cuda/dnn/descriptor.h"

namespace basin::cuda::dnn {

enum class Pass { forward, input_grad, weight_grad };
/// "forward", "input gradient", "weight gradient".
const char* name_of(Pass pass);

/// Extents and strides of a tensor in cuDNN's order of axes: x and y {N, C, H, W}, w {K, C/groups, R, S}.
/// However the axes are named, memory is channels-last: the second of them has stride 1.
struct Layout {
  std::array<std::int64_t, 4> extents{}, strides{};
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
};
/// Packed, the second axis innermost: for x and y {N,H,W,C}, for w KRSC, {K,R,S,C/groups}.
Layout channels_last(const std::array<std::int64_t, 4>& extents, cudnnDataType_t type);

cudnnDataType_t type_of(Dtype dtype);  // Errors: InternalError for a dtype that nothing is convolved in

/// One of the three passes of y = conv2d(x, w). In an input gradient x is where the gradient goes, in a
/// weight gradient w is.
struct Convolution {
  Pass pass = Pass::forward;
  Layout x, w, y;
  std::array<std::int64_t, 2> pads{}, strides{1, 1};
};

/// Of tensors as Basin has them, with x and y of dtype `activations` and w of dtype `weights`, packed KRSC.
Convolution convolution(const ConvGeometry& g, Pass pass, Dtype activations, Dtype weights);

/// The names by which a graph's tensors are given their memory (Plan::execute).
constexpr std::int64_t kX = 1, kW = 2, kY = 3;

/// The graph, checked by cuDNN. All types are one, but that a weight gradient in bf16 may be f32. Errors:
/// Refusal for a w that is not KRSC, for cuDNN would take any strides and read the numbers as KRSC all the
/// same; for an x or y that is not channels-last, which it would turn round in hidden memory; for extents and
/// types that do not belong together.
Descriptor graph_of(const Convolution& c, cudnnHandle_t handle);

}  // namespace basin::cuda::dnn
