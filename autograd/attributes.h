// What an op is told besides its inputs: axes, strides, factors. No derivative reads it here (a vjp captures
// what it needs); it makes a history readable as a description of what was computed (nn/onnx/onnx.h).
#pragma once

#include <utility>
#include <variant>

#include "core/conv_geometry.h"
#include "core/tensor.h"

namespace basin {
namespace attribute {

/// clamp's interval [low, high].
struct Interval {
  double low, high;
};
/// slice: where the block begins and ends; pad: zeros before and after. Per axis.
struct Block {
  Shape first, second;
};
/// sum, max.
struct Reduction {
  Axes axes;  // all when empty
  bool keep;
};
/// matmul: which operands enter transposed.
struct Transposed {
  bool first, second;
};
/// avg_pool.
struct Averaging {
  ConvGeometry window;
  bool count_pad;
};
/// batch_norm_train, batch_norm_eval.
struct Normalisation {
  double eps;
  bool relu;   // max(. , 0) afterwards
  Tensor var;  // the given statistics; undefined if the batch's own
};
/// batch_norm_conv2d_train, batch_norm_conv2d_eval.
struct NormalisedConvolution {
  Normalisation norm;
  ConvGeometry conv;
};

}  // namespace attribute

/// monostate: nothing, or what the shapes show. double: the number of add_scalar, mul_scalar, pow,
/// leaky_relu, layer_norm's eps. Dtype: to. Axes: permute's axes; concat's one. ConvGeometry: conv2d and its
/// gradients, max_pool.
using Attributes =
    std::variant<std::monostate, double, Dtype, Axes, ConvGeometry, attribute::Interval, attribute::Block,
                 attribute::Reduction, attribute::Transposed, attribute::Averaging, attribute::Normalisation,
                 attribute::NormalisedConvolution>;

/// The name of an op, for errors and readers, and what it was told. A plain name converts.
struct Op {
  Op(const char* op_name) : name(op_name) {}
  template <class Told>
  Op(const char* op_name, Told&& told) : name(op_name), attributes(std::forward<Told>(told)) {}

  const char* name;
  Attributes attributes;
};

}  // namespace basin
