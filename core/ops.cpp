// Tensor functions, one element or one axis at a time: names, elementwise, reductions, broadcasting.
#include "core/ops.h"

#include <algorithm>

#include "core/op_checks.h"

namespace basin {
namespace {

using namespace checks;

/// `op` is one of the enumeration's operations.
template <class Op>
void expect_operation(const char* kind, Op op, Op count) {
  if (op < Op{} || op >= count) throw InternalError("[", kind, "] no such operation: ", static_cast<int>(op));
}

/// Axes in [0, rank), sorted; all of them when none is given. Errors: an axis twice.
Axes sorted_axes(const char* op, const Tensor& x, const Axes& axes) {
  Axes sorted;
  if (axes.empty())
    for (int i = 0; i < x.rank(); ++i) sorted.push_back(i);
  for (int a : axes) sorted.push_back(x.shape().axis(a, op));
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    throw ArgumentError("[", op, "] axis ", *twice, " is given twice, shape ", x.shape());
  return sorted;
}

}  // namespace

const char* name_of(UnaryOp op) {
  const char* name = "?";
  functors::with_unary(op, 0, 0, [&](auto f) { name = f.name; });
  return name;
}

const char* name_of(BinaryOp op) {
  const char* name = "?";
  functors::with_binary(op, [&](auto f) { name = f.name; });
  return name;
}

const char* name_of(ReduceOp op) {
  const char* name = "?";
  functors::with_reduction(op, [&](auto f) { name = f.name; });
  return name;
}

Tensor unary(UnaryOp op, const Tensor& x, double a, double b) {
  expect_operation("unary", op, UnaryOp::count_);
  expect_floating(name_of(op), x, "x");
  Tensor out = Tensor::empty(x.shape(), x.dtype(), x.device());
  if (out.elements() > 0) backend_of(x, Work::elementwise)->unary(op, x, a, b, out);
  return out;
}

Tensor binary(BinaryOp op, const Tensor& x, const Tensor& z) {
  expect_operation("binary", op, BinaryOp::count_);
  const Dtype dtype = expect_joinable(name_of(op), x, "x", z, "z");
  Tensor out = Tensor::empty(broadcast_shapes(x.shape(), z.shape(), name_of(op)), dtype, x.device());
  if (out.elements() > 0) backend_of(x, Work::elementwise)->binary(op, x, z, out);
  return out;
}

Tensor where(const Tensor& condition, const Tensor& x, const Tensor& z) {
  expect_floating("where", x, "x");
  expect_alike("where", x, "x", z, "z");
  expect_defined("where", condition, "condition");
  if (condition.dtype() != x.dtype() && condition.dtype() != Dtype::u8)
    throw ArgumentError("[where] condition is ", condition.dtype(), ", expects ", x.dtype(), " or u8");
  const Tensor mask = condition.to(x.dtype());
  expect_alike("where", x, "x", mask, "condition");
  const Shape shape =
      broadcast_shapes(condition.shape(), broadcast_shapes(x.shape(), z.shape(), "where"), "where");
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if (out.elements() > 0) backend_of(x, Work::elementwise)->where(mask, x, z, out);
  return out;
}

Tensor operator+(const Tensor& x, const Tensor& z) { return binary(BinaryOp::add, x, z); }
Tensor operator-(const Tensor& x, const Tensor& z) { return binary(BinaryOp::sub, x, z); }
Tensor operator*(const Tensor& x, const Tensor& z) { return binary(BinaryOp::mul, x, z); }
Tensor operator/(const Tensor& x, const Tensor& z) { return binary(BinaryOp::div, x, z); }

Tensor operator-(const Tensor& x) { return unary(UnaryOp::neg, x); }
Tensor operator+(const Tensor& x, double a) { return unary(UnaryOp::add_scalar, x, a); }
Tensor operator+(double a, const Tensor& x) { return x + a; }
Tensor operator-(const Tensor& x, double a) { return x + -a; }
Tensor operator-(double a, const Tensor& x) { return -x + a; }
Tensor operator*(const Tensor& x, double a) { return unary(UnaryOp::mul_scalar, x, a); }
Tensor operator*(double a, const Tensor& x) { return x * a; }
namespace {

/// a beside x, not rounded to bf16.
Tensor scalar_beside(const Tensor& x, double a) {
  return Tensor::full({}, a, compute_dtype(x.dtype()), x.device());
}

}  // namespace

Tensor operator/(const Tensor& x, double a) { return x / scalar_beside(x, a); }
Tensor operator/(double a, const Tensor& x) { return scalar_beside(x, a) / x; }

namespace {

/// `dtype` is x's, or f32 where that is bf16.
Tensor reduced(ReduceOp op, const Tensor& x, const Axes& axes, bool keep, Dtype dtype) {
  expect_operation("reduce", op, ReduceOp::count_);
  const char* name = name_of(op);
  expect_floating(name, x, "x");
  const Axes sorted = sorted_axes(name, x, axes);
  if (sorted.empty()) return dtype == x.dtype() ? x.clone() : x.to(dtype);  // a scalar
  Tensor out = Tensor::empty(reduced_shape(x.shape(), sorted, keep, name), dtype, x.device());
  if (x.elements() == 0) {
    if (op != ReduceOp::sum && out.elements() > 0)
      throw ArgumentError("[", name, "] no elements to choose from along the reduced axes of shape ",
                          x.shape());
    out.fill(0);
    return out;
  }
  backend_of(x, Work::reduction)->reduce(op, x, sorted, out);
  return out;
}

}  // namespace

Tensor reduce(ReduceOp op, const Tensor& x, const Axes& axes, bool keep) {
  return reduced(op, x, axes, keep, x.dtype());
}

Tensor wide_sum(const Tensor& x, const Axes& axes, bool keep) {
  return reduced(ReduceOp::sum, x, axes, keep, compute_dtype(x.dtype()));
}

Tensor argmax(const Tensor& x, int axis) {
  expect_defined("argmax", x, "x");
  const int a = x.shape().axis(axis, "argmax");
  Tensor out = Tensor::empty(reduced_shape(x.shape(), {a}, false, "argmax"), Dtype::i64, x.device());
  if (out.elements() == 0) return out;
  if (x.shape()[a] == 0)
    throw ArgumentError("[argmax] no elements to choose from along axis ", a, " of shape ", x.shape());
  backend_of(x, Work::reduction)->argmax(x, a, out);
  return out;
}

Scalar count_correct(const Tensor& logits, const Tensor& labels) {
  if (logits.rank() != 2 || labels.dtype() != Dtype::i64 || labels.shape() != Shape{logits.size(0)})
    throw ArgumentError("[count_correct] expects logits {N,K} and labels i64 {N}, got ", logits.shape(),
                        " and ", labels.dtype(), " ", labels.shape());
  const Tensor best = argmax(logits);
  if (!best.device().is_host())
    return Scalar(sum(binary(BinaryOp::equal, best.to(Dtype::f64), labels.to(Dtype::f64))));
  std::int64_t correct = 0;
  for (Index i = 0; i < labels.elements(); ++i)
    correct += best.data<std::int64_t>()[i] == labels.data<std::int64_t>()[i];
  return correct;
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  expect_defined("broadcast_to", x, "x");
  if (x.shape() == shape) return x;
  if (x.rank() > shape.rank() || broadcast_shapes(x.shape(), shape, "broadcast_to") != shape)
    throw ArgumentError("[broadcast_to] ", x.shape(), " does not stretch to ", shape);
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if (out.elements() > 0) backend_of(x, Work::elementwise)->unary(UnaryOp::copy, x, 0, 0, out);
  return out;
}

Tensor sum_to(const Tensor& x, const Shape& shape) { return sum_to(x, shape, x.dtype()); }

Tensor sum_to(const Tensor& x, const Shape& shape, Dtype dtype) {
  expect_floating("sum_to", x, "x");
  if (dtype != x.dtype() && !(x.dtype() == Dtype::bf16 && dtype == Dtype::f32))
    throw ArgumentError("[sum_to] of ", x.dtype(), " gives ", x.dtype(), " and of bf16 f32 too, not ", dtype);
  if (x.shape() == shape) return x.to(dtype);
  if (shape.rank() > x.rank() || broadcast_shapes(shape, x.shape(), "sum_to") != x.shape())
    throw ArgumentError("[sum_to] ", x.shape(), " is not a broadcast of ", shape);
  const int shift = x.rank() - shape.rank();
  Axes axes;
  for (int i = 0; i < x.rank(); ++i)
    if (i < shift || (shape[i - shift] == 1 && x.shape()[i] != 1)) axes.push_back(i);
  return axes.empty() ? x.reshape(shape).to(dtype)
                      : reduced(ReduceOp::sum, x, axes, false, dtype).reshape(shape);
}

}  // namespace basin
