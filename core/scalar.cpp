// Numbers on a device: computed there as tensors {} of f64, by the ops that tensors have.
#include "core/scalar.h"

#include <algorithm>
#include <cmath>

#include "core/ops.h"

namespace basin {
namespace {

Scalar there(UnaryOp op, const Scalar& a, double option = 0) {
  return Scalar(unary(op, a.tensor({}), option));
}

}  // namespace

Scalar::Scalar(const Tensor& x) {
  if (x.elements() != 1 || x.device().is_host())
    number_ = x.item();
  else
    there_ = std::make_shared<const Tensor>(x.to(Dtype::f64).reshape(Shape{}));
}

double Scalar::brought_here() const { return there_->to(Device{}).item(); }

Tensor Scalar::tensor(Device device) const {
  return known() ? Tensor::scalar(number_, Dtype::f64, device) : *there_;
}

void bring_here(const std::vector<Scalar*>& numbers) {
  std::vector<Scalar*> away;
  for (Scalar* x : numbers)
    if (!x->known()) away.push_back(x);
  if (away.empty()) return;
  Tensors parts;
  for (const Scalar* x : away) parts.push_back(x->tensor({}).reshape(Shape{1}));
  const std::vector<double> here = concat(parts, 0).to(Device{}).to_vector<double>();
  for (std::size_t i = 0; i < away.size(); ++i) *away[i] = here[i];
}

namespace scalar_detail {

Scalar there(BinaryOp op, const Scalar& a, const Scalar& b) {
  const Device device = a.known() ? b.device() : a.device();
  return Scalar(binary(op, a.tensor(device), b.tensor(device)));
}

BinaryOp code(const std::plus<>&) { return BinaryOp::add; }
BinaryOp code(const std::minus<>&) { return BinaryOp::sub; }
BinaryOp code(const std::multiplies<>&) { return BinaryOp::mul; }
BinaryOp code(const std::divides<>&) { return BinaryOp::div; }
BinaryOp code(const std::greater<>&) { return BinaryOp::greater; }
BinaryOp code(const std::greater_equal<>&) { return BinaryOp::greater_equal; }
BinaryOp code(const std::equal_to<>&) { return BinaryOp::equal; }

}  // namespace scalar_detail

Scalar sqrt(const Scalar& a) { return a.known() ? Scalar(std::sqrt(a.value())) : there(UnaryOp::sqrt, a); }
Scalar abs(const Scalar& a) { return a.known() ? Scalar(std::abs(a.value())) : there(UnaryOp::abs, a); }
Scalar pow(const Scalar& a, double power) {
  return a.known() ? Scalar(std::pow(a.value(), power)) : there(UnaryOp::pow_scalar, a, power);
}

Scalar min(const Scalar& a, const Scalar& b) {
  if (!a.known() || !b.known()) return scalar_detail::there(BinaryOp::minimum, a, b);
  const double x = a.value(), z = b.value();
  return std::isnan(x) || std::isnan(z) ? x + z : std::min(x, z);
}

Scalar max(const Scalar& a, const Scalar& b) {
  if (!a.known() || !b.known()) return scalar_detail::there(BinaryOp::maximum, a, b);
  const double x = a.value(), z = b.value();
  return std::isnan(x) || std::isnan(z) ? x + z : std::max(x, z);
}

Scalar is_finite(const Scalar& a) {
  return a.known() ? Scalar(std::isfinite(a.value())) : a - a == 0;  // NaN where a is infinite or NaN
}

Scalar both(const Scalar& a, const Scalar& b) {
  if (!possibly(a) || !possibly(b)) return 0;
  if (certainly(a)) return b;
  return certainly(b) ? a : scalar_detail::there(BinaryOp::minimum, a, b);
}

Scalar either(const Scalar& a, const Scalar& b) { return opposite(both(opposite(a), opposite(b))); }
Scalar opposite(const Scalar& condition) { return condition == 0; }

Scalar select(const Scalar& condition, const Scalar& a, const Scalar& b) {
  if (condition.known()) return condition.value() != 0 ? a : b;
  const Device device = condition.device();
  return Scalar(where(condition.tensor(device), a.tensor(device), b.tensor(device)));
}

Tensor select(const Scalar& condition, const Tensor& x, const Tensor& y) {
  if (condition.known()) return condition.value() != 0 ? x : y;
  const Tensor mask = condition.tensor(x.device());
  if (has_derivatives(x.dtype())) return where(mask.to(x.dtype()), x, y);
  return where(mask, x.to(Dtype::f64), y.to(Dtype::f64)).to(x.dtype());  // counters
}

}  // namespace basin
