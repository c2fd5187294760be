// What the tests of convolutions on a card share: geometries, a convolution's three passes on the CPU and on
// the card, and how far they may be apart.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "core/backend.h"
#include "tests/core/tensor_testing.h"
#include "tests/cuda/device.h"

namespace basin::testing {

inline ConvGeometry geometry(Index batch, Index h, Index w, Index in, Index out, Index kernel_h,
                             Index kernel_w, const ConvOptions& o = {}) {
  return conv_geometry({batch, h, w, in}, {kernel_h, kernel_w, in / o.groups, out}, o);
}

/// Odd extents, filters that are not square, channels that differ.
inline std::vector<ConvGeometry> geometries() {
  return {geometry(2, 8, 8, 16, 32, 3, 3, {.pad_h = 1, .pad_w = 1}),
          geometry(3, 7, 9, 5, 6, 3, 2, {.pad_h = 1}),
          geometry(2, 9, 7, 3, 8, 3, 3, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}),
          geometry(2, 9, 11, 4, 3, 2, 4, {.stride_h = 3, .stride_w = 1, .pad_h = 0, .pad_w = 2}),
          geometry(2, 8, 8, 8, 16, 1, 1, {.stride_h = 2, .stride_w = 2}),
          geometry(5, 6, 6, 7, 9, 1, 1),
          geometry(1, 1, 1, 1, 1, 1, 1),
          geometry(1, 2, 3, 2, 3, 5, 5, {.pad_h = 2, .pad_w = 2}),
          geometry(1, 4, 4, 2, 3, 1, 1, {.stride_h = 3, .stride_w = 3, .pad_h = 1, .pad_w = 1}),
          geometry(2, 12, 12, 3, 4, 7, 7, {.stride_h = 2, .stride_w = 2, .pad_h = 3, .pad_w = 3}),
          geometry(2, 6, 5, 8, 12, 3, 3, {.pad_h = 1, .pad_w = 1, .groups = 4}),
          geometry(2, 6, 5, 6, 6, 3, 3, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1, .groups = 6}),
          geometry(2, 5, 5, 3, 6, 3, 3, {.pad_h = 1, .pad_w = 1, .groups = 3})};
}

struct Passes {
  Tensor y, dx, dw;
};

/// The operands of one convolution in the dtypes that a card is given them: w has the parameters' dtype.
struct Operands {
  Operands(const ConvGeometry& g, Dtype dtype)
      : geometry(g),
        x(tensor_testing::random(g.x_shape(), Dtype::f64, 1).to(dtype)),
        w(tensor_testing::random(g.w_shape(), Dtype::f64, 2).to(compute_dtype(dtype))),
        dy(tensor_testing::random(g.y_shape(), Dtype::f64, 3).to(dtype)) {}

  /// All three by a device's backend, brought to the host.
  Passes on(Device device) const {
    const Tensor there_x = x.to(device), there_w = w.to(device), there_dy = dy.to(device);
    Tensor y = Tensor::empty(geometry.y_shape(), x.dtype(), device);
    Tensor dx = Tensor::empty(geometry.x_shape(), x.dtype(), device);
    Tensor dw = Tensor::empty(geometry.w_shape(), w.dtype(), device);
    Backend& b = backend(device);
    b.conv2d({geometry}, there_x, there_w, y);
    b.conv2d_input_grad(geometry, there_dy, there_w, dx);
    b.conv2d_weight_grad({geometry}, there_x, there_dy, dw);
    return {y.to(Device{}), dx.to(Device{}), dw.to(Device{})};
  }

  /// The same by the CPU in f64, of the numbers that the card computes with: in bf16 w is rounded first.
  Passes exact() const {
    Operands o = *this;
    o.x = x.to(Dtype::f64);
    o.dy = dy.to(Dtype::f64);
    o.w = (x.dtype() == Dtype::bf16 ? w.to(Dtype::bf16) : w).to(Dtype::f64);
    return o.on(Device{});
  }

  ConvGeometry geometry;
  Tensor x, w, dy;
};

/// ||got - want|| / ||want||; infinity where got is not finite.
inline double distance(const Tensor& got, const Tensor& want) {
  const std::vector<double> g = got.to_vector<double>(), w = want.to_vector<double>();
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    difference += (g[i] - w[i]) * (g[i] - w[i]);
    norm += w[i] * w[i];
  }
  return std::isfinite(difference) ? std::sqrt(difference) / (std::sqrt(norm) + 1e-30) : INFINITY;
}

inline double allowed(Dtype dtype) { return dtype == Dtype::f64 ? 1e-13 : dtype == Dtype::f32 ? 5e-6 : 4e-3; }

inline void check_alike(const Passes& got, const Passes& want, double most) {
  CHECK(distance(got.y, want.y) < most);
  CHECK(distance(got.dx, want.dx) < most);
  CHECK(distance(got.dw, want.dw) < most);
}

}  // namespace basin::testing
