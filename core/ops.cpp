// Raw tensor functions: checks, allocation of results, calls of the backend.
#include "core/ops.h"

#include <algorithm>
#include <cmath>

namespace basin {
namespace {

void expect_defined(const char* op, const Tensor& x, const char* what) {
  if (!x.defined()) throw ArgumentError("[", op, "] ", what, " is an undefined tensor");
}

void expect_floating(const char* op, const Tensor& x, const char* what) {
  expect_defined(op, x, what);
  if (!is_floating(x.dtype()))
    throw ArgumentError("[", op, "] ", what, " is ", x.dtype(), ", expects f32 or f64 (convert with to())");
}

/// `op` is one of the enumeration's operations.
template <class Op>
void expect_operation(const char* kind, Op op, Op count) {
  if (op < Op{} || op >= count) throw InternalError("[", kind, "] no such operation: ", static_cast<int>(op));
}

/// Same dtype and device.
void expect_alike(const char* op, const Tensor& x, const char* x_name, const Tensor& z, const char* z_name) {
  expect_defined(op, x, x_name);
  expect_defined(op, z, z_name);
  if (x.dtype() != z.dtype())
    throw ArgumentError("[", op, "] ", x_name, " is ", x.dtype(), " ", x.shape(), " but ", z_name, " is ",
                        z.dtype(), " ", z.shape(), ": convert one with to()");
  if (!(x.device() == z.device()))
    throw ArgumentError("[", op, "] ", x_name, " is on ", x.device(), " but ", z_name, " is on ", z.device());
}

void expect_shape(const char* op, const Tensor& x, const char* what, const Shape& wanted) {
  if (x.shape() != wanted)
    throw ArgumentError("[", op, "] ", what, " has shape ", x.shape(), ", expects ", wanted);
}

/// An i64 index next to x, each entry in [0, extent). Entries are read on the CPU only; other backends check
/// theirs.
void expect_index(const char* op, const Tensor& x, const Tensor& index, Index extent) {
  expect_defined(op, index, "index");
  if (index.dtype() != Dtype::i64)
    throw ArgumentError("[", op, "] index is ", index.dtype(), ", expects i64");
  if (!(x.device() == index.device()))
    throw ArgumentError("[", op, "] x is on ", x.device(), " but index is on ", index.device());
  if (index.device().kind != Device::Kind::cpu) return;
  const Index* entries = index.data<Index>();
  for (Index i = 0; i < index.elements(); ++i)
    if (entries[i] < 0 || entries[i] >= extent)
      throw ArgumentError("[", op, "] index ", entries[i], " at position ", i, " is outside [0, ", extent,
                          ")");
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

/// s with the extent of one axis replaced.
Shape with_extent(Shape s, int axis, Index extent) {
  s[axis] = extent;
  return s;
}

/// The leading axes of s, without the last `count`.
Shape leading(const Shape& s, int count) {
  Shape out;
  for (int i = 0; i + count < s.rank(); ++i) out.push_back(s[i]);
  return out;
}

Shape zeros_of_rank(int rank) {
  Shape s;
  for (int i = 0; i < rank; ++i) s.push_back(0);
  return s;
}

/// Output extent of a window that slides over `in` padded pixels.
Index slide(const char* op, Index in, Index kernel, Index stride, Index pad, const Shape& x) {
  const Index room = in + 2 * pad - kernel;
  if (room < 0)
    throw ArgumentError("[", op, "] the window of ", kernel, " is larger than the image, ", in, " + 2*", pad,
                        " pixels (x ", x, ")");
  return room / stride + 1;
}

void expect_options(const char* op, const ConvOptions& o) {
  if (o.stride_h < 1 || o.stride_w < 1)
    throw ArgumentError("[", op, "] strides are 1 or more, got ", o.stride_h, "x", o.stride_w);
  if (o.pad_h < 0 || o.pad_w < 0)
    throw ArgumentError("[", op, "] padding is 0 or more, got ", o.pad_h, "x", o.pad_w);
  if (o.groups < 1) throw ArgumentError("[", op, "] groups are 1 or more, got ", o.groups);
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

Tensor permute(const Tensor& x, const Axes& perm) {
  expect_defined("permute", x, "x");
  Axes sorted;
  for (int a : perm) sorted.push_back(x.shape().axis(a, "permute"));
  Axes order = sorted;
  std::sort(sorted.begin(), sorted.end());
  if (static_cast<int>(perm.size()) != x.rank() ||
      std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    throw ArgumentError("[permute] expects each of the ", x.rank(), " axes of ", x.shape(), " once, got ",
                        perm.size(), " axes");
  Shape shape;
  for (int a : order) shape.push_back(x.shape()[a]);
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if (out.elements() > 0) backend_of(x).permute(x, order, out);
  return out;
}

Tensor slice(const Tensor& x, const Shape& begin, const Shape& end) {
  expect_defined("slice", x, "x");
  bool inside = begin.rank() == x.rank() && end.rank() == x.rank();
  Shape extent;
  for (int i = 0; inside && i < x.rank(); ++i) {
    inside = 0 <= begin[i] && begin[i] <= end[i] && end[i] <= x.shape()[i];
    if (inside) extent.push_back(end[i] - begin[i]);
  }
  if (!inside)
    throw ArgumentError("[slice] block from ", begin, " to ", end, " is not inside shape ", x.shape());
  Tensor out = Tensor::empty(extent, x.dtype(), x.device());
  if (out.elements() > 0) backend_of(x).copy_block(x, begin, out, zeros_of_rank(x.rank()), extent);
  return out;
}

Tensor pad(const Tensor& x, const Shape& before, const Shape& after) {
  expect_defined("pad", x, "x");
  if (before.rank() != x.rank() || after.rank() != x.rank())
    throw ArgumentError("[pad] expects ", x.rank(), " counts before and after for shape ", x.shape(),
                        ", got ", before, " and ", after);
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    if (before[i] < 0 || after[i] < 0)
      throw ArgumentError("[pad] counts are 0 or more, got ", before, " and ", after);
    shape.push_back(before[i] + x.shape()[i] + after[i]);
  }
  Tensor out = Tensor::zeros(shape, x.dtype(), x.device());
  if (x.elements() > 0) backend_of(x).copy_block(x, zeros_of_rank(x.rank()), out, before, x.shape());
  return out;
}

Tensor concat(const Tensors& parts, int axis) {
  if (parts.empty()) throw ArgumentError("[concat] no tensors to join");
  expect_defined("concat", parts[0], "part 0");
  const Shape& first = parts[0].shape();
  const int a = first.axis(axis, "concat");
  Index total = 0;
  for (const Tensor& part : parts) {
    expect_alike("concat", parts[0], "part 0", part, "another part");
    if (part.rank() != first.rank() || with_extent(part.shape(), a, first[a]) != first)
      throw ArgumentError("[concat] shapes ", first, " and ", part.shape(), " differ outside axis ", a);
    if (__builtin_add_overflow(total, part.shape()[a], &total))
      throw ArgumentError("[concat] the joined axis ", a, " overflows");
  }
  Tensor out = Tensor::empty(with_extent(first, a, total), parts[0].dtype(), parts[0].device());
  const Shape origin = zeros_of_rank(first.rank());
  Index position = 0;
  for (const Tensor& part : parts) {
    if (part.elements() > 0)
      backend_of(out).copy_block(part, origin, out, with_extent(origin, a, position), part.shape());
    position += part.shape()[a];
  }
  return out;
}

Tensor gather(const Tensor& x, const Tensor& index, int axis) {
  expect_defined("gather", x, "x");
  const int a = x.shape().axis(axis, "gather");
  expect_index("gather", x, index, x.shape()[a]);
  if (index.rank() != 1)
    throw ArgumentError("[gather] index has shape ", index.shape(), ", expects one axis");
  Tensor out = Tensor::empty(with_extent(x.shape(), a, index.elements()), x.dtype(), x.device());
  if (out.elements() > 0) backend_of(x).gather(x, index, a, out);
  return out;
}

Tensor scatter_add(const Tensor& x, const Tensor& index, int axis, Index extent) {
  expect_floating("scatter_add", x, "x");
  const int a = x.shape().axis(axis, "scatter_add");
  if (extent < 0) throw ArgumentError("[scatter_add] extent is 0 or more, got ", extent);
  expect_index("scatter_add", x, index, extent);
  if (index.shape() != Shape{x.shape()[a]})
    throw ArgumentError("[scatter_add] index has shape ", index.shape(), ", axis ", a, " of x ", x.shape(),
                        " expects {", x.shape()[a], "}");
  Tensor out = Tensor::zeros(with_extent(x.shape(), a, extent), x.dtype(), x.device());
  if (x.elements() > 0) backend_of(x).scatter_add(x, index, a, out);
  return out;
}

Tensor gather_last(const Tensor& x, const Tensor& index) {
  expect_defined("gather_last", x, "x");
  const Index extent = x.shape()[x.shape().axis(-1, "gather_last")];
  expect_index("gather_last", x, index, extent);
  if (index.rank() != x.rank() || leading(index.shape(), 1) != leading(x.shape(), 1))
    throw ArgumentError("[gather_last] index ", index.shape(), " and x ", x.shape(),
                        " differ outside the last axis");
  Tensor out = Tensor::empty(index.shape(), x.dtype(), x.device());
  if (out.elements() > 0) backend_of(x).gather_last(x, index, out);
  return out;
}

Tensor scatter_add_last(const Tensor& x, const Tensor& index, Index extent) {
  expect_floating("scatter_add_last", x, "x");
  const int last = x.shape().axis(-1, "scatter_add_last");
  if (extent < 0) throw ArgumentError("[scatter_add_last] extent is 0 or more, got ", extent);
  expect_index("scatter_add_last", x, index, extent);
  expect_shape("scatter_add_last", index, "index", x.shape());
  Tensor out = Tensor::zeros(with_extent(x.shape(), last, extent), x.dtype(), x.device());
  if (x.elements() > 0) backend_of(x).scatter_add_last(x, index, out);
  return out;
}

Tensor one_hot(const Tensor& labels, Index classes, Dtype dtype) {
  if (classes < 1) throw ArgumentError("[one_hot] expects at least one class, got ", classes);
  if (!is_floating(dtype)) throw ArgumentError("[one_hot] expects f32 or f64, got ", dtype);
  expect_index("one_hot", labels, labels, classes);
  Shape column = labels.shape(), shape = labels.shape();
  column.push_back(1);
  shape.push_back(classes);
  Tensor out = Tensor::zeros(shape, dtype, labels.device());
  const Tensor ones = Tensor::full(column, 1, dtype, labels.device());
  if (out.elements() > 0) backend_of(out).scatter_add_last(ones, labels.reshape(column), out);
  return out;
}

Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  expect_floating("matmul", a, "a");
  expect_alike("matmul", a, "a", b, "b");
  if (a.rank() < 2 || b.rank() < 2)
    throw ArgumentError("[matmul] expects two axes or more, got a ", a.shape(), " and b ", b.shape());
  const Index a_rows = a.size(-2), a_columns = a.size(-1), b_rows = b.size(-2), b_columns = b.size(-1);
  Backend::Matmul g;
  g.transpose_a = transpose_a;
  g.transpose_b = transpose_b;
  g.m = transpose_a ? a_columns : a_rows;
  g.k = transpose_a ? a_rows : a_columns;
  g.n = transpose_b ? b_rows : b_columns;
  const Index b_inner = transpose_b ? b_columns : b_rows;
  if (g.k != b_inner)
    throw ArgumentError("[matmul] inner extents differ, ", g.k, " and ", b_inner, " (a ", a.shape(),
                        transpose_a ? " transposed" : "", ", b ", b.shape(), transpose_b ? " transposed" : "",
                        ")");
  const Shape a_batch = leading(a.shape(), 2), b_batch = leading(b.shape(), 2);
  if (a_batch.rank() > 0 && b_batch.rank() > 0 && a_batch != b_batch)
    throw ArgumentError("[matmul] leading axes differ: a ", a.shape(), ", b ", b.shape());
  Shape shape = a_batch.rank() > 0 ? a_batch : b_batch;
  g.batch = shape.elements();
  shape.push_back(g.m);
  shape.push_back(g.n);
  Tensor out = Tensor::empty(shape, a.dtype(), a.device());
  if (out.elements() == 0) return out;
  if (g.k == 0) {
    out.fill(0);
    return out;
  }
  g.stride_a = a_batch.rank() > 0 ? g.m * g.k : 0;
  g.stride_b = b_batch.rank() > 0 ? g.k * g.n : 0;
  g.stride_out = g.m * g.n;
  if (g.stride_b == 0 && !transpose_a) {  // the batches of a are rows of one matrix
    g.m *= g.batch;
    g.batch = 1;
  }
  backend_of(a).matmul(g, a, b, out);
  return out;
}

ConvGeometry conv_geometry(const Shape& x, const Shape& w, const ConvOptions& o, const char* op) {
  if (x.rank() != 4 || w.rank() != 4)
    throw ArgumentError("[", op, "] expects x {N,H,W,C} and weight {KH,KW,C/groups,K}, got ", x, " and ", w);
  expect_options(op, o);
  if (w[0] < 1 || w[1] < 1 || w[3] < 1 || x[3] < 1)
    throw ArgumentError("[", op, "] kernel and channels are 1 or more (x ", x, ", weight ", w, ")");
  if (x[3] % o.groups != 0 || w[3] % o.groups != 0)
    throw ArgumentError("[", op, "] ", o.groups, " groups divide neither or only one of ", x[3],
                        " input and ", w[3], " output channels");
  if (w[2] != x[3] / o.groups)
    throw ArgumentError("[", op, "] weight expects ", w[2] * o.groups, " input channels, x has ", x[3],
                        " (x ", x, ", weight ", w, o.groups > 1 ? text(", groups ", o.groups) : "", ")");
  ConvGeometry g;
  g.batch = x[0], g.in_h = x[1], g.in_w = x[2], g.in_c = x[3];
  g.kernel_h = w[0], g.kernel_w = w[1];
  g.stride_h = o.stride_h, g.stride_w = o.stride_w;
  g.pad_h = o.pad_h, g.pad_w = o.pad_w;
  g.groups = o.groups;
  g.out_h = slide(op, g.in_h, g.kernel_h, g.stride_h, g.pad_h, x);
  g.out_w = slide(op, g.in_w, g.kernel_w, g.stride_w, g.pad_w, x);
  g.out_c = w[3];
  return g;
}

ConvGeometry pool_geometry(const Shape& x, Index kernel_h, Index kernel_w, const ConvOptions& o,
                           const char* op) {
  if (x.rank() != 4) throw ArgumentError("[", op, "] expects x {N,H,W,C}, got ", x);
  expect_options(op, o);
  if (o.groups != 1) throw ArgumentError("[", op, "] pooling has no groups, got ", o.groups);
  if (kernel_h < 1 || kernel_w < 1)
    throw ArgumentError("[", op, "] the window is 1x1 or more, got ", kernel_h, "x", kernel_w);
  if (o.pad_h >= kernel_h || o.pad_w >= kernel_w)
    throw ArgumentError("[", op, "] padding ", o.pad_h, "x", o.pad_w, " is not smaller than the window ",
                        kernel_h, "x", kernel_w, ": some windows would see no pixel");
  ConvGeometry g;
  g.batch = x[0], g.in_h = x[1], g.in_w = x[2], g.in_c = x[3];
  g.kernel_h = kernel_h, g.kernel_w = kernel_w;
  g.stride_h = o.stride_h, g.stride_w = o.stride_w;
  g.pad_h = o.pad_h, g.pad_w = o.pad_w;
  g.out_h = slide(op, g.in_h, kernel_h, g.stride_h, g.pad_h, x);
  g.out_w = slide(op, g.in_w, kernel_w, g.stride_w, g.pad_w, x);
  g.out_c = g.in_c;
  return g;
}

Tensor conv2d(const Tensor& x, const Tensor& w, const ConvGeometry& g) {
  expect_floating("conv2d", x, "x");
  expect_alike("conv2d", x, "x", w, "weight");
  expect_shape("conv2d", x, "x", g.x_shape());
  expect_shape("conv2d", w, "weight", g.w_shape());
  Tensor y = Tensor::empty(g.y_shape(), x.dtype(), x.device());
  if (y.elements() > 0) backend_of(x).conv2d(g, x, w, y);
  return y;
}

Tensor conv2d_input_grad(const Tensor& dy, const Tensor& w, const ConvGeometry& g) {
  expect_floating("conv2d_input_grad", dy, "dy");
  expect_alike("conv2d_input_grad", dy, "dy", w, "weight");
  expect_shape("conv2d_input_grad", dy, "dy", g.y_shape());
  expect_shape("conv2d_input_grad", w, "weight", g.w_shape());
  Tensor dx = Tensor::empty(g.x_shape(), dy.dtype(), dy.device());
  if (dx.elements() > 0) backend_of(dy).conv2d_input_grad(g, dy, w, dx);
  return dx;
}

Tensor conv2d_weight_grad(const Tensor& x, const Tensor& dy, const ConvGeometry& g) {
  expect_floating("conv2d_weight_grad", x, "x");
  expect_alike("conv2d_weight_grad", x, "x", dy, "dy");
  expect_shape("conv2d_weight_grad", x, "x", g.x_shape());
  expect_shape("conv2d_weight_grad", dy, "dy", g.y_shape());
  Tensor dw = Tensor::empty(g.w_shape(), x.dtype(), x.device());
  if (x.elements() == 0)
    dw.fill(0);
  else
    backend_of(x).conv2d_weight_grad(g, x, dy, dw);
  return dw;
}

double dot(const Tensor& x, const Tensor& y) {
  expect_floating("dot", x, "x");
  expect_alike("dot", x, "x", y, "y");
  if (x.elements() != y.elements())
    throw ArgumentError("[dot] x ", x.shape(), " and y ", y.shape(), " have different element counts");
  return backend_of(x).dot(x, y);
}

double norm(const Tensor& x) {
  expect_floating("norm", x, "x");
  return std::sqrt(backend_of(x).dot(x, x));
}

bool all_finite(const Tensor& x) {
  expect_floating("all_finite", x, "x");
  return backend_of(x).all_finite(x);
}

void axpby(double a, const Tensor& x, double b, Tensor& y) {
  expect_floating("axpby", x, "x");
  expect_alike("axpby", x, "x", y, "y");
  if (x.elements() != y.elements())
    throw ArgumentError("[axpby] x ", x.shape(), " and y ", y.shape(), " have different element counts");
  backend_of(x).axpby(a, x, b, y);
}

}  // namespace basin
