// The binary elementwise operations, one list: an operation is its enumerator and the struct that says its
// name and its formula, here and nowhere else.
#pragma once

#include <cmath>

#include "core/functors/unary.h"

namespace basin {

// The ops stand in groups, not one a line.
// clang-format off
/// y = f(x, z), broadcasting; the formulas are below, one for each. Gradients take g, the gradient of the
/// result, first.
enum class BinaryOp {
  add, sub, mul, div, pow, maximum, minimum,
  greater, greater_equal, equal,  // 1 or 0 in the operands' dtype
  tanh_grad, sigmoid_grad, relu_grad, gelu_grad, gelu_tanh_grad, silu_grad,
  count_,
};
// clang-format on

namespace functors {

/// The formula of an operation, for any number type (see formula.h).
template <BinaryOp>
struct Binary;

template <>
struct Binary<BinaryOp::add> {
  static constexpr const char* name = "add";
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return x + z;
  }
};
template <>
struct Binary<BinaryOp::sub> {
  static constexpr const char* name = "sub";
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return x - z;
  }
};
template <>
struct Binary<BinaryOp::mul> {
  static constexpr const char* name = "mul";
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return x * z;
  }
};
template <>
struct Binary<BinaryOp::div> {
  static constexpr const char* name = "div";
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return x / z;
  }
};
/// y = x^z.
template <>
struct Binary<BinaryOp::pow> {
  static constexpr const char* name = "pow";
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    using std::pow;
    return pow(x, z);
  }
};
/// The larger; x where they are equal; NaN where either is.
template <>
struct Binary<BinaryOp::maximum> {
  static constexpr const char* name = "maximum";
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return select(x >= z, x, select(x < z, z, x + z));
  }
};
/// The smaller; x where they are equal; NaN where either is.
template <>
struct Binary<BinaryOp::minimum> {
  static constexpr const char* name = "minimum";
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return select(x <= z, x, select(x > z, z, x + z));
  }
};
/// 1 where x > z, else 0.
template <>
struct Binary<BinaryOp::greater> {
  static constexpr const char* name = "greater";
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return select(x > z, T(1), T(0));
  }
};
/// 1 where x >= z, else 0.
template <>
struct Binary<BinaryOp::greater_equal> {
  static constexpr const char* name = "greater_equal";
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return select(x >= z, T(1), T(0));
  }
};
/// 1 where x == z, else 0.
template <>
struct Binary<BinaryOp::equal> {
  static constexpr const char* name = "equal";
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return select(x == z, T(1), T(0));
  }
};
/// g (1 - y^2), y = tanh(x).
template <>
struct Binary<BinaryOp::tanh_grad> {
  static constexpr const char* name = "tanh_grad";
  template <class T>
  BASIN_BOTH T operator()(T g, T y) const {
    return g * (T(1) - y * y);
  }
};
/// g y (1 - y), y = sigmoid(x).
template <>
struct Binary<BinaryOp::sigmoid_grad> {
  static constexpr const char* name = "sigmoid_grad";
  template <class T>
  BASIN_BOTH T operator()(T g, T y) const {
    return g * y * (T(1) - y);
  }
};
/// g where y > 0, else 0; y = relu(x).
template <>
struct Binary<BinaryOp::relu_grad> {
  static constexpr const char* name = "relu_grad";
  template <class T>
  BASIN_BOTH T operator()(T g, T y) const {
    return select(y > T(0), g, T(0));
  }
};
/// g (P(Z <= x) + x p(x)), p the standard normal density.
template <>
struct Binary<BinaryOp::gelu_grad> {
  static constexpr const char* name = "gelu_grad";
  template <class T>
  BASIN_BOTH T operator()(T g, T x) const {
    using std::exp;
    return g * (normal_cdf(x) + x * (T(kInvSqrt2Pi) * exp(T(-0.5) * x * x)));
  }
};
/// g (s + x s (1 - s) 2u'), s = sigmoid(2u), u as in gelu_tanh.
template <>
struct Binary<BinaryOp::gelu_tanh_grad> {
  static constexpr const char* name = "gelu_tanh_grad";
  template <class T>
  BASIN_BOTH T operator()(T g, T x) const {
    const T s = Unary<UnaryOp::sigmoid>{}(T(2 * kSqrt2OverPi) * (x + T(kGeluCubic) * x * x * x));
    const T slope = T(2 * kSqrt2OverPi) * (T(1) + T(3 * kGeluCubic) * x * x);
    return g * (s + x * s * (T(1) - s) * slope);
  }
};
/// g s (1 + x (1 - s)), s = sigmoid(x).
template <>
struct Binary<BinaryOp::silu_grad> {
  static constexpr const char* name = "silu_grad";
  template <class T>
  BASIN_BOTH T operator()(T g, T x) const {
    const T s = Unary<UnaryOp::sigmoid>{}(x);
    return g * s * (T(1) + x * (T(1) - s));
  }
};

/// Calls body(formula) with the formula of `op`, which the caller has checked.
template <class Body>
void with_binary(BinaryOp op, Body&& body) {
  with_enumerator<BinaryOp>(op, [&]<BinaryOp known>(Enumerator<known>) { body(Binary<known>{}); });
}

}  // namespace functors
}  // namespace basin
