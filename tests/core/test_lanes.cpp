// The f32 elementary functions of the CPU backend against <cmath> in f64: their largest error in units in the
// last place over a sweep of all floats, their special values, and that an element's bits do not depend on
// its position.
#include <bit>

#include "core/cpu/loops/loops.h"
#include "tests/core/tensor_testing.h"

namespace {

using namespace tensor_testing;

/// The gap between floats at |y|.
double last_place(double y) {
  const float f = static_cast<float>(std::fabs(y));
  if (!(f > std::numeric_limits<float>::min())) return std::ldexp(1.0, -149);
  return std::ldexp(1.0, std::ilogb(f) - 23);
}

struct Function {
  const char* name;
  UnaryOp op;
  double (*exact)(double);
  float low, high;
  double most;  // error allowed, in last places
};

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

const Function kFunctions[] = {
    {"exp", UnaryOp::exp, [](double x) { return std::exp(x); }, -1e30f, 1e30f, 1.0},
    {"log", UnaryOp::log, [](double x) { return std::log(x); }, -1e30f, 3e38f, 1.0},
    {"tanh", UnaryOp::tanh, [](double x) { return std::tanh(x); }, -1e30f, 1e30f, 1.5},
    {"erf", UnaryOp::erf, [](double x) { return std::erf(x); }, -1e30f, 1e30f, 1.5},
    {"sqrt", UnaryOp::sqrt, [](double x) { return std::sqrt(x); }, -1e30f, 3e38f, 0.5},
    {"rsqrt", UnaryOp::rsqrt, [](double x) { return 1 / std::sqrt(x); }, 1e-38f, 3e38f, 1.6},
    // e^-x overflows below -88.7; the true values there are denormal.
    {"sigmoid", UnaryOp::sigmoid, logistic, -87, 1e30f, 2.5},
    {"silu", UnaryOp::silu, [](double x) { return x * logistic(x); }, -80, 1e30f, 2.5},
    // The functions below take a rounded argument, whose error grows with the square of |x| in the lower
    // tail.
    {"gelu", UnaryOp::gelu, [](double x) { return 0.5 * x * std::erfc(-x * std::sqrt(0.5)); }, -3, 1e30f, 12},
    {"gelu tail", UnaryOp::gelu, [](double x) { return 0.5 * x * std::erfc(-x * std::sqrt(0.5)); }, -12.5f,
     -3, 200},
    {"gelu_tanh", UnaryOp::gelu_tanh,
     [](double x) { return x * logistic(2 * std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)); },
     -3, 1e10f, 12},
};

TEST_CASE("f32 functions are accurate over all floats") {
  for_instruction_sets([] {
    for (const Function& f : kFunctions) {
      CAPTURE(std::string(f.name));
      std::vector<float> x;
      for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += 40009) {
        const float v = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
        if (v >= f.low && v <= f.high) x.push_back(v);
      }
      REQUIRE(x.size() > 400);
      std::vector<float> y(x.size());
      cpu::loops<float>().unary(f.op, 0, 0, x.data(), y.data(), static_cast<Index>(x.size()));
      double worst = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double want = f.exact(static_cast<double>(x[i]));
        if (y[i] == static_cast<float>(want) || (std::isnan(y[i]) && std::isnan(want))) continue;
        const double error = std::fabs(static_cast<double>(y[i]) - want) / last_place(want);
        if (!(error <= worst)) worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
      }
      CHECK(worst <= f.most);
    }
  });
}

void check_special(UnaryOp op, const Values& x, const Values& want) {
  CAPTURE(name_of(op));
  for (Dtype dtype : kBothDtypes) {
    const Values got = values_of(unary(op, Tensor::from(x).to(dtype)));
    for (std::size_t i = 0; i < x.size(); ++i) {
      CAPTURE(x[i]);
      if (std::isnan(want[i]))
        CHECK(std::isnan(got[i]));
      else
        CHECK(got[i] == want[i]);
      if (got[i] == 0) CHECK(std::signbit(got[i]) == std::signbit(want[i]));
    }
  }
}

