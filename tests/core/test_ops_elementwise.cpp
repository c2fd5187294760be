// Elementwise operations against their formulas in f64; broadcasting against index arithmetic.
#include "tests/core/tensor_testing.h"

namespace {

using namespace tensor_testing;

struct Unary {
  UnaryOp op;
  double (*exact)(double x, double a, double b);
  double low = -3, high = 3, a = 0, b = 0;
};

double normal_cdf(double x) { return 0.5 * std::erfc(-x * std::sqrt(0.5)); }
double normal_pdf(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0)); }
double logistic(double x) { return 1 / (1 + std::exp(-x)); }
double tanh_argument(double x) { return std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x); }

const Unary kUnary[] = {
    {UnaryOp::copy, [](double x, double, double) { return x; }},
    {UnaryOp::neg, [](double x, double, double) { return -x; }},
    {UnaryOp::abs, [](double x, double, double) { return std::fabs(x); }},
    {UnaryOp::sign, [](double x, double, double) { return x > 0   ? 1.0
                                                          : x < 0 ? -1.0
                                                                  : 0.0; }},
    {UnaryOp::exp, [](double x, double, double) { return std::exp(x); }},
    {UnaryOp::log, [](double x, double, double) { return std::log(x); }, 0.01, 5},
    {UnaryOp::sqrt, [](double x, double, double) { return std::sqrt(x); }, 0, 5},
    {UnaryOp::rsqrt, [](double x, double, double) { return 1 / std::sqrt(x); }, 0.01, 5},
    {UnaryOp::reciprocal, [](double x, double, double) { return 1 / x; }, 0.1, 5},
    {UnaryOp::square, [](double x, double, double) { return x * x; }},
    {UnaryOp::tanh, [](double x, double, double) { return std::tanh(x); }},
    {UnaryOp::sigmoid, [](double x, double, double) { return logistic(x); }},
    {UnaryOp::relu, [](double x, double, double) { return x > 0 ? x : 0; }},
    {UnaryOp::step, [](double x, double, double) { return x > 0 ? 1.0 : 0.0; }},
    {UnaryOp::leaky_relu, [](double x, double a, double) { return x > 0 ? x : a * x; }, -3, 3, 0.125},
    {UnaryOp::leaky_step, [](double x, double a, double) { return x > 0 ? 1 : a; }, -3, 3, 0.125},
    {UnaryOp::erf, [](double x, double, double) { return std::erf(x); }},
    {UnaryOp::gelu, [](double x, double, double) { return x * normal_cdf(x); }},
    {UnaryOp::gelu_tanh,
     [](double x, double, double) { return 0.5 * x * (1 + std::tanh(tanh_argument(x))); }},
    {UnaryOp::silu, [](double x, double, double) { return x * logistic(x); }},
    {UnaryOp::add_scalar, [](double x, double a, double) { return x + a; }, -3, 3, 0.75},
    {UnaryOp::mul_scalar, [](double x, double a, double) { return x * a; }, -3, 3, -1.5},
    {UnaryOp::pow_scalar, [](double x, double a, double) { return std::pow(x, a); }, 0.1, 3, 2.5},
    {UnaryOp::clamp, [](double x, double a, double b) { return std::fmin(std::fmax(x, a), b); }, -3, 3, -1,
     1.5},
    {UnaryOp::clamp_mask, [](double x, double a, double b) { return x >= a && x <= b ? 1.0 : 0.0; }, -3, 3,
     -1, 1.5},
};

