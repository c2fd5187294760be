// The checks that tensor functions share; each throws an ArgumentError that begins with [op]. A helper on
// shapes.
#pragma once

#include "core/backend.h"

namespace basin::checks {

inline void expect_defined(const char* op, const Tensor& x, const char* what) {
  if (!x.defined()) throw ArgumentError("[", op, "] ", what, " is an undefined tensor");
}

/// Errors: bf16, where x's device does not compute in it.
inline void expect_computed(const char* op, const Tensor& x, const char* what) {
  if (x.dtype() == Dtype::bf16 && !backend(x.device()).computes(Dtype::bf16))
    throw ArgumentError("[", op, "] ", what, " is bf16, in which the ", x.device(),
                        " does not compute: use f32 there, or bf16 on cuda");
}

inline void expect_floating(const char* op, const Tensor& x, const char* what) {
  expect_defined(op, x, what);
  if (x.dtype() == Dtype::bf16) return expect_computed(op, x, what);
  if (!is_floating(x.dtype()))
    throw ArgumentError("[", op, "] ", what, " is ", x.dtype(), ", expects f32 or f64 (convert with to())");
}

/// Same dtype and device.
inline void expect_alike(const char* op, const Tensor& x, const char* x_name, const Tensor& z,
                         const char* z_name) {
  expect_defined(op, x, x_name);
  expect_defined(op, z, z_name);
  if (x.dtype() != z.dtype())
    throw ArgumentError("[", op, "] ", x_name, " is ", x.dtype(), " ", x.shape(), " but ", z_name, " is ",
                        z.dtype(), " ", z.shape(), ": convert one with to()");
  if (!(x.device() == z.device()))
    throw ArgumentError("[", op, "] ", x_name, " is on ", x.device(), " but ", z_name, " is on ", z.device());
}

/// z is on x's device, and of the dtype of x's parameters: x's own, f32 where x is bf16.
inline void expect_parameter(const char* op, const Tensor& x, const char* x_name, const Tensor& z,
                             const char* z_name) {
  expect_defined(op, z, z_name);
  if (x.dtype() != Dtype::bf16) return expect_alike(op, x, x_name, z, z_name);
  if (z.dtype() != Dtype::f32)
    throw ArgumentError("[", op, "] ", z_name, " is ", z.dtype(), " ", z.shape(), " beside ", x_name,
                        " bf16 ", x.shape(), ": parameters of bf16 are f32");
  if (!(x.device() == z.device()))
    throw ArgumentError("[", op, "] ", x_name, " is on ", x.device(), " but ", z_name, " is on ", z.device());
}

/// Alike, or bf16 beside f32. The dtype of the result: theirs, bf16 if one is.
inline Dtype expect_joinable(const char* op, const Tensor& x, const char* x_name, const Tensor& z,
                             const char* z_name) {
  expect_floating(op, x, x_name);
  expect_defined(op, z, z_name);
  if (x.dtype() == Dtype::f32 && z.dtype() == Dtype::bf16) {
    expect_floating(op, z, z_name);
    expect_parameter(op, z, z_name, x, x_name);
    return Dtype::bf16;
  }
  if (x.dtype() == Dtype::bf16 && z.dtype() == Dtype::f32)
    expect_parameter(op, x, x_name, z, z_name);
  else
    expect_alike(op, x, x_name, z, z_name);
  return x.dtype();
}

inline void expect_shape(const char* op, const Tensor& x, const char* what, const Shape& wanted) {
  if (x.shape() != wanted)
    throw ArgumentError("[", op, "] ", what, " has shape ", x.shape(), ", expects ", wanted);
}

/// An i64 index next to x, each entry in [0, extent). Entries are read on the host only: those on a device
/// are checked by its kernels, and the host hears of them when it next waits for the device.
inline void expect_index(const char* op, const Tensor& x, const Tensor& index, Index extent,
                         const char* what = "index") {
  expect_defined(op, index, what);
  if (index.dtype() != Dtype::i64)
    throw ArgumentError("[", op, "] ", what, " is ", index.dtype(), ", expects i64");
  if (!(x.device() == index.device()))
    throw ArgumentError("[", op, "] x is on ", x.device(), " but ", what, " is on ", index.device());
  if (!index.device().is_host()) return;
  const Index* entries = index.data<Index>();
  for (Index i = 0; i < index.elements(); ++i)
    if (entries[i] < 0 || entries[i] >= extent)
      throw ArgumentError("[", op, "] ", what, " ", entries[i], " at position ", i, " is outside [0, ",
                          extent, ")");
}

/// The leading axes of s, without the last `count`.
inline Shape leading(const Shape& s, int count) {
  Shape out;
  for (int i = 0; i + count < s.rank(); ++i) out.push_back(s[i]);
  return out;
}

}  // namespace basin::checks
