// CpuBackend: fill, cast and the elementwise operations.
#include "core/cpu/backend.h"
#include "core/cpu/loops/broadcast.h"
#include "core/functors/convert.h"

namespace basin::cpu {
namespace {

using functors::convert;

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