TEST_CASE("unary operations") {
  CHECK(std::size(kUnary) == static_cast<std::size_t>(UnaryOp::count_));
  for_instruction_sets([] {
    for (const Unary& u : kUnary)
      for (Dtype dtype : kBothDtypes)
        for (const Shape& shape : {Shape{}, Shape{1}, Shape{0}, Shape{7, 5}, Shape{3, 1, 11}, Shape{20011}}) {
          CAPTURE(name_of(u.op));
          CAPTURE(dtype);
          CAPTURE(shape);
          const Tensor x = random(shape, dtype, 5, u.low, u.high);
          const Tensor y = unary(u.op, x, u.a, u.b);
          Values want = values_of(x);
          for (double& v : want) v = u.exact(v, u.a, u.b);
          CHECK(y.shape() == shape);
          CHECK(y.dtype() == dtype);
          CHECK(largest_error(y, want) < tolerance(dtype));
        }
  });
}

struct Binary {
  BinaryOp op;
  double (*exact)(double x, double z);
};

const Binary kBinary[] = {
    {BinaryOp::add, [](double x, double z) { return x + z; }},
    {BinaryOp::sub, [](double x, double z) { return x - z; }},
    {BinaryOp::mul, [](double x, double z) { return x * z; }},
    {BinaryOp::div, [](double x, double z) { return x / z; }},
    {BinaryOp::pow, [](double x, double z) { return std::pow(x, z); }},
    {BinaryOp::maximum, [](double x, double z) { return x > z ? x : z; }},
    {BinaryOp::minimum, [](double x, double z) { return x < z ? x : z; }},
    {BinaryOp::greater, [](double x, double z) { return x > z ? 1.0 : 0.0; }},
    {BinaryOp::greater_equal, [](double x, double z) { return x >= z ? 1.0 : 0.0; }},
    {BinaryOp::equal, [](double x, double z) { return x == z ? 1.0 : 0.0; }},
    {BinaryOp::tanh_grad, [](double g, double y) { return g * (1 - y * y); }},
    {BinaryOp::sigmoid_grad, [](double g, double y) { return g * y * (1 - y); }},
    {BinaryOp::relu_grad, [](double g, double y) { return y > 0 ? g : 0; }},
    {BinaryOp::gelu_grad, [](double g, double x) { return g * (normal_cdf(x) + x * normal_pdf(x)); }},
    {BinaryOp::gelu_tanh_grad,
     [](double g, double x) {
       const double t = std::tanh(tanh_argument(x));
       const double slope = std::sqrt(2 / std::acos(-1.0)) * (1 + 3 * 0.044715 * x * x);
       return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope);
     }},
    {BinaryOp::silu_grad, [](double g, double x) { return g * logistic(x) * (1 + x * (1 - logistic(x))); }},
};

/// x and z in steps of 1/4, so that equal pairs occur; positive where a power or a quotient needs it.
Tensor operand(const Shape& shape, Dtype dtype, std::uint32_t seed, bool positive) {
  Values v = values_of(random(shape, Dtype::f64, seed, positive ? 1 : -8, 12));
  for (double& value : v) value = std::floor(value) / 4;
  if (positive)
    for (double& value : v) value = std::max(value, 0.25);
  return Tensor::from(v, shape).to(dtype);
}

void check_binary(const Binary& b, Dtype dtype, const Shape& xs, const Shape& zs) {
  CAPTURE(name_of(b.op));
  CAPTURE(dtype);
  CAPTURE(xs);
  CAPTURE(zs);
  const bool positive = b.op == BinaryOp::pow || b.op == BinaryOp::div;
  const Tensor x = operand(xs, dtype, 7, positive), z = operand(zs, dtype, 8, positive);
  const Values px = values_of(x), pz = values_of(z);
  const Shape out = broadcast_shapes(xs, zs, "test");
  Values want(static_cast<std::size_t>(out.elements()));
  for (Index i = 0; i < out.elements(); ++i)
    want[static_cast<std::size_t>(i)] = b.exact(px[source_of(i, xs, out)], pz[source_of(i, zs, out)]);
  const Tensor y = binary(b.op, x, z);
  CHECK(y.shape() == out);
  CHECK(y.dtype() == dtype);
  CHECK(largest_error(y, want) < 3 * tolerance(dtype));
}

