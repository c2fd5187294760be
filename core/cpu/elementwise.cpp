// CpuBackend: fill, cast and the elementwise operations.
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/cpu/backend.h"
#include "core/cpu/loops/broadcast.h"

namespace basin::cpu {
namespace {

/// x as To. To an integer type: cut towards zero, clamped to its range, NaN to 0. From and to bf16 by f32.
template <class To, class From>
To convert(From x) {
  using Limits = std::numeric_limits<To>;
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_same_v<From, bfloat16>) {
    return convert<To>(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, bfloat16>) {
    return bfloat16(static_cast<float>(x));
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    if (!(x == x)) return 0;
    // 2^63 is the least double above every i64; below it the cut number fits.
    if (x >= std::ldexp(From(1), Limits::digits)) return Limits::max();
    return x <= static_cast<From>(Limits::min()) ? Limits::min() : static_cast<To>(x);
  } else if constexpr (std::is_same_v<To, std::uint8_t>) {
    return static_cast<To>(std::clamp<From>(x, 0, 255));
  } else {
    return static_cast<To>(x);
  }
}

/// A task's place for the numbers of operand `slot`.
template <class T>
T* scratch(int slot) {
  return static_cast<T*>(thread_scratch(slot, kElementwiseTask * sizeof(T)));
}

}  // namespace

void CpuBackend::fill(Tensor& out, double value) {
  dispatch_all(out.dtype(), [&]<class T>(T) {
    T* y = out.mutable_data<T>();
    const T v = convert<T>(value);
    for_ranges(out.elements(), [&](Index begin, Index end) { std::fill(y + begin, y + end, v); });
  });
}

void CpuBackend::cast(const Tensor& x, Tensor& out) {
  dispatch_all(x.dtype(), [&]<class From>(From) {
    dispatch_all(out.dtype(), [&]<class To>(To) {
      const From* from = x.data<From>();
      To* to = out.mutable_data<To>();
      for_ranges(x.elements(), [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) to[i] = convert<To>(from[i]);
      });
    });
  });
}

void CpuBackend::unary(UnaryOp op, const Tensor& x, double a, double b, Tensor& out) {
  if (op == UnaryOp::copy) {
    dispatch_all(out.dtype(), [&]<class T>(T) {
      const Broadcast<T> from(x, out.shape());
      T* y = out.mutable_data<T>();
      for_ranges(out.elements(), [&](Index begin, Index end) { from.expand(begin, end - begin, y + begin); });
    });
    return;
  }
  dispatch_floating(out.dtype(), "unary", [&]<class T>(T) {
    const Broadcast<T> from(x, out.shape());
    T* y = out.mutable_data<T>();
    for_ranges(out.elements(), [&, &loop = loops<T>().unary](Index begin, Index end) {
      loop(op, a, b, from.numbers(begin, end - begin, scratch<T>(0)), y + begin, end - begin);
    });
  });
}

void CpuBackend::binary(BinaryOp op, const Tensor& x, const Tensor& z, Tensor& out) {
  dispatch_floating(out.dtype(), "binary", [&]<class T>(T) {
    const Broadcast<T> px(x, out.shape()), pz(z, out.shape());
    T* y = out.mutable_data<T>();
    for_ranges(out.elements(), [&, &loop = loops<T>().binary](Index begin, Index end) {
      const Index n = end - begin;
      const Stream<T> left = px.stream(begin, n, scratch<T>(0));
      const bool both = px.is_pattern() && pz.is_pattern();
      const Stream<T> right =
          both ? Stream<T>{pz.numbers(begin, n, scratch<T>(1))} : pz.stream(begin, n, scratch<T>(1));
      loop(op, left, right, y + begin, n);
    });
  });
}

void CpuBackend::where(const Tensor& condition, const Tensor& x, const Tensor& z, Tensor& out) {
  dispatch_floating(out.dtype(), "where", [&]<class T>(T) {
    const Broadcast<T> pc(condition, out.shape()), px(x, out.shape()), pz(z, out.shape());
    T* y = out.mutable_data<T>();
    for_ranges(out.elements(), [&, &loop = loops<T>().where](Index begin, Index end) {
      const Index n = end - begin;
      loop(pc.numbers(begin, n, scratch<T>(0)), px.numbers(begin, n, scratch<T>(1)),
           pz.numbers(begin, n, scratch<T>(2)), y + begin, n);
    });
  });
}

}  // namespace basin::cpu
