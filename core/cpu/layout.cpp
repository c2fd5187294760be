// CpuBackend: permute and copy_block. Both move bytes, so the element type matters by its size only.
#include <array>
#include <cstring>

#include "core/cpu/backend.h"
#include "core/parallel.h"

namespace basin::cpu {

void CpuBackend::permute(const Tensor& x, const Axes& perm, Tensor& out) {
  const auto from = contiguous_strides(x.shape());
  std::array<Index, Shape::kMaxRank> stride{};
  const Shape& s = out.shape();
  for (int i = 0; i < s.rank(); ++i)
    stride[static_cast<std::size_t>(i)] = from[static_cast<std::size_t>(perm[static_cast<std::size_t>(i)])];
  dispatch_all(x.dtype(), [&]<class T>(T) {
    const T* px = x.data<T>();
    T* y = out.mutable_data<T>();
    for (Index flat = 0; flat < out.elements(); ++flat) {
      Index rest = flat, at = 0;
      for (int i = s.rank() - 1; i >= 0; --i) {
        at += rest % s[i] * stride[static_cast<std::size_t>(i)];
        rest /= s[i];
      }
      y[flat] = px[at];
    }
  });
}

void CpuBackend::copy_block(const Tensor& x, const Shape& from, Tensor& out, const Shape& to,
                            const Shape& extent) {
  const Index count = extent.elements();
  if (count == 0) return;
  const auto xs = contiguous_strides(x.shape()), ys = contiguous_strides(out.shape());
  const std::size_t size = size_of(x.dtype());
  const Index run = extent.rank() == 0 ? 1 : extent[extent.rank() - 1];
  const std::byte* px = x.raw();
  std::byte* py = out.mutable_raw();
  for (Index row = 0; row < count / run; ++row) {
    Index rest = row, at = 0, put = 0;
    for (int i = extent.rank() - 1; i >= 0; --i) {
      const std::size_t k = static_cast<std::size_t>(i);
      Index coordinate = 0;
      if (i + 1 < extent.rank()) {
        coordinate = rest % extent[i];
        rest /= extent[i];
      }
      at += (coordinate + from[i]) * xs[k];
      put += (coordinate + to[i]) * ys[k];
    }
    std::memcpy(py + static_cast<std::size_t>(put) * size, px + static_cast<std::size_t>(at) * size,
                static_cast<std::size_t>(run) * size);
  }
}

}  // namespace basin::cpu
