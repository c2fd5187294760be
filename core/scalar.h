// Scalar: one number, that the host knows or that lives on a device. On the CPU it is a double.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace basin {

enum class ScalarOp : unsigned char;  // core/functors/scalar.h

/// Lengths, losses and rates are Scalars, so that a step's code reads the same wherever it runs:
///
///     const Scalar length = norm(g);                        // a double, or a device's number to come
///     axpby(select(length > 0, rho / length, 0), g, 1, w);  // which the device waits for, not the host
///
/// Of known numbers, arithmetic is arithmetic of doubles, with the same bits. Where one lives on a device the
/// result lives there too, computed in f64 by its kernels. A Scalar turns into a double by itself: right
/// everywhere, but on a device the host then waits for all that was asked of it before. Code that must not
/// wait writes select() in place of if.
class Scalar {
 public:
  /// Known: an integer or a floating-point number.
  template <class Number>
  requires std::is_arithmetic_v<Number> Scalar(Number known)  // NOLINT(google-explicit-constructor)
      : number_(static_cast<double>(known)) {}
  /// The only element of x, floating or integer: known if x is on the host. Errors: more than one element.
  explicit Scalar(const Tensor& x);

  /// op(operands), which are not all known: on the device of one that isn't.
  static Scalar computed(ScalarOp op, const std::vector<Scalar>& operands);

  bool known() const { return there_ == nullptr; }
  /// The number. Waits for the device if it is not known.
  double value() const { return known() ? number_ : brought_here(); }
  operator double() const { return value(); }  // NOLINT(google-explicit-constructor)

  /// The same as a tensor {} f64: on the device where it lives, or if it is known on the one asked for.
  Tensor tensor(Device device) const;
  /// Where it lives; Device{} if it is known.
  Device device() const;

  struct There;  // a number of a device
  const std::shared_ptr<There>& there() const { return there_; }

  friend Scalar sqrt(const Scalar& a);
  friend Scalar abs(const Scalar& a);
  friend Scalar pow(const Scalar& a, double power);
  /// The smaller, the larger; NaN where one is.
  friend Scalar min(const Scalar& a, const Scalar& b);
  friend Scalar max(const Scalar& a, const Scalar& b);

 private:
  double brought_here() const;

  double number_ = 0;
  std::shared_ptr<There> there_;  // null if the number is known
};

/// Within this scope a device that runs programs (core/scalar_program.h) computes numbers when they are read:
/// one kernel for all that they are made of. What they are computed of must stay as it is until then. Scopes
/// nest; each has its own numbers.
class NumbersWait {
 public:
  NumbersWait();
  ~NumbersWait();
  NumbersWait(const NumbersWait&) = delete;
  NumbersWait& operator=(const NumbersWait&) = delete;

  /// Has every number computed that waits and that anybody still holds. A scope that ends without it, by an
  /// exception, leaves them to whoever reads them.
  void finish();

 private:
  friend class Scalar;

  NumbersWait* before_;
  std::vector<std::weak_ptr<Scalar::There>> waiting_;
};

/// Those of the numbers that are not known, f64 {count}, on their device; undefined if all are.
Tensor gathered_there(const std::vector<Scalar*>& numbers);
/// Makes numbers that live on a device known, all by one read.
void bring_here(const std::vector<Scalar*>& numbers);

/// What happens to be known on the host, for leaving out work: true only if the condition is known to hold.
inline bool certainly(const Scalar& condition) { return condition.known() && condition.value() != 0; }
/// False only if the condition is known not to hold.
inline bool possibly(const Scalar& condition) { return !condition.known() || condition.value() != 0; }

