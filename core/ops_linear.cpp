// Tensor functions that multiply and add: matmul, convolution, flat vectors; the geometry of windows.
#include "core/op_checks.h"
#include "core/ops.h"

namespace basin {
namespace {

using namespace checks;

void expect_options(const char* op, const ConvOptions& o) {
  if (o.stride_h < 1 || o.stride_w < 1)
    throw ArgumentError("[", op, "] strides are 1 or more, got ", o.stride_h, "x", o.stride_w);
  if (o.pad_h < 0 || o.pad_w < 0)
    throw ArgumentError("[", op, "] padding is 0 or more, got ", o.pad_h, "x", o.pad_w);
  if (o.groups < 1) throw ArgumentError("[", op, "] groups are 1 or more, got ", o.groups);
}

/// Output extent of a window that slides over `in` padded pixels.
Index slide(const char* op, Index in, Index kernel, Index stride, Index pad, const Shape& x) {
  const Index room = in + 2 * pad - kernel;
  if (room < 0)
    throw ArgumentError("[", op, "] the window of ", kernel, " is larger than the image, ", in, " + 2*", pad,
                        " pixels (x ", x, ")");
  return room / stride + 1;
}

/// op(a) @ op(b), in the dtype in which it is computed if it is `wide`.
Tensor product(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b, bool wide) {
  const Dtype joint = expect_joinable("matmul", a, "a", b, "b");
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
  Tensor out = Tensor::empty(shape, wide ? compute_dtype(joint) : joint, a.device());
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
  backend_of(a, Work::matmul)->matmul(g, a, b, out);
  return out;
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  return product(a, b, transpose_a, transpose_b, /*wide=*/false);
}

Tensor wide_matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  return product(a, b, transpose_a, transpose_b, /*wide=*/true);
}

ConvGeometry conv_geometry(const Shape& x, const Shape& w, const ConvOptions& o, const char* op) {
  if (x.rank() != 4 || w.rank() != 4)
    throw ArgumentError("[", op, "] expects x {N,H,W,C} and weight {KH,KW,C/groups,K}, got ", x, " and ", w);
  expect_options(op, o);
  if (w[0] < 1 || w[1] < 1 || w[3] < 1 || x[3] < 1)
    throw ArgumentError("[", op, "] kernel and channels are 1 or more (x ", x, ", weight ", w, ")");
  if (x[3] % o.groups != 0 || w[3] % o.groups != 0)
    throw ArgumentError("[", op, "] ", o.groups, " groups do not divide ", x[3], " input and ", w[3],
                        " output channels");
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

namespace {

// Room for the result of a convolution, after its operands are checked.
Tensor room_for_conv2d(const char* op, const Tensor& x, const Tensor& w, const ConvGeometry& g) {
  expect_floating(op, x, "x");
  expect_parameter(op, x, "x", w, "weight");
  expect_shape(op, x, "x", g.x_shape());
  expect_shape(op, w, "weight", g.w_shape());
  return Tensor::empty(g.y_shape(), x.dtype(), x.device());
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& w, const ConvGeometry& g) {
  Tensor y = room_for_conv2d("conv2d", x, w, g);
  if (y.elements() > 0) backend_of(x, Work::conv_forward)->conv2d({g}, x, w, y);
  return y;
}

std::pair<Tensor, Moments> conv2d_moments(const Tensor& x, const Tensor& w, const ConvGeometry& g) {
  Tensor y = room_for_conv2d("conv2d_moments", x, w, g);
  if (y.elements() == 0) throw ArgumentError("[conv2d_moments] the result is empty, ", y.shape());
  Moments of_y = {Tensor::empty({g.out_c}, w.dtype(), x.device()),
                  Tensor::empty({g.out_c}, w.dtype(), x.device())};
  backend_of(x, Work::conv_forward)->conv2d({.geometry = g, .moments = &of_y}, x, w, y);
  return {y, of_y};
}

Tensor conv2d_input_grad(const Tensor& dy, const Tensor& w, const ConvGeometry& g) {
  expect_floating("conv2d_input_grad", dy, "dy");
  expect_parameter("conv2d_input_grad", dy, "dy", w, "weight");
  expect_shape("conv2d_input_grad", dy, "dy", g.y_shape());
  expect_shape("conv2d_input_grad", w, "weight", g.w_shape());
  Tensor dx = Tensor::empty(g.x_shape(), dy.dtype(), dy.device());
  if (dx.elements() > 0) backend_of(dy, Work::conv_input_grad)->conv2d_input_grad(g, dy, w, dx);
  return dx;
}

Tensor conv2d_weight_grad(const Tensor& x, const Tensor& dy, const ConvGeometry& g) {
  expect_floating("conv2d_weight_grad", x, "x");
  expect_alike("conv2d_weight_grad", x, "x", dy, "dy");
  expect_shape("conv2d_weight_grad", x, "x", g.x_shape());
  expect_shape("conv2d_weight_grad", dy, "dy", g.y_shape());
  Tensor dw = Tensor::empty(g.w_shape(), compute_dtype(x.dtype()), x.device());
  if (x.elements() == 0)
    dw.fill(0);
  else
    backend_of(x, Work::conv_weight_grad)->conv2d_weight_grad({g}, x, dy, dw);
  return dw;
}

std::pair<Tensor, Tensor> conv2d_gradients(const Tensor& x, const Tensor& w, const Tensor& dy,
                                           const ConvGeometry& g) {
  if (x.elements() == 0 || dy.elements() == 0)
    return {conv2d_input_grad(dy, w, g), conv2d_weight_grad(x, dy, g)};
  expect_floating("conv2d_gradients", x, "x");
  expect_parameter("conv2d_gradients", x, "x", w, "weight");
  expect_alike("conv2d_gradients", x, "x", dy, "dy");
  expect_shape("conv2d_gradients", x, "x", g.x_shape());
  expect_shape("conv2d_gradients", w, "weight", g.w_shape());
  expect_shape("conv2d_gradients", dy, "dy", g.y_shape());
  Tensor dx = Tensor::empty(g.x_shape(), x.dtype(), x.device());
  Tensor dw = Tensor::empty(g.w_shape(), w.dtype(), x.device());
  backend_of(x, Work::conv_gradients)->conv2d_gradients(g, x, w, dy, {dx, dw});
  return {dx, dw};
}

Scalar dot(const Tensor& x, const Tensor& y) {
  expect_floating("dot", x, "x");
  expect_alike("dot", x, "x", y, "y");
  if (x.elements() != y.elements())
    throw ArgumentError("[dot] x ", x.shape(), " and y ", y.shape(), " have different element counts");
  return backend_of(x, Work::optimizer)->dot(x, y);
}

Scalar norm(const Tensor& x) {
  expect_floating("norm", x, "x");
  const Scalar squares = backend_of(x, Work::optimizer)->dot(x, x);
  // Squares of f32 and bf16 numbers neither overflow nor vanish in f64.
  if (x.dtype() != Dtype::f64 || x.elements() == 0) return sqrt(squares);
  const Scalar fits = either(both(squares > 1e-280, is_finite(squares)), squares != squares);
  return select(
      fits, [&] { return sqrt(squares); },
      [&] {
        const Tensor size = unary(UnaryOp::abs, x), largest = reduce(ReduceOp::max, size);
        const Scalar most(largest);
        return select(
            both(most > 0, is_finite(most)),
            [&] {
              const Tensor relative = size / largest;
              return most * sqrt(backend_of(x, Work::optimizer)->dot(relative, relative));
            },
            [&] { return most; });
      });
}

Scalar all_finite(const Tensor& x) {
  expect_floating("all_finite", x, "x");
  return backend_of(x, Work::optimizer)->all_finite(x);
}

void axpby(const Scalar& a, const Tensor& x, const Scalar& b, Tensor& y) {
  expect_floating("axpby", x, "x");
  expect_alike("axpby", x, "x", y, "y");
  if (x.elements() != y.elements())
    throw ArgumentError("[axpby] x ", x.shape(), " and y ", y.shape(), " have different element counts");
  backend_of(x, Work::optimizer)->axpby(a, x, b, y);
}

Tensor combination(const Scalar& a, const Tensor& x, const Scalar& b, const Tensor& y) {
  Tensor z = y.clone();
  axpby(a, x, b, z);
  return z;
}

Tensor operator*(const Tensor& x, const Scalar& a) {
  return a.known() ? x * a.value() : x * a.tensor(x.device()).to(compute_dtype(x.dtype()));
}

Tensor operator*(const Scalar& a, const Tensor& x) { return x * a; }

void fill(Tensor& x, const Scalar& a) {
  if (a.known())
    x.fill(a);
  else
    x.copy_from(broadcast_to(a.tensor(x.device()).to(x.dtype()), x.shape()));
}

void assign_if(const Scalar& condition, const Tensor& x, Tensor& y) {
  if (condition.known()) {
    if (certainly(condition)) y.copy_from(x);
    return;
  }
  expect_alike("assign_if", x, "x", y, "y");
  expect_shape("assign_if", x, "x", y.shape());
  if (y.elements() == 0) return;
  if (!backend_of(y, Work::elementwise)->assign_if(condition, x, y)) y.copy_from(select(condition, x, y));
}

void increment(Tensor& count, const Scalar& by) {
  if (count.device().is_host() && by.known())
    *count.mutable_data<std::int64_t>() += static_cast<std::int64_t>(by.value());
  else if (by.known())  // three kernels: a step may count in each of many layers
    backend_of(count, Work::elementwise)
        ->cast(unary(UnaryOp::add_scalar, count.to(Dtype::f64), by.value()), count);
  else
    count.copy_from((Scalar(count) + by).tensor(count.device()).to(Dtype::i64));
}

}  // namespace basin
