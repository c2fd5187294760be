// The geometry of a convolution or pooling window, checked once and shared by all backends.
#pragma once

#include "core/shape.h"

namespace basin {

/// Strides, zero padding and groups of a convolution. All in pixels.
struct ConvOptions {
  Index stride_h = 1, stride_w = 1;
  Index pad_h = 0, pad_w = 0;
  Index groups = 1;
};

/// y[n,oh,ow,k] = sum_{r,s,c} x[n, oh*stride_h - pad_h + r, ow*stride_w - pad_w + s, c] * w[r,s,c,k],
/// x {batch,in_h,in_w,in_c}, w {kernel_h,kernel_w,in_c/groups,out_c}, y {batch,out_h,out_w,out_c}; group g
/// joins input channels [g*in_c/groups, ...) with output channels [g*out_c/groups, ...).
struct ConvGeometry {
  Index batch = 0, in_h = 0, in_w = 0, in_c = 0;
  Index kernel_h = 1, kernel_w = 1;
  Index stride_h = 1, stride_w = 1;
  Index pad_h = 0, pad_w = 0;
  Index groups = 1;
  Index out_h = 0, out_w = 0, out_c = 0;

  Shape x_shape() const { return {batch, in_h, in_w, in_c}; }
  Shape w_shape() const { return {kernel_h, kernel_w, in_c / groups, out_c}; }
  Shape y_shape() const { return {batch, out_h, out_w, out_c}; }
};

}  // namespace basin
