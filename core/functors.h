// Every elementwise formula of the library, once: the CPU kernels apply it to doubles and to vectors of
// floats (core/cpu/simd/lanes.h), the CUDA kernels to floats and doubles. A number type T brings arithmetic,
// comparisons, select(condition, a, b) and the functions of <cmath>, found by overload.
#pragma once

#include <cmath>

#include "core/backend.h"
#include "core/host_device.h"

namespace basin::functors {

/// condition ? a : b, as a function: lane types select in every lane.
template <class T>
BASIN_BOTH inline T select(bool condition, T a, T b) {
  return condition ? a : b;
}

// ---- unary: y = f(x) ----

/// y = x.
struct Copy {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return x;
  }
};
/// y = -x.
struct Neg {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return -x;
  }
};
/// y = |x|.
struct Abs {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::abs;
    return abs(x);
  }
};
/// y = 1, -1, or x itself where x is a zero or NaN.
struct Sign {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x > T(0), T(1), select(x < T(0), T(-1), x));
  }
};
/// y = e^x.
struct Exp {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::exp;
    return exp(x);
  }
};
/// y = ln x.
struct Log {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::log;
    return log(x);
  }
};
/// y = sqrt(x).
struct Sqrt {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::sqrt;
    return sqrt(x);
  }
};
/// y = 1 / sqrt(x).
struct Rsqrt {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::sqrt;
    return T(1) / sqrt(x);
  }
};
/// y = 1 / x.
struct Reciprocal {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return T(1) / x;
  }
};
/// y = x^2.
struct Square {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return x * x;
  }
};
/// Hyperbolic tangent.
struct Tanh {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::tanh;
    return tanh(x);
  }
};
/// Logistic function, y = 1 / (1 + e^-x).
struct Sigmoid {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::exp;
    return T(1) / (T(1) + exp(-x));
  }
};
/// y = max(x, 0); NaN stays NaN.
struct Relu {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x <= T(0), T(0), x);
  }
};
/// y = 1 where x > 0, else 0 (also for NaN): the derivative of Relu.
struct Step {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x > T(0), T(1), T(0));
  }
};
/// y = x where x > 0, else slope * x.
struct LeakyRelu {
  double slope;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x > T(0), x, x * T(slope));
  }
};
/// y = 1 where x > 0, else slope: the derivative of LeakyRelu.
struct LeakyStep {
  double slope;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x > T(0), T(1), T(slope));
  }
};
/// Error function.
struct Erf {
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
struct Gelu {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return x * normal_cdf(x);
  }
};
/// The same with the tanh approximation: y = x/2 (1 + tanh(u)), u = sqrt(2/pi) (x + 0.044715 x^3),
/// written as x sigmoid(2u).
struct GeluTanh {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    const T u = T(2 * kSqrt2OverPi) * (x + T(kGeluCubic) * x * x * x);
    return x * Sigmoid{}(u);
  }
};
/// y = x sigmoid(x).
struct Silu {
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return x * Sigmoid{}(x);
  }
};
/// y = x + a.
struct AddScalar {
  double a;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return x + T(a);
  }
};
/// y = x a.
struct MulScalar {
  double a;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return x * T(a);
  }
};
/// y = x^a.
struct PowScalar {
  double a;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    using std::pow;
    return pow(x, T(a));
  }
};
/// y = x clamped to [low, high]; NaN stays NaN.
struct Clamp {
  double low, high;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x < T(low), T(low), select(x > T(high), T(high), x));
  }
};
/// y = 1 where low <= x <= high, else 0: the derivative of Clamp.
struct ClampMask {
  double low, high;
  template <class T>
  BASIN_BOTH T operator()(T x) const {
    return select(x >= T(low), select(x <= T(high), T(1), T(0)), T(0));
  }
};

// ---- binary: y = f(x, z) ----

