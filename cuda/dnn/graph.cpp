#include "cuda/dnn/graph.h"

#include <string>

namespace basin::cuda::dnn {
namespace {

std::string shown(const std::array<std::int64_t, 4>& a) {
  return text('{', a[0], ',', a[1], ',', a[2], ',', a[3], '}');
}

void expect_channels_last(const Layout& t, Pass pass, const char* name, const char* form) {
  const Layout wanted = channels_last(t.extents, t.type);
  if (t.strides == wanted.strides) return;
  throw Refusal("[cuda] cuDNN, ", name_of(pass), ": ", name, ' ', shown(t.extents), " has strides ",
                shown(t.strides), ", expects ", form, ", which are ", shown(wanted.strides));
}

// The device's blocks begin at multiples of 256, so that 16 always holds.
Descriptor tensor(std::int64_t id, const Layout& t) {
  Descriptor d(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  d.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
      .set(CUDNN_ATTR_TENSOR_DATA_TYPE, t.type)
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, t.extents)
      .set(CUDNN_ATTR_TENSOR_STRIDES, t.strides)
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t{16});
  return d.finish("a tensor");
}

cudnnDataType_t sums_of(const Layout& t) {
  return t.type == CUDNN_DATA_DOUBLE ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT;
}

Descriptor window(const Convolution& c) {
  Descriptor d(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  d.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, sums_of(c.x))
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2})
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, c.pads)
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, c.pads)
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, c.strides)
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, std::array<std::int64_t, 2>{1, 1});
  return d.finish("a window");
}

// cuDNN names the attributes of the three passes apart.
struct Attributes {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t window, x, w, y, alpha, beta;
};

const Attributes& attributes_of(Pass pass) {
  static const Attributes forward{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
  static const Attributes input{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                                CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
  static const Attributes weight{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
  return pass == Pass::forward ? forward : pass == Pass::input_grad ? input : weight;
}

Descriptor operation(const Convolution& c) {
  const Attributes& a = attributes_of(c.pass);
  Descriptor d(a.operation);
  d.set(a.window, window(c)).set(a.x, tensor(kX, c.x)).set(a.w, tensor(kW, c.w)).set(a.y, tensor(kY, c.y));
  if (sums_of(c.x) == CUDNN_DATA_DOUBLE)
    d.set(a.alpha, 1.0).set(a.beta, 0.0);
  else
    d.set(a.alpha, 1.0F).set(a.beta, 0.0F);
  return d.finish(name_of(c.pass));
}

}  // namespace

const char* name_of(Pass pass) {
  return pass == Pass::forward ? "forward" : pass == Pass::input_grad ? "input gradient" : "weight gradient";
}

Layout channels_last(const std::array<std::int64_t, 4>& e, cudnnDataType_t type) {
  return {e, {e[1] * e[2] * e[3], 1, e[1] * e[3], e[1]}, type};
}

cudnnDataType_t type_of(Dtype dtype) {
  if (dtype == Dtype::f32) return CUDNN_DATA_FLOAT;
  if (dtype == Dtype::f64) return CUDNN_DATA_DOUBLE;
  if (dtype == Dtype::bf16) return CUDNN_DATA_BFLOAT16;
  throw InternalError("[cuda] nothing is convolved in ", dtype);
}

Convolution convolution(const ConvGeometry& g, Pass pass, Dtype activations, Dtype weights) {
  return {.pass = pass,
          .x = channels_last({g.batch, g.in_c, g.in_h, g.in_w}, type_of(activations)),
          .w = channels_last({g.out_c, g.in_c / g.groups, g.kernel_h, g.kernel_w}, type_of(weights)),
          .y = channels_last({g.batch, g.out_c, g.out_h, g.out_w}, type_of(activations)),
          .pads = {g.pad_h, g.pad_w},
          .strides = {g.stride_h, g.stride_w}};
}

Descriptor graph_of(const Convolution& c, cudnnHandle_t handle) {
  expect_channels_last(c.w, c.pass, "w", "those of KRSC");
  expect_channels_last(c.x, c.pass, "x", "those of {N,H,W,C}");
  expect_channels_last(c.y, c.pass, "y", "those of {N,H,W,C}");
  const bool f32_of_bf16 =
      c.pass == Pass::weight_grad && c.w.type == CUDNN_DATA_FLOAT && c.x.type == CUDNN_DATA_BFLOAT16;
  if (c.x.type != c.y.type || (c.w.type != c.x.type && !f32_of_bf16))
    throw Refusal("[cuda] cuDNN, ", name_of(c.pass), ": x, w and y are of different types");
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation(c)).set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle);
  return graph.finish(name_of(c.pass));
}

}  // namespace basin::cuda::dnn
