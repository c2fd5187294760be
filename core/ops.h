// Raw tensor functions: check shapes and dtypes, allocate the result, call the backend. No gradients
// (autograd/ops/ops.h has the differentiable ones under the same names). Every error is an ArgumentError that
// names the op and the shapes.
#pragma once

#include "core/backend.h"

namespace basin {

/// "exp", "add", "sum": as written in the enumeration; error messages name operations by it.
const char* name_of(UnaryOp op);
const char* name_of(BinaryOp op);
const char* name_of(ReduceOp op);

Tensor unary(UnaryOp op, const Tensor& x, double a = 0, double b = 0);
/// Broadcasting. Operands of one dtype, or bf16 beside f32, of which the result is bf16.
Tensor binary(BinaryOp op, const Tensor& x, const Tensor& z);
Tensor where(const Tensor& condition, const Tensor& x, const Tensor& z);

Tensor operator+(const Tensor& x, const Tensor& z);
Tensor operator-(const Tensor& x, const Tensor& z);
Tensor operator*(const Tensor& x, const Tensor& z);
Tensor operator/(const Tensor& x, const Tensor& z);
Tensor operator-(const Tensor& x);
Tensor operator+(const Tensor& x, double a);
Tensor operator+(double a, const Tensor& x);
Tensor operator-(const Tensor& x, double a);
Tensor operator-(double a, const Tensor& x);
Tensor operator*(const Tensor& x, double a);
Tensor operator*(double a, const Tensor& x);
Tensor operator/(const Tensor& x, double a);
Tensor operator/(double a, const Tensor& x);

Tensor reduce(ReduceOp op, const Tensor& x, const Axes& axes = {}, bool keep = false);  // {} = all axes
inline Tensor sum(const Tensor& x, const Axes& axes = {}, bool keep = false) {
  return reduce(ReduceOp::sum, x, axes, keep);
}
/// sum() before its result is rounded to bf16: f32 for bf16; else sum().
Tensor wide_sum(const Tensor& x, const Axes& axes = {}, bool keep = false);
Tensor argmax(const Tensor& x, int axis = -1);
/// Rows of logits {N,K} whose largest is the label {N}, the first of equals; where they live on a device, so
/// does the count.
Scalar count_correct(const Tensor& logits, const Tensor& labels);
/// Copies x along its extents of 1 up to `shape`.
Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// Sums x over the axes along which a tensor of `shape` was broadcast to x's shape (the adjoint of
/// broadcast_to).
Tensor sum_to(const Tensor& x, const Shape& shape);
/// The same in another dtype: f32 of bf16, not rounded in between. Errors: any other.
Tensor sum_to(const Tensor& x, const Shape& shape, Dtype dtype);

Tensor permute(const Tensor& x, const Axes& perm);
/// The block [begin, end) of every axis.
Tensor slice(const Tensor& x, const Shape& begin, const Shape& end);
/// x surrounded by `before` and `after` zeros per axis.
Tensor pad(const Tensor& x, const Shape& before, const Shape& after);
Tensor concat(const Tensors& parts, int axis);
/// out <- the numbers of all parts, one part behind the other in memory. Errors: not as many as out has,
/// another dtype or device.
void concatenate(const Tensors& parts, Tensor& out);
Tensor gather(const Tensor& x, const Tensor& index, int axis);
Tensor scatter_add(const Tensor& x, const Tensor& index, int axis, Index extent);
Tensor gather_last(const Tensor& x, const Tensor& index);
Tensor scatter_add_last(const Tensor& x, const Tensor& index, Index extent);
/// i64 labels in [0, classes) -> rows of zeros with a one. Errors: a label out of range, with its position.
Tensor one_hot(const Tensor& labels, Index classes, Dtype dtype);

/// op(a) @ op(b) over the last two axes; leading axes are equal, or one operand has none and is repeated.
/// Operands of one dtype, or bf16 beside f32; the result then is bf16.
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);
/// The same before its result is rounded to bf16: f32 where an operand is bf16.
Tensor wide_matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);

/// Checks x {N,H,W,C} against w {KH,KW,C/groups,K} and works out the output size.
ConvGeometry conv_geometry(const Shape& x, const Shape& w, const ConvOptions& options,
                           const char* op = "conv2d");
/// Same for a pooling window.
ConvGeometry pool_geometry(const Shape& x, Index kernel_h, Index kernel_w, const ConvOptions& options,
                           const char* op);
/// Of x in bf16, here and below: w and dw are f32, as are moments.
Tensor conv2d(const Tensor& x, const Tensor& w, const ConvGeometry& g);
/// The same, and the moments of y, which must not be empty.
std::pair<Tensor, Moments> conv2d_moments(const Tensor& x, const Tensor& w, const ConvGeometry& g);
Tensor conv2d_input_grad(const Tensor& dy, const Tensor& w, const ConvGeometry& g);
Tensor conv2d_weight_grad(const Tensor& x, const Tensor& dy, const ConvGeometry& g);
/// Both gradients, dx and dw, bit for bit, in one call that walks through memory once where it can.
std::pair<Tensor, Tensor> conv2d_gradients(const Tensor& x, const Tensor& w, const Tensor& dy,
                                           const ConvGeometry& g);

Scalar dot(const Tensor& x, const Tensor& y);
/// |x| = sqrt(dot(x, x)), also where the squares overflow or vanish (f64 numbers around 1e200 or 1e-200). NaN
/// or infinite where a number is, and infinite where the norm itself is beyond f64.
Scalar norm(const Tensor& x);
Scalar all_finite(const Tensor& x);
/// y <- a x + b y, in place. Where a lives on a device and is 0, x counts for nothing, also if it is not
/// finite.
void axpby(const Scalar& a, const Tensor& x, const Scalar& b, Tensor& y);
/// a x + b y, a new tensor.
Tensor combination(const Scalar& a, const Tensor& x, const Scalar& b, const Tensor& y);
Tensor operator*(const Tensor& x, const Scalar& a);
Tensor operator*(const Scalar& a, const Tensor& x);
/// x <- a in all elements.
void fill(Tensor& x, const Scalar& a);
/// y <- x where the condition holds; else y keeps its bits.
void assign_if(const Scalar& condition, const Tensor& x, Tensor& y);
/// count <- count + by, of a counter i64 {}.
void increment(Tensor& count, const Scalar& by = 1);

}  // namespace basin