TEST_CASE("binary operations") {
  CHECK(std::size(kBinary) == static_cast<std::size_t>(BinaryOp::count_));
  for_instruction_sets([] {
    for (const Binary& b : kBinary)
      for (Dtype dtype : kBothDtypes)
        for (const auto& [xs, zs] : {std::pair<Shape, Shape>{{}, {}},
                                     {{1}, {1}},
                                     {{129}, {129}},
                                     {{129}, {}},
                                     {{}, {129}},
                                     {{40, 7}, {7}},
                                     {{7}, {40, 7}},
                                     {{40, 1}, {1, 37}}})
          check_binary(b, dtype, xs, zs);
  });
}

TEST_CASE("broadcasting of every kind") {
  const std::pair<Shape, Shape> shapes[] = {
      {{4, 5, 6}, {4, 5, 6}},
      {{4, 5, 6}, {6}},
      {{4, 5, 6}, {5, 6}},
      {{4, 5, 6}, {5, 1}},
      {{4, 5, 6}, {4, 1, 1}},
      {{4, 5, 6}, {4, 1, 6}},
      {{4, 5, 6}, {4, 5, 1}},
      {{4, 5, 6}, {1, 1, 1, 1}},
      {{6}, {4, 5, 6}},
      {{5, 1}, {4, 5, 6}},
      {{4, 1, 6}, {5, 1}},
      {{4, 1, 6}, {1, 5, 1}},
      {{1, 1, 3}, {2, 2, 2, 1}},
      {{3, 1, 2, 1}, {1, 4, 1, 5}},
      {{9001, 3}, {3}},
      {{3}, {9001, 3}},
      {{9001, 1}, {3}},
      {{2, 3, 40, 50}, {50}},
      {{2, 3, 40, 50}, {3, 1, 1}},
      {{30, 500, 2}, {30, 1, 2}},
      {{3, 5000}, {5000}},
      {{3, 5000}, {3, 1}},
      {{1, 20000}, {1}},
      {{0, 3}, {3}},
      {{0, 3}, {0, 1}},
      {{0}, {1}},
      {{5, 0}, {5, 1}},
      {{1, 17}, {19, 1}},
      {{2, 1, 2, 1, 2, 1, 2, 1}, {1, 3, 1, 3, 1, 3, 1, 3}},
  };
  for (const auto& [xs, zs] : shapes)
    for (Dtype dtype : kBothDtypes) {
      check_binary({BinaryOp::sub, [](double x, double z) { return x - z; }}, dtype, xs, zs);
      check_binary({BinaryOp::div, [](double x, double z) { return x / z; }}, dtype, xs, zs);
    }
}

TEST_CASE("broadcast_to repeats, for every dtype, sum_to is its adjoint") {
  const Tensor column = Tensor::from(std::vector<std::int64_t>{1, 2}, {2, 1});
  CHECK(values_of(broadcast_to(column, {2, 2, 3})) == Values{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2});
  CHECK(values_of(broadcast_to(Tensor::from(std::vector<std::uint8_t>{7, 8}), {2, 2})) == Values{7, 8, 7, 8});
  CHECK(broadcast_to(Tensor::zeros({1, 3}), {0, 3}).elements() == 0);
  for (const auto& shapes : {std::pair<Shape, Shape>{{3}, {2, 3}},
                             {{2, 1}, {2, 3}},
                             {{}, {2, 3}},
                             {{1, 5, 1}, {4, 5, 6}},
                             {{7}, {7}},
                             {{1, 1}, {1, 1}},
                             {{4}, {1, 4}},
                             {{1}, {3, 1000}}}) {
    const Shape &small = shapes.first, &large = shapes.second;
    CAPTURE(small);
    CAPTURE(large);
    const Tensor x = random(small, Dtype::f64, 3), g = random(large, Dtype::f64, 4);
    // <broadcast(x), g> = <x, sum_to(g)>
    CHECK(sum_to(g, small).shape() == small);
    CHECK(dot(broadcast_to(x, large), g) == doctest::Approx(dot(x, sum_to(g, small))).epsilon(1e-13));
  }
}

