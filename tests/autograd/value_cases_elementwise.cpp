// Values of the elementwise ops against <cmath>.
#include <cmath>

#include "autograd/check/op_cases_support.h"
#include "tests/autograd/naive.h"

namespace basin {
namespace {

using naive::Array;

class Values {
 public:
  void unary(const std::string& op, const Tensor& x, const std::function<Variable(const Variable&)>& f,
             const std::function<double(double)>& expected) {
    all.push_back({op, [f](const Variables& in) { return f(in[0]); }, {x}, naive::map(Array(x), expected)});
  }
  void binary(const std::string& op, const Tensor& x, const Tensor& y,
              const std::function<Variable(const Variable&, const Variable&)>& f,
              const std::function<double(double, double)>& expected) {
    all.push_back({op,
                   [f](const Variables& in) { return f(in[0], in[1]); },
                   {x, y},
                   naive::zip(Array(x), Array(y), expected)});
  }
  std::vector<ValueCase> all;
};

double sigmoid_of(double v) { return 1 / (1 + std::exp(-v)); }

}  // namespace

std::vector<ValueCase> elementwise_values() {
  Values v;
  Draws d(61);
  const std::pair<Shape, Shape> shapes[] = {
      {{}, {}}, {{7}, {7}}, {{2, 3, 5}, {5}}, {{3, 1}, {2, 1, 4}}, {{1}, {2, 3}}, {{0, 3}, {3}}};
  for (const auto& [sx, sy] : shapes) {
    const Tensor x = d.normal(sx), y = d.normal(sy), apart = d.both_signs(sy, 0.3, 2),
                 positive = d.between(sx, 0.2, 3);
    v.binary("add", x, y, std::plus<>(), [](double a, double b) { return a + b; });
    v.binary("sub", x, y, std::minus<>(), [](double a, double b) { return a - b; });
    v.binary("mul", x, y, std::multiplies<>(), [](double a, double b) { return a * b; });
    v.binary("div", x, apart, std::divides<>(), [](double a, double b) { return a / b; });
    v.binary(
        "pow_variable", positive, y, [](const Variable& a, const Variable& b) { return pow(a, b); },
        [](double a, double b) { return std::pow(a, b); });
    v.binary("maximum", x, y, maximum, [](double a, double b) { return a > b ? a : b; });
    v.binary("minimum", x, y, minimum, [](double a, double b) { return a < b ? a : b; });
  }
  for (const Shape& s : {Shape{}, Shape{1}, Shape{37}, Shape{2, 3, 5}, Shape{0, 2}}) {
    const Tensor x = d.normal(s), apart = d.both_signs(s, 0.2, 3), positive = d.between(s, 0.2, 3);
    v.unary("neg", x, std::negate<>(), [](double a) { return -a; });
    v.unary(
        "add_scalar", x, [](const Variable& a) { return 0.25 + (a + 1.5); },
        [](double a) { return a + 1.75; });
    v.unary(
        "sub_scalar", x, [](const Variable& a) { return 0.25 - (a - 1.5); },
        [](double a) { return 1.75 - a; });
    v.unary(
        "mul_scalar", x, [](const Variable& a) { return 0.5 * (a * 3); }, [](double a) { return 1.5 * a; });
    v.unary(
        "div_scalar", apart, [](const Variable& a) { return 2 / (a / 3); }, [](double a) { return 6 / a; });
    for (double e : {-2.0, 0.0, 0.5, 1.0, 3.0})
      v.unary(
          "pow", positive, [e](const Variable& a) { return pow(a, e); },
          [e](double a) { return std::pow(a, e); });
    v.unary(
        "to", x,
        [](const Variable& a) {
          return to(to(a, a.dtype() == Dtype::f32 ? Dtype::f64 : Dtype::f32), a.dtype());
        },
        [](double a) { return static_cast<double>(static_cast<float>(a)); });
    v.unary("abs", x, abs, [](double a) { return std::abs(a); });
    v.unary("exp", x, exp, [](double a) { return std::exp(a); });
    v.unary("log", positive, log, [](double a) { return std::log(a); });
    v.unary("sqrt", positive, sqrt, [](double a) { return std::sqrt(a); });
    v.unary("rsqrt", positive, rsqrt, [](double a) { return 1 / std::sqrt(a); });
    v.unary("reciprocal", apart, reciprocal, [](double a) { return 1 / a; });
    v.unary("square", x, square, [](double a) { return a * a; });
    v.unary("tanh", x, tanh, [](double a) { return std::tanh(a); });
    v.unary("sigmoid", x, sigmoid, sigmoid_of);
    v.unary("erf", x, erf, [](double a) { return std::erf(a); });
    v.unary("relu", x, relu, [](double a) { return a > 0 ? a : 0; });
    v.unary(
        "leaky_relu", x, [](const Variable& a) { return leaky_relu(a, 0.1); },
        [](double a) { return a > 0 ? a : 0.1 * a; });
    v.unary("gelu", x, gelu, [](double a) { return a * std::erfc(-a / std::sqrt(2.0)) / 2; });
    v.unary("gelu_tanh", x, gelu_tanh, [](double a) {
      return a / 2 * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (a + 0.044715 * a * a * a)));
    });
    v.unary("silu", x, silu, [](double a) { return a * sigmoid_of(a); });
    v.unary(
        "clamp", x, [](const Variable& a) { return clamp(a, -0.5, 0.25); },
        [](double a) { return a < -0.5   ? -0.5
                              : a > 0.25 ? 0.25
                                         : a; });
  }
  const Tensor condition = Tensor::from<std::uint8_t>({1, 0, 0, 1, 7, 0}, {2, 3});
  const Tensor x = d.normal({2, 3}), y = d.normal({3});
  Array chosen = naive::zip(Array(x), Array(y), [](double a, double) { return a; });
  for (std::size_t i : {1, 2, 5}) chosen.values[i] = Array(y).values[i % 3];
  v.all.push_back(
      {"where", [condition](const Variables& in) { return where(condition, in[0], in[1]); }, {x, y}, chosen});
  return v.all;
}

}  // namespace basin
