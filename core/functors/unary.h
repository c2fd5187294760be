// The unary elementwise operations, one list: an operation is its enumerator and the struct that says its
// name and its formula, here and nowhere else.
#pragma once

#include <cmath>

#include "core/functors/formula.h"

namespace basin {

// The ops stand in groups, not one a line.
// clang-format off
/// y = f(x; a, b); the formulas are below, one for each. a and b are the members of the formula's struct, in
/// their order.
enum class UnaryOp {
  copy, neg, abs, sign, exp, log, sqrt, rsqrt, reciprocal, square,
  tanh, sigmoid, relu, step,
  leaky_relu, leaky_step,
  erf, gelu, gelu_tanh, silu,
  add_scalar, mul_scalar, pow_scalar,
  clamp, clamp_mask,
  count_,
};
// clang-format on

namespace functors {

/// The formula of an operation, for any number type (see formula.h).
template <UnaryOp>
struct Unary;

/// y = x.
template <>
struct Unary<UnaryOp::copy> {
  static constexpr const char* name = "copy";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return x;
  }
};
/// y = -x.
template <>
struct Unary<UnaryOp::neg> {
  static constexpr const char* name = "neg";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return -x;
  }
};
/// y = |x|.
template <>
struct Unary<UnaryOp::abs> {
  static constexpr const char* name = "abs";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::abs;
    return abs(x);
  }
};
/// y = 1, -1, or x itself where x is a zero or NaN.
template <>
struct Unary<UnaryOp::sign> {
  static constexpr const char* name = "sign";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x > T(0), T(1), select(x < T(0), T(-1), x));
  }
};
/// y = e^x.
template <>
struct Unary<UnaryOp::exp> {
  static constexpr const char* name = "exp";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::exp;
    return exp(x);
  }
};
/// y = ln x.
template <>
struct Unary<UnaryOp::log> {
  static constexpr const char* name = "log";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::log;
    return log(x);
  }
};
/// y = sqrt(x).
template <>
struct Unary<UnaryOp::sqrt> {
  static constexpr const char* name = "sqrt";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::sqrt;
    return sqrt(x);
  }
};
/// y = 1 / sqrt(x).
template <>
struct Unary<UnaryOp::rsqrt> {
  static constexpr const char* name = "rsqrt";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::sqrt;
    return T(1) / sqrt(x);
  }
};
/// y = 1 / x.
template <>
struct Unary<UnaryOp::reciprocal> {
  static constexpr const char* name = "reciprocal";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return T(1) / x;
  }
};
/// y = x^2.
template <>
struct Unary<UnaryOp::square> {
  static constexpr const char* name = "square";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return x * x;
  }
};
/// Hyperbolic tangent.
template <>
struct Unary<UnaryOp::tanh> {
  static constexpr const char* name = "tanh";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::tanh;
    return tanh(x);
  }
};
/// Logistic function, y = 1 / (1 + e^-x).
template <>
struct Unary<UnaryOp::sigmoid> {
  static constexpr const char* name = "sigmoid";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::exp;
    return T(1) / (T(1) + exp(-x));
  }
};
/// y = max(x, 0); NaN stays NaN.
template <>
struct Unary<UnaryOp::relu> {
  static constexpr const char* name = "relu";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x <= T(0), T(0), x);
  }
};
/// y = 1 where x > 0, else 0 (also for NaN): the derivative of relu.
template <>
struct Unary<UnaryOp::step> {
  static constexpr const char* name = "step";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x > T(0), T(1), T(0));
  }
};
/// y = x where x > 0, else slope * x.
template <>
struct Unary<UnaryOp::leaky_relu> {
  static constexpr const char* name = "leaky_relu";
  double slope;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x > T(0), x, x * T(slope));
  }
};
/// y = 1 where x > 0, else slope: the derivative of leaky_relu.
template <>
struct Unary<UnaryOp::leaky_step> {
  static constexpr const char* name = "leaky_step";
  double slope;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x > T(0), T(1), T(slope));
  }
};
/// Error function.
template <>
struct Unary<UnaryOp::erf> {
  static constexpr const char* name = "erf";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::erf;
    return erf(x);
  }
};

inline constexpr double kSqrtHalf = 0.70710678118654752440;     // sqrt(1/2)
inline constexpr double kInvSqrt2Pi = 0.39894228040143267794;   // 1/sqrt(2 pi)
inline constexpr double kSqrt2OverPi = 0.79788456080286535588;  // sqrt(2/pi)
inline constexpr double kGeluCubic = 0.044715;                  // Hendrycks and Gimpel 2016

/// P(Z <= x) of a standard normal Z; erfc keeps the lower tail's relative accuracy.
template <class T>
BASIN_BOTH inline T normal_cdf(T x) {
  using std::erfc;
  return T(0.5) * erfc(x * T(-kSqrtHalf));
}

/// y = x P(Z <= x), Hendrycks and Gimpel 2016.
template <>
struct Unary<UnaryOp::gelu> {
  static constexpr const char* name = "gelu";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return x * normal_cdf(x);
  }
};
/// The same with the tanh approximation: y = x/2 (1 + tanh(u)), u = sqrt(2/pi) (x + 0.044715 x^3),
/// written as x sigmoid(2u).
template <>
struct Unary<UnaryOp::gelu_tanh> {
  static constexpr const char* name = "gelu_tanh";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    const T u = T(2 * kSqrt2OverPi) * (x + T(kGeluCubic) * x * x * x);
    return x * Unary<UnaryOp::sigmoid>{}(u);
  }
};
/// y = x sigmoid(x).
template <>
struct Unary<UnaryOp::silu> {
  static constexpr const char* name = "silu";
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return x * Unary<UnaryOp::sigmoid>{}(x);
  }
};
/// y = x + a.
template <>
struct Unary<UnaryOp::add_scalar> {
  static constexpr const char* name = "add_scalar";
  double a;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return x + T(a);
  }
};
/// y = x a.
template <>
struct Unary<UnaryOp::mul_scalar> {
  static constexpr const char* name = "mul_scalar";
  double a;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return x * T(a);
  }
};
/// y = x^a.
template <>
struct Unary<UnaryOp::pow_scalar> {
  static constexpr const char* name = "pow_scalar";
  double a;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::pow;
    if (a == 2) return x * x;  // squares and inverses need no pow
    if (a == -1) return T(1) / x;
    return pow(x, T(a));
  }
};
/// y = x clamped to [low, high]; NaN stays NaN.
template <>
struct Unary<UnaryOp::clamp> {
  static constexpr const char* name = "clamp";
  double low, high;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x < T(low), T(low), select(x > T(high), T(high), x));
  }
};
/// y = 1 where low <= x <= high, else 0: the derivative of clamp.
template <>
struct Unary<UnaryOp::clamp_mask> {
  static constexpr const char* name = "clamp_mask";
  double low, high;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x >= T(low), select(x <= T(high), T(1), T(0)), T(0));
  }
};

/// Calls body(formula) with the formula of `op`, which the caller has checked.
template <class Body>
void with_unary(UnaryOp op, double a, double b, Body&& body) {
  with_enumerator<UnaryOp>(op, [&]<UnaryOp known>(Enumerator<known>) {
    using F = Unary<known>;
    if constexpr (requires { F{a, b}; })
      body(F{a, b});
    else if constexpr (requires { F{a}; })
      body(F{a});
    else
      body(F{});
  });
}

}  // namespace functors
}  // namespace basin
