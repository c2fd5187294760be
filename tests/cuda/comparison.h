// What the tests of the CUDA backend share: tensors on the card, and all dtypes.
#pragma once

#include <algorithm>

#include "core/ops.h"
#include "tests/core/tensor_testing.h"
#include "tests/cuda/device.h"
#include "tests/cuda/schedules.h"

namespace cuda_testing {

using namespace tensor_testing;
using basin::testing::cuda_device;
using basin::testing::every_schedule;

inline constexpr Dtype kActivations[] = {Dtype::f32, Dtype::f64, Dtype::bf16};
inline constexpr Dtype kAllDtypes[] = {Dtype::f32, Dtype::f64, Dtype::bf16, Dtype::i64, Dtype::u8};

inline Backend& card() { return backend(cuda_device()); }
inline Tensor there(const Tensor& x) { return x.to(cuda_device()); }
inline Tensor here(const Tensor& x) { return x.to(Device{}); }
inline Tensor empty_there(const Shape& shape, Dtype dtype) {
  return Tensor::empty(shape, dtype, cuda_device());
}

/// A copy on the card that begins one number behind an aligned address.
inline Tensor unaligned(const Tensor& x) {
  Tensor t = empty_there({x.elements() + 1}, x.dtype()).view(1, x.shape());
  t.copy_from(x);
  return t;
}

/// largest_error() of a tensor on the card.
inline double error_there(const Tensor& got, const Values& want) { return largest_error(here(got), want); }

/// |x - y| / |y| of tensors on the host.
inline double distance(const Tensor& x, const Tensor& y) {
  return norm(x - y) / std::max(norm(y).value(), 1e-30);
}

/// Rounding of a few operations; of one, after them, in bf16.
inline double rounding(Dtype dtype) { return dtype == Dtype::bf16 ? 0.004 : tolerance(dtype); }

/// 0, 1, 2, ... as any dtype.
inline Tensor counting(const Shape& shape, Dtype dtype) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i % 251);
  return Tensor::from(values, shape).to(dtype);
}

}  // namespace cuda_testing
