// Rows of the table: arithmetic and functions, element by element.
#include "autograd/check/op_cases_support.h"

namespace basin {
namespace {

const Shape kShapes[] = {{}, {1}, {3}, {2, 3, 5}, {0, 3}};

using Maker = std::function<Tensor(Draws&, const Shape&)>;
using Unary = std::function<Variable(const Variable&)>;
using Binary = std::function<Variable(const Variable&, const Variable&)>;

const Maker anywhere = [](Draws& d, const Shape& s) { return d.normal(s); };
const Maker not_zero = [](Draws& d, const Shape& s) { return d.both_signs(s, 0.3, 2); };
const Maker positive = [](Draws& d, const Shape& s) { return d.between(s, 0.3, 3); };

OpCase unary(const std::string& name, const std::vector<std::string>& declarations, const Maker& make,
             Unary f) {
  OpCase row{name, declarations, {}};
  Draws draws(11);
  for (const Shape& s : kShapes)
    row.instances.push_back({text(s), [f](const Variables& in) { return f(in[0]); }, {make(draws, s)}});
  return row;
}

/// Every way to broadcast: none, scalars, either side, both at once, and the same operand twice.
OpCase binary(const std::string& name, const std::vector<std::string>& declarations, const Maker& make_x,
              const Maker& make_y, Binary f) {
  const std::pair<Shape, Shape> shapes[] = {
      {{}, {}},         {{1}, {1}},       {{2, 3, 5}, {2, 3, 5}}, {{}, {2, 3}},           {{2, 3}, {}},
      {{2, 3, 5}, {5}}, {{5}, {2, 3, 5}}, {{2, 3, 5}, {2, 1, 5}}, {{2, 1, 5}, {2, 3, 1}}, {{3, 1}, {1, 4}},
      {{1, 4}, {3, 1}}, {{7}, {1, 7}},    {{0, 3}, {3}},          {{1, 1}, {3}}};
  OpCase row{name, declarations, {}};
  Draws draws(12);
  for (const auto& [sx, sy] : shapes)
    row.instances.push_back({text(sx, " with ", sy),
                             [f](const Variables& in) { return f(in[0], in[1]); },
                             {make_x(draws, sx), make_y(draws, sy)}});
  return row;
}

OpInstance same_twice(Binary f, const Shape& s) {
  return {"the same operand twice",
          [f](const Variables& in) { return f(in[0], in[0]); },
          {Draws(13).between(s, 0.3, 3)}};
}

/// To another dtype and back, in f64 by f32: a thousandth of it beside x^2, so that the rounding to f32 stays
/// below what differences can tell.
Variable converted(const Variable& x) {
  const Dtype other = x.dtype() == Dtype::f32 ? Dtype::f64 : Dtype::f32;
  return square(x) + 1e-3 * to(square(to(x, other)), x.dtype());
}

OpCase powers() {
  OpCase row{"pow", {"pow(Variable, double)"}, {}};
  Draws draws(14);
  for (double a : {-2.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 2.5}) {
    const bool whole = a == static_cast<double>(static_cast<int>(a));
    for (const Shape& s : kShapes)
      row.instances.push_back({text("exponent ", a, " ", s),
                               [a](const Variables& in) { return pow(in[0], a); },
                               {whole ? draws.both_signs(s, 0.4, 2) : draws.between(s, 0.4, 2)}});
  }
  return row;
}

OpCase clamps() {
  OpCase row = unary("clamp", {"clamp(Variable, double, double)"}, not_zero,
                     [](const Variable& x) { return clamp(x, -0.05, 0.05); });
  row.instances.push_back({"partly inside",
                           [](const Variables& in) { return clamp(in[0], -1.03, 0.52); },
                           {Draws(15).distinct({3, 7}, 0.1)}});
  return row;
}

OpCase choices() {
  OpCase row{"where", {"where(Tensor, Variable, Variable)"}, {}};
  Draws draws(16);
  const Tensor some = Tensor::from<std::uint8_t>({1, 0, 0, 1, 0, 1}, {2, 3}), row_mask = some.view(0, {3});
  const auto add = [&](const Tensor& condition, const Shape& sx, const Shape& sy) {
    row.instances.push_back(
        {text("condition ", condition.shape(), ", ", sx, " with ", sy),
         [condition](const Variables& in) { return where(beside(in[0], condition), in[0], in[1]); },
         {draws.normal(sx), draws.normal(sy)}});
  };
  add(some, {2, 3}, {2, 3});
  add(some, {}, {2, 3});
  add(some, {2, 3}, {1});
  add(row_mask, {2, 3}, {4, 1, 1});
  add(Tensor::from<std::uint8_t>({1}, {}), {}, {});
  add(row_mask, {0, 3}, {3});
  return row;
}

}  // namespace

std::vector<OpCase> arithmetic_cases() {
  const Maker even = [](Draws& d, const Shape& s) { return d.distinct(s, 0.2); };
  const Maker odd = [](Draws& d, const Shape& s) { return d.distinct(s, 0.2, 0.1); };
  std::vector<OpCase> rows{
      binary("add", {"operator+(Variable, Variable)"}, anywhere, anywhere, std::plus<>()),
      binary("sub", {"operator-(Variable, Variable)"}, anywhere, anywhere, std::minus<>()),
      binary("mul", {"operator*(Variable, Variable)"}, anywhere, anywhere, std::multiplies<>()),
      binary("div", {"operator/(Variable, Variable)"}, anywhere, not_zero, std::divides<>()),
      unary("neg", {"operator-(Variable)"}, anywhere, std::negate<>()),
      unary("add_scalar", {"operator+(Variable, double)", "operator+(double, Variable)"}, anywhere,
            [](const Variable& x) { return square(x + 0.7) * square(1.3 + x); }),
      unary("sub_scalar", {"operator-(Variable, double)", "operator-(double, Variable)"}, anywhere,
            [](const Variable& x) { return square(x - 0.7) * square(1.3 - x); }),
      unary("mul_scalar", {"operator*(Variable, double)", "operator*(double, Variable)"}, anywhere,
            [](const Variable& x) { return square(x * -0.7) + 3 * x; }),
      unary("div_scalar", {"operator/(Variable, double)", "operator/(double, Variable)"}, not_zero,
            [](const Variable& x) { return square(x / -0.7) + 0.3 / x; }),
      powers(),
      binary("pow_variable", {"pow(Variable, Variable)"}, positive, anywhere,
             [](const Variable& x, const Variable& y) { return pow(x, y); }),
      binary("maximum", {"maximum(Variable, Variable)"}, even, odd, maximum),
      binary("minimum", {"minimum(Variable, Variable)"}, even, odd, minimum),
      clamps(),
      choices(),
  };
  rows[0].instances.push_back(same_twice(std::plus<>(), {2, 3}));
  rows[1].instances.push_back(same_twice(std::minus<>(), {2, 3}));
  rows[2].instances.push_back(same_twice(std::multiplies<>(), {2, 3}));
  rows[3].instances.push_back(same_twice(std::divides<>(), {2, 3}));
  rows[10].instances.push_back(
      same_twice([](const Variable& x, const Variable& y) { return pow(x, y); }, {2, 3}));
  return rows;
}

std::vector<OpCase> function_cases() {
  return {
      unary("to", {"to(Variable, Dtype)"}, anywhere, converted),
      unary("abs", {"abs(Variable)"}, not_zero, abs),
      unary("exp", {"exp(Variable)"}, anywhere, exp),
      unary("log", {"log(Variable)"}, positive, log),
      unary("sqrt", {"sqrt(Variable)"}, positive, sqrt),
      unary("rsqrt", {"rsqrt(Variable)"}, positive, rsqrt),
      unary("reciprocal", {"reciprocal(Variable)"}, not_zero, reciprocal),
      unary("square", {"square(Variable)"}, anywhere, square),
      unary("tanh", {"tanh(Variable)"}, anywhere, tanh),
      unary("sigmoid", {"sigmoid(Variable)"}, anywhere, sigmoid),
      unary("erf", {"erf(Variable)"}, anywhere, erf),
      unary("relu", {"relu(Variable)"}, not_zero, relu),
      unary("leaky_relu", {"leaky_relu(Variable, double)"}, not_zero,
            [](const Variable& x) { return leaky_relu(x, 0.2); }),
      unary("gelu", {"gelu(Variable)"}, anywhere, gelu),
      unary("gelu_tanh", {"gelu_tanh(Variable)"}, anywhere, gelu_tanh),
      unary("silu", {"silu(Variable)"}, anywhere, silu),
  };
}

}  // namespace basin