namespace scalar_detail {

template <class A, class B>
concept OneIsScalar = (std::same_as<A, Scalar> && (std::same_as<B, Scalar> || std::is_arithmetic_v<B>)) ||
                      (std::is_arithmetic_v<A> && std::same_as<B, Scalar>);

ScalarOp code(const std::plus<>&);
ScalarOp code(const std::minus<>&);
ScalarOp code(const std::multiplies<>&);
ScalarOp code(const std::divides<>&);
ScalarOp code(const std::greater<>&);
ScalarOp code(const std::greater_equal<>&);
ScalarOp code(const std::equal_to<>&);

template <class F>
Scalar apply(F f, const Scalar& a, const Scalar& b) {
  return a.known() && b.known() ? Scalar(f(a.value(), b.value())) : Scalar::computed(code(f), {a, b});
}

}  // namespace scalar_detail

template <class A, class B>
requires scalar_detail::OneIsScalar<A, B> Scalar operator+(const A& a, const B& b) {
  return scalar_detail::apply(std::plus<>(), a, b);
}
template <class A, class B>
requires scalar_detail::OneIsScalar<A, B> Scalar operator-(const A& a, const B& b) {
  return scalar_detail::apply(std::minus<>(), a, b);
}
template <class A, class B>
requires scalar_detail::OneIsScalar<A, B> Scalar operator*(const A& a, const B& b) {
  return scalar_detail::apply(std::multiplies<>(), a, b);
}
template <class A, class B>
requires scalar_detail::OneIsScalar<A, B> Scalar operator/(const A& a, const B& b) {
  return scalar_detail::apply(std::divides<>(), a, b);
}
// Comparisons are conditions: 1 or 0. One with NaN does not hold.
template <class A, class B>
requires scalar_detail::OneIsScalar<A, B> Scalar operator>(const A& a, const B& b) {
  return scalar_detail::apply(std::greater<>(), a, b);
}
template <class A, class B>
requires scalar_detail::OneIsScalar<A, B> Scalar operator>=(const A& a, const B& b) {
  return scalar_detail::apply(std::greater_equal<>(), a, b);
}
template <class A, class B>
requires scalar_detail::OneIsScalar<A, B> Scalar operator<(const A& a, const B& b) {
  return scalar_detail::apply(std::greater<>(), b, a);
}
template <class A, class B>
requires scalar_detail::OneIsScalar<A, B> Scalar operator<=(const A& a, const B& b) {
  return scalar_detail::apply(std::greater_equal<>(), b, a);
}
template <class A, class B>
requires scalar_detail::OneIsScalar<A, B> Scalar operator==(const A& a, const B& b) {
  return scalar_detail::apply(std::equal_to<>(), a, b);
}
template <class A, class B>
requires scalar_detail::OneIsScalar<A, B> Scalar operator!=(const A& a, const B& b) {
  return scalar_detail::apply(std::minus<>(), 1, scalar_detail::apply(std::equal_to<>(), a, b));
}
inline Scalar operator-(const Scalar& a) { return a.known() ? Scalar(-a.value()) : a * -1; }
inline Scalar& operator+=(Scalar& a, const Scalar& b) { return a = a + b; }

// Conditions.
Scalar is_finite(const Scalar& a);
Scalar both(const Scalar& a, const Scalar& b);
Scalar either(const Scalar& a, const Scalar& b);
Scalar opposite(const Scalar& condition);

/// condition ? a : b. On a device both are there already, and one of them may be NaN or infinite.
Scalar select(const Scalar& condition, const Scalar& a, const Scalar& b);
/// condition ? x : y, for tensors of one shape, dtype and device.
Tensor select(const Scalar& condition, const Tensor& x, const Tensor& y);
/// The same of what two functions return. Of a known condition only the one that is wanted is called.
template <class A, class B>
requires std::invocable<A> && std::invocable<B>
auto select(const Scalar& condition, const A& a, const B& b) {
  using Result = std::conditional_t<std::same_as<std::invoke_result_t<A>, Tensor>, Tensor, Scalar>;
  if (condition.known()) return condition.value() != 0 ? Result(a()) : Result(b());
  return select(condition, Result(a()), Result(b()));
}

}  // namespace basin