TEST_CASE("where chooses, broadcasting all three, the condition may be u8") {
  for (Dtype dtype : kBothDtypes) {
    const Shape shapes[][3] = {{{6, 7}, {6, 7}, {6, 7}}, {{7}, {6, 1}, {6, 7}},
                               {{6, 1}, {}, {1, 7}},     {{}, {1}, {}},
                               {{9001, 3}, {3}, {}},     {{3, 1, 1}, {4, 1}, {5}}};
    for (const auto& three : shapes) {
      const Shape &cs = three[0], &xs = three[1], &zs = three[2];
      CAPTURE(cs);
      const Tensor c = unary(UnaryOp::step, random(cs, dtype, 1)), x = random(xs, dtype, 2),
                   z = random(zs, dtype, 3);
      const Shape out = broadcast_shapes(cs, broadcast_shapes(xs, zs, "test"), "test");
      const Values pc = values_of(c), px = values_of(x), pz = values_of(z);
      Values want(static_cast<std::size_t>(out.elements()));
      for (Index i = 0; i < out.elements(); ++i)
        want[static_cast<std::size_t>(i)] =
            pc[source_of(i, cs, out)] != 0 ? px[source_of(i, xs, out)] : pz[source_of(i, zs, out)];
      CHECK(values_of(where(c, x, z)) == want);
      CHECK(values_of(where(c.to(Dtype::u8), x, z)) == want);
    }
  }
  // What is not chosen does not matter.
  CHECK(values_of(where(Tensor::from(std::vector<float>{1, 0}), Tensor::from(std::vector<float>{5, NAN}),
                        Tensor::from(std::vector<float>{NAN, 6}))) == Values{5, 6});
}

TEST_CASE("NaN goes through maximum and minimum on both sides") {
  for_instruction_sets([] {
    for (Dtype dtype : kBothDtypes) {
      const Tensor x = Tensor::from(Values{NAN, 1, NAN, INFINITY, 2}).to(dtype);
      const Tensor z = Tensor::from(Values{1, NAN, NAN, NAN, 3}).to(dtype);
      const Values high = values_of(binary(BinaryOp::maximum, x, z)),
                   low = values_of(binary(BinaryOp::minimum, x, z));
      for (std::size_t i = 0; i < 4; ++i) {
        CHECK(std::isnan(high[i]));
        CHECK(std::isnan(low[i]));
      }
      CHECK(high[4] == 3);
      CHECK(low[4] == 2);
    }
  });
}

TEST_CASE("elementwise bits do not depend on threads") {
  const Tensor x = random({50, 1000}, Dtype::f32, 1), z = random({50, 1000}, Dtype::f32, 2),
               row = random({1000}, Dtype::f32, 3), column = random({50, 1}, Dtype::f32, 4);
  check_threads([&] {
    return Tensors{unary(UnaryOp::gelu, x),       x * z,           x * row, x + column, where(x, z, row),
                   broadcast_to(row, {50, 1000}), x.to(Dtype::f64)};
  });
}

TEST_CASE("a broadcast operand gives the bits of its copy") {
  const Tensor x = random({50, 100}, Dtype::f32, 1), row = random({100}, Dtype::f32, 3),
               column = random({50, 1}, Dtype::f32, 4), one = random({}, Dtype::f32, 5);
  for_instruction_sets([&] {
    for (BinaryOp op : {BinaryOp::div, BinaryOp::gelu_grad, BinaryOp::silu_grad, BinaryOp::tanh_grad})
      for (const Tensor& z : {row, column, one}) {
        const Tensor copied = broadcast_to(z, x.shape());
        CHECK(same_bits(binary(op, x, z), binary(op, x, copied)));
        CHECK(same_bits(binary(op, z, x), binary(op, copied, x)));
      }
  });
}

}  // namespace
