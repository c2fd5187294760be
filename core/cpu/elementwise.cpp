// CpuBackend: fill, cast and the elementwise operations.
#include <algorithm>
#include <array>

#include "core/cpu/backend.h"
#include "core/functors.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

constexpr Index kBlock = 4096;  // elements per task: small enough for 16-fold parallelism on a small layer

/// Calls body(begin, end) for fixed ranges that cover [0, n).
template <class Body>
void for_ranges(Index n, Body&& body) {
  parallel_for((n + kBlock - 1) / kBlock,
               [&](std::int64_t i, int) { body(i * kBlock, std::min(n, (i + 1) * kBlock)); });
}

/// Element strides of `s` seen through the broadcast to `out`: 0 along stretched axes.
std::array<Index, Shape::kMaxRank> broadcast_strides(const Shape& s, const Shape& out) {
  const auto own = contiguous_strides(s);
  std::array<Index, Shape::kMaxRank> strides{};
  const int shift = out.rank() - s.rank();
  for (int i = 0; i < s.rank(); ++i)
    strides[static_cast<std::size_t>(i + shift)] = s[i] == 1 ? 0 : own[static_cast<std::size_t>(i)];
  return strides;
}

/// Reads x, broadcast to `out`, at flat positions of out.
template <class T>
class Broadcast {
 public:
  Broadcast(const Tensor& x, const Shape& out)
      : data_(x.data<T>()),
        same_(x.shape().elements() == out.elements()),
        out_(out),
        strides_(broadcast_strides(x.shape(), out)) {}
  T operator[](Index flat) const {
    if (same_) return data_[flat];
    Index offset = 0;
    for (int i = out_.rank() - 1; i >= 0; --i) {
      offset += flat % out_[i] * strides_[static_cast<std::size_t>(i)];
      flat /= out_[i];
    }
    return data_[offset];
  }

 private:
  const T* data_;
  bool same_;
  Shape out_;
  std::array<Index, Shape::kMaxRank> strides_;
};

}  // namespace

void CpuBackend::fill(Tensor& out, double value) {
  dispatch_all(out.dtype(), [&]<class T>(T) {
    T* y = out.mutable_data<T>();
    const T v = static_cast<T>(value);
    for_ranges(out.elements(), [&](Index begin, Index end) { std::fill(y + begin, y + end, v); });
  });
}

void CpuBackend::cast(const Tensor& x, Tensor& out) {
  dispatch_all(x.dtype(), [&]<class From>(From) {
    dispatch_all(out.dtype(), [&]<class To>(To) {
      const From* from = x.data<From>();
      To* to = out.mutable_data<To>();
      for_ranges(x.elements(), [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) to[i] = static_cast<To>(from[i]);
      });
    });
  });
}

void CpuBackend::unary(UnaryOp op, const Tensor& x, double a, double b, Tensor& out) {
  if (op == UnaryOp::copy) {
    dispatch_all(out.dtype(), [&]<class T>(T) {
      const Broadcast<T> from(x, out.shape());
      T* y = out.mutable_data<T>();
      for_ranges(out.elements(), [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) y[i] = from[i];
      });
    });
    return;
  }
  dispatch_floating(out.dtype(), "unary", [&]<class T>(T) {
    const Broadcast<T> from(x, out.shape());
    T* y = out.mutable_data<T>();
    functors::with_unary(op, a, b, [&](auto f) {
      for_ranges(out.elements(), [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) y[i] = f(from[i]);
      });
    });
  });
}

void CpuBackend::binary(BinaryOp op, const Tensor& x, const Tensor& z, Tensor& out) {
  dispatch_floating(out.dtype(), "binary", [&]<class T>(T) {
    const Broadcast<T> px(x, out.shape()), pz(z, out.shape());
    T* y = out.mutable_data<T>();
    functors::with_binary(op, [&](auto f) {
      for_ranges(out.elements(), [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) y[i] = f(px[i], pz[i]);
      });
    });
  });
}

void CpuBackend::where(const Tensor& condition, const Tensor& x, const Tensor& z, Tensor& out) {
  dispatch_floating(out.dtype(), "where", [&]<class T>(T) {
    const Broadcast<T> pc(condition, out.shape()), px(x, out.shape()), pz(z, out.shape());
    T* y = out.mutable_data<T>();
    for_ranges(out.elements(), [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) y[i] = pc[i] != T(0) ? px[i] : pz[i];
    });
  });
}

}  // namespace basin::cpu
