// The facts' worked numbers of small Hessians (5.5.7, 5.5.11): logistic regression, least squares, and how
// near to them differences of gradients come.
#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "autograd/curvature/hvp.h"
#include "autograd/curvature/lanczos.h"
#include "autograd/gradients.h"
#include "autograd/ops/ops.h"
#include "core/ops.h"

using namespace basin;
using doctest::Approx;

namespace {

/// Four points in the plane, with a loss of weights w {2, 1} over them.
struct Fit {
  Dtype dtype = Dtype::f64;
  Tensor x = Tensor::from<double>({1, -1, 1, 0, 1, 1, 1, 2}, {4, 2}).to(dtype);
  virtual ~Fit() = default;
  virtual Variable loss(const Variable& w) const = 0;

  explicit Fit(Dtype d) : dtype(d) {}
  Variable weights(double a, double b) const {
    return Variable::parameter(Tensor::from<double>({a, b}, {2, 1}).to(dtype));
  }
  LinearOperator hessian(double a, double b) const {
    return {.dim = 2,
            .apply =
                [this, w = weights(a, b)](const Tensor& v) {
                  return hessian_vector_product(loss(w), {w}, {v.reshape(Shape{2, 1})})[0].reshape(Shape{2});
                },
            .dtype = dtype};
  }
};

/// Mean of log(1 + exp(-y x.w)), labels y = -1, -1, 1, 1.
struct Logistic : Fit {
  Tensor y = Tensor::from<double>({-1, -1, 1, 1}, {4, 1}).to(dtype);
  using Fit::Fit;
  Variable loss(const Variable& w) const override { return -mean(log(sigmoid(Variable(y) * matmul(x, w)))); }
};

/// Mean of (x.w - y)^2, y = 0, 0, 1, 1.
struct LeastSquares : Fit {
  Tensor y = Tensor::from<double>({0, 0, 1, 1}, {4, 1}).to(dtype);
  using Fit::Fit;
  Variable loss(const Variable& w) const override { return mean_squared_error(matmul(x, w), y); }
};

void check_near(const std::vector<double>& found, const std::vector<double>& expected, double within) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("number ", i, ": ", found[i], " for ", expected[i]);
    CHECK(std::abs(found[i] - expected[i]) <= within);
  }
}

void check_matrix(const LinearOperator& a, const std::vector<double>& rows, double within) {
  check_near(a.apply(Tensor::from<double>({1, 0})).to_vector<double>(), {rows[0], rows[2]}, within);
  check_near(a.apply(Tensor::from<double>({0, 1})).to_vector<double>(), {rows[1], rows[3]}, within);
}

std::vector<double> eigenvalues(const LinearOperator& a) {
  std::vector<double> values;
  for (const EigenPair& p : lanczos_eigenpairs(a, {.count = 2}, {}).pairs) values.push_back(p.value);
  return values;
}

/// v . H v at w = (0.5, -1) along v = (1, 2) by differences of the gradient at steps e v, e = 0.1, 0.01, ...:
/// the relative errors of (g(w + e v) - g(w - e v)) / 2e, and of (g(w + e v) - g(w)) / e.
struct Errors {
  std::array<double, 5> central = {}, one_sided = {};
};
Errors errors_of_differences(Dtype dtype) {
  const Logistic fit(dtype);
  const auto along = [&](double t) {
    const Variable w = fit.weights(0.5 + t, -1 + 2 * t);
    const std::vector<double> g = gradients(fit.loss(w), {w})[0].to(Dtype::f64).to_vector<double>();
    return g[0] + 2 * g[1];
  };
  const double exact = 1.556961218961;  // the case below checks it
  Errors errors;
  double e = 0.1;
  for (std::size_t i = 0; i < 5; ++i, e /= 10) {
    errors.central[i] = std::abs((along(e) - along(-e)) / (2 * e) / exact - 1);
    errors.one_sided[i] = std::abs((along(e) - along(0)) / e / exact - 1);
  }
  return errors;
}

}  // namespace

