// Differentiable ops that work element by element: arithmetic with broadcasting, functions, activations.
#include <cmath>
#include <numbers>

#include "autograd/ops/deferred.h"
#include "autograd/ops/op_support.h"

namespace basin {
namespace {

Tensor apply(UnaryOp op, const Variable& x, double a = 0, double b = 0) { return unary(op, x.value(), a, b); }

}  // namespace

Variable relu_grad(const Variable& g, const Variable& y) {
  return record("relu_grad", binary(BinaryOp::relu_grad, g.value(), y.value()), {g, y.detach()}, Keep::second,
                [](const Backward& b) -> Variables {
                  return {relu_grad(b.grad(), b.input(1)), none};
                });
}

namespace {

/// The share of an extremum's derivative that goes to its first operand: 1 where that one won, 1/2 at a tie.
Variable share(const Tensor& won, const Tensor& won_or_tied) {
  return unary(UnaryOp::mul_scalar, won + won_or_tied, 0.5);
}

/// dL/dx = g s, dL/dy = g (1 - s), s the share of x: the derivative of maximum and minimum.
Variables split(const Backward& b, const Variable& s) {
  return {b.needs(0) ? cotangent_of(b, 0, b.grad() * s) : none,
          b.needs(1) ? cotangent_of(b, 1, b.grad() * (1 - s)) : none};
}

/// Normal distribution function and density.
Variable normal_cdf(const Variable& x) { return 0.5 * (1 + erf(x * std::sqrt(0.5))); }
Variable normal_density(const Variable& x) {
  return exp(square(x) * -0.5) * (0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2);
}

}  // namespace

// --- Arithmetic. A stretched operand's cotangent is summed over the axes along which it was stretched.

Variable operator+(const Variable& x, const Variable& y) {
  if (Variable later = deferred_sum(x, y); later.defined()) return later;
  return record("add", x.value() + y.value(), {x, y}, Keep::nothing, [](const Backward& b) -> Variables {
    return {b.needs(0) ? cotangent_of(b, 0, b.grad()) : none,
            b.needs(1) ? cotangent_of(b, 1, b.grad()) : none};
  });
}

Variable operator-(const Variable& x, const Variable& y) {
  return record("sub", x.value() - y.value(), {x, y}, Keep::nothing, [](const Backward& b) -> Variables {
    return {b.needs(0) ? cotangent_of(b, 0, b.grad()) : none,
            b.needs(1) ? -cotangent_of(b, 1, b.grad()) : none};
  });
}

Variable operator*(const Variable& x, const Variable& y) {
  return record("mul", x.value() * y.value(), {x, y}, other_factor(x, y), [](const Backward& b) -> Variables {
    return {b.needs(0) ? cotangent_of(b, 0, b.grad() * b.input(1)) : none,
            b.needs(1) ? cotangent_of(b, 1, b.grad() * b.input(0)) : none};
  });
}

// z = x / y: dz = (dx - z dy) / y.
Variable operator/(const Variable& x, const Variable& y) {
  const Keep keep = y.tracked() ? Keep::second | Keep::output : Keep::second;
  return record("div", x.value() / y.value(), {x, y}, keep, [](const Backward& b) -> Variables {
    const Variable q = b.grad() / b.input(1);
    return {b.needs(0) ? cotangent_of(b, 0, q) : none,
            b.needs(1) ? -cotangent_of(b, 1, q * b.output()) : none};
  });
}

Variable operator-(const Variable& x) {
  return record("neg", apply(UnaryOp::neg, x), {x}, Keep::nothing,
                [](const Backward& b) -> Variables { return {-b.grad()}; });
}

Variable operator+(const Variable& x, double a) {
  return record({"add_scalar", a}, apply(UnaryOp::add_scalar, x, a), {x}, Keep::nothing,
                [](const Backward& b) -> Variables { return {b.grad()}; });
}
Variable operator+(double a, const Variable& x) { return x + a; }
Variable operator-(const Variable& x, double a) { return x + -a; }
Variable operator-(double a, const Variable& x) { return -x + a; }

Variable operator*(const Variable& x, double a) {
  return record({"mul_scalar", a}, apply(UnaryOp::mul_scalar, x, a), {x}, Keep::nothing,
                [a](const Backward& b) -> Variables { return {b.grad() * a}; });
}
Variable operator*(double a, const Variable& x) { return x * a; }
Variable operator/(const Variable& x, double a) { return x / scalar_like(x, a); }
Variable operator/(double a, const Variable& x) { return scalar_like(x, a) / x; }

// --- Functions.

Variable to(const Variable& x, Dtype dtype) {
  if (!has_derivatives(dtype))
    throw ArgumentError("[to] derivatives need f32, f64 or bf16, not ", dtype, ": convert value()");
  if (x.dtype() == dtype) return x;
  return record({"to", dtype}, x.value().to(dtype), {x}, Keep::nothing,
                [](const Backward& b) -> Variables { return {to(b.grad(), b.input_dtype(0))}; });
}

// d|x| = sign(x); the sign's own derivative is zero.
Variable abs(const Variable& x) {
  return record("abs", apply(UnaryOp::abs, x), {x}, Keep::first, [](const Backward& b) -> Variables {
    return {b.grad() * Variable(apply(UnaryOp::sign, b.input(0)))};
  });
}

Variable exp(const Variable& x) {
  return record("exp", apply(UnaryOp::exp, x), {x}, Keep::output,
                [](const Backward& b) -> Variables { return {b.grad() * b.output()}; });
}

Variable log(const Variable& x) {
  return record("log", apply(UnaryOp::log, x), {x}, Keep::first,
                [](const Backward& b) -> Variables { return {b.grad() / b.input(0)}; });
}

// y = x^(1/2): y' = 1 / (2 y).
Variable sqrt(const Variable& x) {
  return record("sqrt", apply(UnaryOp::sqrt, x), {x}, Keep::output,
                [](const Backward& b) -> Variables { return {b.grad() / (2 * b.output())}; });
}

// y = x^(-1/2): y' = -y^3 / 2.
Variable rsqrt(const Variable& x) {
  return record("rsqrt", apply(UnaryOp::rsqrt, x), {x}, Keep::output, [](const Backward& b) -> Variables {
    const Variable y = b.output();
    return {b.grad() * (-0.5 * square(y) * y)};
  });
}

// y = 1/x: y' = -y^2.
Variable reciprocal(const Variable& x) {
  return record("reciprocal", apply(UnaryOp::reciprocal, x), {x}, Keep::output,
                [](const Backward& b) -> Variables { return {b.grad() * -square(b.output())}; });
}

Variable square(const Variable& x) {
  return record("square", apply(UnaryOp::square, x), {x}, Keep::first,
                [](const Backward& b) -> Variables { return {b.grad() * (2 * b.input(0))}; });
}

// (x^a)' = a x^(a-1). The constant x^0 is its own case: 0 * x^-1 would be no number at x = 0.
Variable pow(const Variable& x, double a) {
  return record({"pow", a}, apply(UnaryOp::pow_scalar, x, a), {x}, Keep::first,
                [a](const Backward& b) -> Variables {
                  return {a == 0 ? none : b.grad() * (a * pow(b.input(0), a - 1))};
                });
}

// z = x^y: dz = y x^(y-1) dx + z log(x) dy.
Variable pow(const Variable& x, const Variable& y) {
  return record("pow", binary(BinaryOp::pow, x.value(), y.value()), {x, y}, Keep::inputs | Keep::output,
                [](const Backward& b) -> Variables {
                  const Variable u = b.input(0), v = b.input(1);
                  return {b.needs(0) ? cotangent_of(b, 0, b.grad() * v * pow(u, v - 1)) : none,
                          b.needs(1) ? cotangent_of(b, 1, b.grad() * b.output() * log(u)) : none};
                });
}

// y = tanh(x): y' = 1 - y^2.
Variable tanh(const Variable& x) {
  return record("tanh", apply(UnaryOp::tanh, x), {x}, Keep::output, [](const Backward& b) -> Variables {
    return {slope(BinaryOp::tanh_grad, b.grad(), b.output(),
                  [](const Variable& g, const Variable& y) { return g * (1 - square(y)); })};
  });
}

// y = 1 / (1 + e^-x): y' = y (1 - y).
Variable sigmoid(const Variable& x) {
  return record("sigmoid", apply(UnaryOp::sigmoid, x), {x}, Keep::output, [](const Backward& b) -> Variables {
    return {slope(BinaryOp::sigmoid_grad, b.grad(), b.output(),
                  [](const Variable& g, const Variable& y) { return g * y * (1 - y); })};
  });
}

// erf'(x) = 2/sqrt(pi) exp(-x^2).
Variable erf(const Variable& x) {
  return record("erf", apply(UnaryOp::erf, x), {x}, Keep::first, [](const Backward& b) -> Variables {
    return {b.grad() * (exp(-square(b.input(0))) * (2 * std::numbers::inv_sqrtpi))};
  });
}

// --- Activations.

Variable relu(const Variable& x) {
  if (Variable later = deferred_relu(x); later.defined()) return later;
  return record("relu", apply(UnaryOp::relu, x), {x}, Keep::output,
                [](const Backward& b) -> Variables { return {relu_grad(b.grad(), b.output())}; });
}

Variable leaky_relu(const Variable& x, double negative_slope) {
  return record({"leaky_relu", negative_slope}, apply(UnaryOp::leaky_relu, x, negative_slope), {x},
                Keep::first, [negative_slope](const Backward& b) -> Variables {
                  return {b.grad() * Variable(apply(UnaryOp::leaky_step, b.input(0), negative_slope))};
                });
}

// (x P(x))' = P(x) + x p(x), P the normal distribution function and p its density.
Variable gelu(const Variable& x) {
  return record("gelu", apply(UnaryOp::gelu, x), {x}, Keep::first, [](const Backward& b) -> Variables {
    return {slope(BinaryOp::gelu_grad, b.grad(), b.input(0), [](const Variable& g, const Variable& u) {
      return g * (normal_cdf(u) + u * normal_density(u));
    })};
  });
}

// y = x s(2v), v = sqrt(2/pi) (x + 0.044715 x^3), s the sigmoid: y' = s + x s (1 - s) 2v'.
Variable gelu_tanh(const Variable& x) {
  return record(
      "gelu_tanh", apply(UnaryOp::gelu_tanh, x), {x}, Keep::first, [](const Backward& b) -> Variables {
        return {
            slope(BinaryOp::gelu_tanh_grad, b.grad(), b.input(0), [](const Variable& g, const Variable& u) {
              const double two_c = 2 * std::sqrt(2 * std::numbers::inv_pi), cubic = 0.044715;
              const Variable s = sigmoid(two_c * (u + cubic * (u * square(u))));
              return g * (s + u * s * (1 - s) * (two_c * (1 + 3 * cubic * square(u))));
            })};
      });
}

// y = x s(x), s the sigmoid: y' = s (1 + x (1 - s)).
Variable silu(const Variable& x) {
  return record("silu", apply(UnaryOp::silu, x), {x}, Keep::first, [](const Backward& b) -> Variables {
    return {slope(BinaryOp::silu_grad, b.grad(), b.input(0), [](const Variable& g, const Variable& u) {
      const Variable s = sigmoid(u);
      return g * s * (1 + u * (1 - s));
    })};
  });
}

// --- Choices. Which element is chosen is data: it has no derivative.

Variable maximum(const Variable& x, const Variable& y) {
  return record("maximum", binary(BinaryOp::maximum, x.value(), y.value()), {x, y}, Keep::inputs,
                [](const Backward& b) {
                  const Tensor u = b.input(0).value(), v = b.input(1).value();
                  return split(b,
                               share(binary(BinaryOp::greater, u, v), binary(BinaryOp::greater_equal, u, v)));
                });
}

Variable minimum(const Variable& x, const Variable& y) {
  return record("minimum", binary(BinaryOp::minimum, x.value(), y.value()), {x, y}, Keep::inputs,
                [](const Backward& b) {
                  const Tensor u = b.input(0).value(), v = b.input(1).value();
                  return split(b,
                               share(binary(BinaryOp::greater, v, u), binary(BinaryOp::greater_equal, v, u)));
                });
}

Variable clamp(const Variable& x, double low, double high) {
  if (!(low <= high)) throw ArgumentError("[clamp] the interval [", low, ", ", high, "] is empty");
  return record({"clamp", attribute::Interval{low, high}}, apply(UnaryOp::clamp, x, low, high), {x},
                Keep::first, [low, high](const Backward& b) -> Variables {
                  return {b.grad() * Variable(apply(UnaryOp::clamp_mask, b.input(0), low, high))};
                });
}

Variable where(const Tensor& condition, const Variable& x, const Variable& y) {
  return record("where", where(condition, x.value(), y.value()), {x, y, condition}, Keep::third,
                [](const Backward& b) -> Variables {
                  const Tensor chosen = b.input(2).value();
                  const Variable zero = Tensor::zeros({}, b.grad().dtype(), b.grad().value().device());
                  return {b.needs(0) ? cotangent_of(b, 0, where(chosen, b.grad(), zero)) : none,
                          b.needs(1) ? cotangent_of(b, 1, where(chosen, zero, b.grad())) : none, none};
                });
}

}  // namespace basin