struct Add {
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return x + z;
  }
};
struct Sub {
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return x - z;
  }
};
struct Mul {
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return x * z;
  }
};
struct Div {
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return x / z;
  }
};
/// y = x^z.
struct Pow {
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    using std::pow;
    return pow(x, z);
  }
};
/// The larger; x where they are equal; NaN where either is.
struct Maximum {
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return select(x >= z, x, select(x < z, z, x + z));
  }
};
/// The smaller; x where they are equal; NaN where either is.
struct Minimum {
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return select(x <= z, x, select(x > z, z, x + z));
  }
};
/// 1 where x > z, else 0.
struct Greater {
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return select(x > z, T(1), T(0));
  }
};
/// 1 where x >= z, else 0.
struct GreaterEqual {
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return select(x >= z, T(1), T(0));
  }
};
/// 1 where x == z, else 0.
struct Equal {
  template <class T>
  BASIN_BOTH T operator()(T x, T z) const {
    return select(x == z, T(1), T(0));
  }
};
/// g (1 - y^2), y = tanh(x).
struct TanhGrad {
  template <class T>
  BASIN_BOTH T operator()(T g, T y) const {
    return g * (T(1) - y * y);
  }
};
/// g y (1 - y), y = sigmoid(x).
struct SigmoidGrad {
  template <class T>
  BASIN_BOTH T operator()(T g, T y) const {
    return g * y * (T(1) - y);
  }
};
/// g where y > 0, else 0; y = relu(x).
struct ReluGrad {
  template <class T>
  BASIN_BOTH T operator()(T g, T y) const {
    return select(y > T(0), g, T(0));
  }
};
/// g (P(Z <= x) + x p(x)), p the standard normal density.
struct GeluGrad {
  template <class T>
  BASIN_BOTH T operator()(T g, T x) const {
    using std::exp;
    return g * (normal_cdf(x) + x * (T(kInvSqrt2Pi) * exp(T(-0.5) * x * x)));
  }
};
/// g (s + x s (1 - s) 2u'), s = sigmoid(2u), u as in GeluTanh.
struct GeluTanhGrad {
  template <class T>
  BASIN_BOTH T operator()(T g, T x) const {
    const T s = Sigmoid{}(T(2 * kSqrt2OverPi) * (x + T(kGeluCubic) * x * x * x));
    const T slope = T(2 * kSqrt2OverPi) * (T(1) + T(3 * kGeluCubic) * x * x);
    return g * (s + x * s * (T(1) - s) * slope);
  }
};
/// g s (1 + x (1 - s)), s = sigmoid(x).
struct SiluGrad {
  template <class T>
  BASIN_BOTH T operator()(T g, T x) const {
    const T s = Sigmoid{}(x);
    return g * s * (T(1) + x * (T(1) - s));
  }
};

// ---- from the enumerations to the formulas ----

/// Calls body(functor) for the functor of `op` (which ops.cpp has checked: code for all instruction sets must
/// not throw).
template <class Body>
void with_unary(UnaryOp op, double a, double b, Body&& body) {
  switch (op) {
    case UnaryOp::copy:
      return body(Copy{});
    case UnaryOp::neg:
      return body(Neg{});
    case UnaryOp::abs:
      return body(Abs{});
    case UnaryOp::sign:
      return body(Sign{});
    case UnaryOp::exp:
      return body(Exp{});
    case UnaryOp::log:
      return body(Log{});
    case UnaryOp::sqrt:
      return body(Sqrt{});
    case UnaryOp::rsqrt:
      return body(Rsqrt{});
    case UnaryOp::reciprocal:
      return body(Reciprocal{});
    case UnaryOp::square:
      return body(Square{});
    case UnaryOp::tanh:
      return body(Tanh{});
    case UnaryOp::sigmoid:
      return body(Sigmoid{});
    case UnaryOp::relu:
      return body(Relu{});
    case UnaryOp::step:
      return body(Step{});
    case UnaryOp::leaky_relu:
      return body(LeakyRelu{a});
    case UnaryOp::leaky_step:
      return body(LeakyStep{a});
    case UnaryOp::erf:
      return body(Erf{});
    case UnaryOp::gelu:
      return body(Gelu{});
    case UnaryOp::gelu_tanh:
      return body(GeluTanh{});
    case UnaryOp::silu:
      return body(Silu{});
    case UnaryOp::add_scalar:
      return body(AddScalar{a});
    case UnaryOp::mul_scalar:
      return body(MulScalar{a});
    case UnaryOp::pow_scalar:  // squares and inverses need no pow
      if (a == 2) return body(Square{});
      if (a == -1) return body(Reciprocal{});
      return body(PowScalar{a});
    case UnaryOp::clamp:
      return body(Clamp{a, b});
    case UnaryOp::clamp_mask:
      return body(ClampMask{a, b});
    case UnaryOp::count_:
      break;
  }
}

/// Calls body(functor) for the functor of `op` (which ops.cpp has checked: code for all instruction sets must
/// not throw).
template <class Body>
void with_binary(BinaryOp op, Body&& body) {
  switch (op) {
    case BinaryOp::add:
      return body(Add{});
    case BinaryOp::sub:
      return body(Sub{});
    case BinaryOp::mul:
      return body(Mul{});
    case BinaryOp::div:
      return body(Div{});
    case BinaryOp::pow:
      return body(Pow{});
    case BinaryOp::maximum:
      return body(Maximum{});
    case BinaryOp::minimum:
      return body(Minimum{});
    case BinaryOp::greater:
      return body(Greater{});
    case BinaryOp::greater_equal:
      return body(GreaterEqual{});
    case BinaryOp::equal:
      return body(Equal{});
    case BinaryOp::tanh_grad:
      return body(TanhGrad{});
    case BinaryOp::sigmoid_grad:
      return body(SigmoidGrad{});
    case BinaryOp::relu_grad:
      return body(ReluGrad{});
    case BinaryOp::gelu_grad:
      return body(GeluGrad{});
    case BinaryOp::gelu_tanh_grad:
      return body(GeluTanhGrad{});
    case BinaryOp::silu_grad:
      return body(SiluGrad{});
    case BinaryOp::count_:
      break;
  }
}

}  // namespace basin::functors