TEST_CASE("5.5.7 logistic regression: gradient, Hessian, its eigenvalues and trace") {
  const Logistic fit(Dtype::f64);
  const auto gradient = [&](double a, double b) {
    const Variable w = fit.weights(a, b);
    return gradients(fit.loss(w), {w})[0].to_vector<double>();
  };
  check_near(gradient(0, 0), {0, -0.5}, 1e-15);
  check_matrix(fit.hessian(0, 0), {0.25, 0.125, 0.125, 0.375}, 1e-15);
  check_near(eigenvalues(fit.hessian(0, 0)), {0.4522542, 0.1727458}, 5e-8);
  check_near(fit.hessian(0, 0).apply(Tensor::from<double>({1, 2})).to_vector<double>(), {0.5, 0.875}, 1e-15);
  check_near(gradient(0.5, -1), {0, -0.7687957}, 5e-8);
  check_matrix(fit.hessian(0.5, -1), {0.1920751, 0.0960375, 0.0960375, 0.2451840}, 5e-8);
  check_near(eigenvalues(fit.hessian(0.5, -1)), {0.3182706, 0.1189884}, 5e-8);
  const Tensor v = Tensor::from<double>({1, 2});
  CHECK(std::abs(static_cast<double>(dot(v, fit.hessian(0.5, -1).apply(v))) - 1.556961218961) < 1e-12);
}

TEST_CASE("5.5.7 least squares on the same points: (2/N) X^T X at any weights") {
  const LeastSquares fit(Dtype::f64);
  for (const auto& [a, b] : {std::array{0.0, 0.0}, std::array{0.5, -1.0}}) {
    check_matrix(fit.hessian(a, b), {2, 1, 1, 3}, 1e-14);
    check_near(eigenvalues(fit.hessian(a, b)), {3.6180340, 1.3819660}, 5e-8);
  }
}

TEST_CASE("5.5.11 the central difference of w^3 is 3 w^2 + e^2") {
  const auto slope = [](double w) {
    const Variable x = Variable::parameter(Tensor::from<double>({w}));
    return static_cast<double>(gradients(sum(x * x * x * x) * 0.25, {x})[0].item());
  };
  CHECK(slope(1) == Approx(1).epsilon(1e-15));
  CHECK((slope(1.1) - slope(0.9)) / 0.2 == Approx(3.01).epsilon(1e-14));
}

TEST_CASE("5.5.11 differences of gradients in f64: errors fall with e^2, or with e") {
  const Errors found = errors_of_differences(Dtype::f64);
  const std::array central = {8.0e-4, 9.1e-6, 9.1e-8, 9.1e-10};
  const std::array one_sided = {1.1e-1, 1.1e-2, 1.1e-3, 1.1e-4, 1.1e-5};
  for (std::size_t i = 0; i < central.size(); ++i)
    CHECK(found.central[i] == Approx(central[i]).epsilon(0.15));
  for (std::size_t i = 0; i < one_sided.size(); ++i)
    CHECK(found.one_sided[i] == Approx(one_sided[i]).epsilon(0.15));
  CHECK(found.central[4] <
        1e-10);  // 9.1e-12 of the formula, and as much again of rounding: 7.4e-12 in the facts
}

TEST_CASE("5.5.11 differences of gradients in f32 are best at e = 0.01: rounding grows as 1/e") {
  const Errors found = errors_of_differences(Dtype::f32);
  const std::array facts = {8.0e-4, 1.4e-5, 2.8e-5, 1.5e-4, 1.1e-3};
  CHECK(found.central[0] == Approx(facts[0]).epsilon(0.15));
  // What is left is rounding, which other orders of sums spread differently: the facts' sizes, to a factor of
  // ten.
  for (std::size_t i = 1; i < facts.size(); ++i) {
    INFO("e = 1e-", i + 1, ": ", found.central[i]);
    CHECK(found.central[i] < 10 * facts[i]);
  }
  CHECK(found.central[4] > found.central[1]);
}