TEST_CASE("functions of zeros, infinities, NaN and huge numbers") {
  constexpr double inf = INFINITY, nan = NAN;
  for_instruction_sets([] {
    check_special(UnaryOp::exp, {0, -0.0, inf, -inf, nan, 1000, -1000}, {1, 1, inf, 0, nan, inf, 0});
    check_special(UnaryOp::log, {0, -0.0, 1, inf, -1, -inf, nan}, {-inf, -inf, 0, inf, nan, nan, nan});
    check_special(UnaryOp::tanh, {0, -0.0, inf, -inf, nan, 1000, -1000}, {0, -0.0, 1, -1, nan, 1, -1});
    check_special(UnaryOp::erf, {0, -0.0, inf, -inf, nan, 1000, -1000}, {0, -0.0, 1, -1, nan, 1, -1});
    check_special(UnaryOp::sigmoid, {0, inf, -inf, nan, 1000, -1000}, {0.5, 1, 0, nan, 1, 0});
    check_special(UnaryOp::gelu, {0, inf, nan, 1000, -1000}, {0, inf, nan, 1000, -0.0});
    check_special(UnaryOp::gelu_tanh, {0, inf, nan, 1000, -1000}, {0, inf, nan, 1000, -0.0});
    check_special(UnaryOp::silu, {0, inf, nan, 1000, -1000}, {0, inf, nan, 1000, -0.0});
    check_special(UnaryOp::sqrt, {0, -0.0, 4, inf, -1, nan}, {0, -0.0, 2, inf, nan, nan});
    check_special(UnaryOp::rsqrt, {0, 4, inf, -1, nan}, {inf, 0.5, 0, nan, nan});
    check_special(UnaryOp::reciprocal, {0, -0.0, 4, inf, nan}, {inf, -inf, 0.25, 0, nan});
    check_special(UnaryOp::abs, {0, -0.0, -3, -inf, nan}, {0, 0, 3, inf, nan});
    check_special(UnaryOp::neg, {0, -0.0, -3, -inf, nan}, {-0.0, 0, 3, inf, nan});
    check_special(UnaryOp::sign, {0, -0.0, -3, 2, -inf, nan}, {0, -0.0, -1, 1, -1, nan});
    check_special(UnaryOp::relu, {0, -0.0, -3, 2, -inf, inf, nan}, {0, 0, 0, 2, 0, inf, nan});
    check_special(UnaryOp::step, {0, -0.0, -3, 2, -inf, inf, nan}, {0, 0, 0, 1, 0, 1, 0});
  });
}

TEST_CASE("an element's bits do not depend on its position or on the length") {
  const UnaryOp ops[] = {UnaryOp::exp,  UnaryOp::log,       UnaryOp::tanh, UnaryOp::erf, UnaryOp::sigmoid,
                         UnaryOp::gelu, UnaryOp::gelu_tanh, UnaryOp::silu, UnaryOp::sqrt};
  const std::vector<float> x = kernel_testing::numbers<float>(100, 3);
  for_instruction_sets([&] {
    for (UnaryOp op : ops) {
      CAPTURE(name_of(op));
      std::vector<float> whole(x.size());
      cpu::loops<float>().unary(op, 0, 0, x.data(), whole.data(), 100);
      for (Index begin : {0, 1, 5, 17, 33})
        for (Index n : {1, 2, 15, 16, 17, 31, 67}) {
          kernel_testing::Result<float> part(n);
          cpu::loops<float>().unary(op, 0, 0, x.data() + begin, part.data(), n);
          CHECK(part.border_intact());
          CHECK(std::memcmp(part.data(), whole.data() + begin, static_cast<std::size_t>(n) * sizeof(float)) ==
                0);
        }
    }
  });
}

}  // namespace
