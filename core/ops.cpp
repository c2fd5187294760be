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
  switch (op) {
    case UnaryOp::copy:
      return "copy";
    case UnaryOp::neg:
      return "neg";
    case UnaryOp::abs:
      return "abs";
    case UnaryOp::sign:
      return "sign";
    case UnaryOp::exp:
      return "exp";
    case UnaryOp::log:
      return "log";
    case UnaryOp::sqrt:
      return "sqrt";
    case UnaryOp::rsqrt:
      return "rsqrt";
    case UnaryOp::reciprocal:
      return "reciprocal";
    case UnaryOp::square:
      return "square";
    case UnaryOp::tanh:
      return "tanh";
    case UnaryOp::sigmoid:
      return "sigmoid";
    case UnaryOp::relu:
      return "relu";
    case UnaryOp::step:
      return "step";
    case UnaryOp::leaky_relu:
      return "leaky_relu";
    case UnaryOp::leaky_step:
      return "leaky_step";
    case UnaryOp::erf:
      return "erf";
    case UnaryOp::gelu:
      return "gelu";
    case UnaryOp::gelu_tanh:
      return "gelu_tanh";
    case UnaryOp::silu:
      return "silu";
    case UnaryOp::add_scalar:
      return "add_scalar";
    case UnaryOp::mul_scalar:
      return "mul_scalar";
    case UnaryOp::pow_scalar:
      return "pow_scalar";
    case UnaryOp::clamp:
      return "clamp";
    case UnaryOp::clamp_mask:
      return "clamp_mask";
    case UnaryOp::count_:
      break;
  }
  return "?";
}

const char* name_of(BinaryOp op) {
  switch (op) {
    case BinaryOp::add:
      return "add";
    case BinaryOp::sub:
      return "sub";
    case BinaryOp::mul:
      return "mul";
    case BinaryOp::div:
      return "div";
    case BinaryOp::pow:
      return "pow";
    case BinaryOp::maximum:
      return "maximum";
    case BinaryOp::minimum:
      return "minimum";
    case BinaryOp::greater:
      return "greater";
    case BinaryOp::greater_equal:
      return "greater_equal";
    case BinaryOp::equal:
      return "equal";
    case BinaryOp::tanh_grad:
      return "tanh_grad";
    case BinaryOp::sigmoid_grad:
      return "sigmoid_grad";
    case BinaryOp::relu_grad:
      return "relu_grad";
    case BinaryOp::gelu_grad:
      return "gelu_grad";
    case BinaryOp::gelu_tanh_grad:
      return "gelu_tanh_grad";
    case BinaryOp::silu_grad:
      return "silu_grad";
    case BinaryOp::count_:
      break;
  }
  return "?";
}

const char* name_of(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return "sum";
    case ReduceOp::max:
      return "max";
    case ReduceOp::min:
      return "min";
    case ReduceOp::count_:
      break;
  }
  return "?";
}

Tensor unary(UnaryOp op, const Tensor& x, double a, double b) {
  expect_operation("unary", op, UnaryOp::count_);
  expect_floating(name_of(op), x, "x");
  Tensor out = Tensor::empty(x.shape(), x.dtype(), x.device());
  if (out.elements() > 0) backend_of(x).unary(op, x, a, b, out);
  return out;
}

Tensor binary(BinaryOp op, const Tensor& x, const Tensor& z) {
  expect_operation("binary", op, BinaryOp::count_);
  expect_floating(name_of(op), x, "x");
  expect_alike(name_of(op), x, "x", z, "z");
  Tensor out = Tensor::empty(broadcast_shapes(x.shape(), z.shape(), name_of(op)), x.dtype(), x.device());
  if (out.elements() > 0) backend_of(x).binary(op, x, z, out);
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
  if (out.elements() > 0) backend_of(x).where(mask, x, z, out);
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
Tensor operator/(const Tensor& x, double a) { return x / Tensor::full({}, a, x.dtype(), x.device()); }
Tensor operator/(double a, const Tensor& x) { return Tensor::full({}, a, x.dtype(), x.device()) / x; }

Tensor reduce(ReduceOp op, const Tensor& x, const Axes& axes, bool keep) {
  expect_operation("reduce", op, ReduceOp::count_);
  const char* name = name_of(op);
  expect_floating(name, x, "x");
  const Axes sorted = sorted_axes(name, x, axes);
  if (sorted.empty()) return x.clone();  // a scalar
  Tensor out = Tensor::empty(reduced_shape(x.shape(), sorted, keep, name), x.dtype(), x.device());
  if (x.elements() == 0) {
    if (op != ReduceOp::sum && out.elements() > 0)
      throw ArgumentError("[", name, "] no elements to choose from along the reduced axes of shape ",
                          x.shape());
    out.fill(0);
    return out;
  }
  backend_of(x).reduce(op, x, sorted, out);
  return out;
}

Tensor argmax(const Tensor& x, int axis) {
  expect_defined("argmax", x, "x");
  const int a = x.shape().axis(axis, "argmax");
  Tensor out = Tensor::empty(reduced_shape(x.shape(), {a}, false, "argmax"), Dtype::i64, x.device());
  if (out.elements() == 0) return out;
  if (x.shape()[a] == 0)
    throw ArgumentError("[argmax] no elements to choose from along axis ", a, " of shape ", x.shape());
  backend_of(x).argmax(x, a, out);
  return out;
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  expect_defined("broadcast_to", x, "x");
  if (x.shape() == shape) return x;
  if (x.rank() > shape.rank() || broadcast_shapes(x.shape(), shape, "broadcast_to") != shape)
    throw ArgumentError("[broadcast_to] ", x.shape(), " does not stretch to ", shape);
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if (out.elements() > 0) backend_of(x).unary(UnaryOp::copy, x, 0, 0, out);
  return out;
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  expect_floating("sum_to", x, "x");
  if (x.shape() == shape) return x;
  if (shape.rank() > x.rank() || broadcast_shapes(shape, x.shape(), "sum_to") != x.shape())
    throw ArgumentError("[sum_to] ", x.shape(), " is not a broadcast of ", shape);
  const int shift = x.rank() - shape.rank();
  Axes axes;
  for (int i = 0; i < x.rank(); ++i)
    if (i < shift || (shape[i - shift] == 1 && x.shape()[i] != 1)) axes.push_back(i);
  return axes.empty() ? x.reshape(shape) : reduce(ReduceOp::sum, x, axes).reshape(shape);
}

}  // namespace basin
