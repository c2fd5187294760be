// Spectra of LinearOperators: Lanczos, power iteration, traces and densities, against worked numbers (5.5 of
// the facts) and against matrices that are written down.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "autograd/curvature/density.h"
#include "autograd/curvature/hvp.h"
#include "autograd/curvature/trace.h"
#include "autograd/gradients.h"
#include "core/error.h"
#include "core/ops.h"
#include "tests/autograd/leaks.h"
#include "tests/autograd/small_net.h"

using namespace basin;
using doctest::Approx;

namespace {

constexpr Dtype f64 = Dtype::f64;

LinearOperator matrix(const std::vector<double>& a, Index n, Dtype dtype = f64) {
  const Tensor m = Tensor::from(a, {n, n}).to(dtype);
  return {.dim = n,
          .apply =
              [m, n](const Tensor& v) {
                return matmul(m, v.reshape(Shape{n, 1})).reshape(Shape{n});
              },
          .dtype = dtype};
}

LinearOperator diagonal(const std::vector<double>& d) {
  const auto n = static_cast<Index>(d.size());
  return {.dim = n, .apply = [d = Tensor::from(d)](const Tensor& v) { return d * v; }};
}

/// A of the facts: eigenvalues 3 - sqrt 3, 3, 3 + sqrt 3.
LinearOperator three() { return matrix({2, 1, 0, 1, 3, 1, 0, 1, 4}, 3); }
Tensor vec(const std::vector<double>& v) { return Tensor::from(v); }
Tensor ones() { return vec({1, 1, 1}); }

std::vector<double> values_of(const EigenPairs& found) {
  std::vector<double> values;
  for (const EigenPair& p : found.pairs) values.push_back(p.value);
  return values;
}

void check_near(const std::vector<double>& found, const std::vector<double>& expected, double within) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("number ", i, ": ", found[i], " for ", expected[i]);
    CHECK(std::abs(found[i] - expected[i]) <= within);
  }
}

/// The Hessian of the net's loss as an operator on its flat weights; each product differentiates anew.
LinearOperator hessian_of(const SmallNet& net, Dtype dtype = f64) {
  LinearOperator h{.dtype = dtype};
  for (const Variable& w : net.weights) h.dim += w.value().elements();
  h.apply = [&net](const Tensor& v) {
    Tensors parts, flat;
    Index at = 0;
    for (const Variable& w : net.weights) {
      parts.push_back(v.view(at, w.shape()));
      at += w.value().elements();
    }
    for (const Tensor& t : hessian_vector_product(net.loss(), net.weights, parts))
      flat.push_back(t.reshape(Shape{t.elements()}));
    return concat(flat, 0);
  };
  return h;
}

/// All of it: column i is A e_i.
std::vector<double> written_down(const LinearOperator& a) {
  const auto n = static_cast<std::size_t>(a.dim);
  std::vector<double> all(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<double> e(n, 0);
    e[i] = 1;
    const std::vector<double> column = a.apply(vec(e)).to_vector<double>();
    for (std::size_t j = 0; j < n; ++j) all[j * n + i] = column[j];
  }
  return all;
}

}  // namespace

TEST_CASE("5.5.1 eigenvalues and trace of a quadratic's Hessian, at any weights") {
  const Tensor a = Tensor::from<double>({2, 1, 0, 1, 3, 1, 0, 1, 4}, {3, 3});
  for (const double at : {0.0, 1.0, -7.5}) {
    const Variable w = Variable::parameter(Tensor::full({3, 1}, at, f64)),
                   b = Tensor::full({3, 1}, at - 2, f64);
    const LinearOperator h{
        .dim = 3, .apply = [&](const Tensor& v) {
          const Variable loss = dot(w, matmul(a, w)) * 0.5 - dot(b, w);
          return hessian_vector_product(loss, {w}, {v.reshape(Shape{3, 1})})[0].reshape(Shape{3});
        }};
    const EigenPairs all = lanczos_eigenpairs(h, {.count = 3, .tolerance = 1e-12}, {.seed = 1});
    check_near(values_of(all), {4.7320508, 3, 1.2679492}, 5e-8);
    for (const EigenPair& p : all.pairs) CHECK(p.residual < 1e-13);
    CHECK(all.pairs[0].value + all.pairs[1].value + all.pairs[2].value == Approx(9).epsilon(1e-14));
  }
}

TEST_CASE("5.5.2 power iteration returns the newest value, and the residual that belongs to it") {
  const std::array expected = {4.333333, 4.627119, 4.694118, 4.717023, 4.726010, 4.729620, 4.731073};
  const std::array residuals = {0.942809, 0.447149, 0.257752};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const EigenPairs found = power_iteration(three(), ones(), 1e-12, static_cast<Index>(i) + 1);
    CHECK(found.products == static_cast<Index>(i) + 1);
    CHECK(std::abs(found.pairs[0].value - expected[i]) < 1e-6);
    if (i < residuals.size()) CHECK(std::abs(found.pairs[0].residual - residuals[i]) < 1e-6);
    CHECK_FALSE(found.converged);
  }
  const EigenPairs found = power_iteration(three(), ones(), 1e-6, 1000);
  CHECK(found.converged);
  CHECK(found.pairs[0].residual <= 1e-6 * found.pairs[0].value);
  CHECK(found.pairs[0].value == Approx(3 + std::sqrt(3.0)).epsilon(1e-11));
  // The residual is that of this vector.
  const Tensor& v = found.pairs[0].vector;
  CHECK(norm(combination(1, three().apply(v), -found.pairs[0].value, v)) == found.pairs[0].residual);
}

TEST_CASE("5.5.3 Hutchinson's samples of all sign vectors, and the stopping rule") {
  std::multiset<double> samples;
  for (int bits = 0; bits < 8; ++bits) {
    const Tensor v = vec({bits & 1 ? 1.0 : -1, bits & 2 ? 1.0 : -1, bits & 4 ? 1.0 : -1});
    samples.insert(dot(v, three().apply(v)));
  }
  CHECK(samples == std::multiset<double>{5, 5, 9, 9, 9, 9, 13, 13});
  const Estimate all = estimate_of({5, 5, 9, 9, 9, 9, 13, 13});
  CHECK(all.value == 9);
  CHECK(all.standard_error == Approx(std::sqrt(8.0 * 8 / 7 / 8)));  // of variance 8, by n - 1

  // Two equal samples, and two equal running means, are no end.
  CHECK_FALSE(StoppingRule{.tolerance = 0.02, .least = 10, .most = 100}.reached(estimate_of({5, 5})));
  const Estimate found =
      hutchinson_trace(three(), {.tolerance = 0.01, .least = 10, .most = 10000}, {.seed = 3});
  CHECK(found.standard_error <= 0.01 * found.value);
  CHECK(found.samples > 100);
  CHECK(std::abs(found.value - 9) < 4 * found.standard_error);
  // Of a diagonal matrix every sample is exact.
  const Estimate exact = hutchinson_trace(diagonal({1, 2, 3.5}), {}, {});
  CHECK(exact.value == Approx(6.5).epsilon(1e-15));
  CHECK(exact.samples == 10);
}

TEST_CASE("5.5.3 normal probes have the variance 2 |A|_F^2 = 66, signs 8") {
  const Probes probes{.seed = 5};
  std::vector<double> normal, sign;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const Tensor g = probes.normals(three(), i);
    normal.push_back(dot(g, three().apply(g)));
    sign.push_back(sum(probed_diagonal(three(), probes, i)).item());
  }
  const Estimate n = estimate_of(normal), s = estimate_of(sign);
  CHECK(n.standard_error * n.standard_error * 4000 == Approx(66).epsilon(0.1));
  CHECK(s.standard_error * s.standard_error * 4000 == Approx(8).epsilon(0.05));
}

TEST_CASE("5.5.4 Lanczos from e1 gives A itself, and breaks down where it must") {
  Lanczos process(three(), vec({1, 0, 0}), {});
  for (int i = 0; i < 3; ++i) process.step();
  check_near({process.coefficient(0, 0), process.coefficient(1, 1), process.coefficient(2, 2)}, {2, 3, 4},
             1e-14);
  check_near({process.coefficient(0, 1), process.coefficient(1, 2), process.coefficient(0, 2)}, {1, 1, 0},
             1e-14);
  CHECK(process.beta() == 0);
  CHECK(process.exhausted());
  const Quadrature q = lanczos_quadrature(three(), vec({1, 0, 0}), 3);
  check_near(q.weights, {0.6220085, 0.3333333, 0.0446582}, 1e-7);

  const Quadrature ones3 = lanczos_quadrature(three(), ones(), 3);
  check_near(ones3.nodes, {1.2679492, 3, 4.7320508}, 5e-8);
  check_near(ones3.weights, {0.0595443, 0.1111111, 0.8293446}, 1e-7);
  Lanczos from_ones(three(), ones(), {});
  for (int i = 0; i < 3; ++i) from_ones.step();
  check_near({from_ones.coefficient(0, 0), from_ones.coefficient(1, 1), from_ones.coefficient(2, 2)},
             {4.333333, 2.166667, 2.5}, 1e-6);
  check_near({from_ones.coefficient(0, 1), from_ones.coefficient(1, 2)}, {0.942809, 0.866025}, 1e-6);

  const Quadrature two = lanczos_quadrature(three(), ones(), 2);
  check_near(two.nodes, {1.8138593, 4.6861407}, 1e-7);
  check_near(two.weights, {0.1228317, 0.8771683}, 1e-7);
  const std::array moments = {1.0, 13.0 / 3, 59.0 / 3, 91.0, 424.0 + 1.0 / 3};  // A's fourth is 425
  for (std::size_t k = 0; k < moments.size(); ++k) {
    double moment = 0;
    for (std::size_t i = 0; i < 2; ++i)
      moment += two.weights[i] * std::pow(two.nodes[i], static_cast<double>(k));
    CHECK(moment == Approx(moments[k]).epsilon(1e-6));
  }
}

TEST_CASE("a breakdown is found by a tolerance, and copies of an eigenvalue come after it") {
  const LinearOperator twice = diagonal({5, 5, 5, 1, 1, -3});
  Lanczos process(twice, vec({1, 1, 1, 1, 1, 1}), {.seed = 2});
  for (int i = 0; i < 3; ++i) process.step();
  CHECK(process.since_breakdown() == 0);  // three different eigenvalues
  CHECK(process.beta() == 0);
  const Quadrature q = lanczos_quadrature(twice, vec({1, 1, 1, 1, 1, 1}), 6);
  check_near(q.nodes, {-3, 1, 5}, 1e-14);
  check_near(q.weights, {1.0 / 6, 2.0 / 6, 3.0 / 6}, 1e-14);
  check_near(values_of(lanczos_eigenpairs(twice, {.count = 6}, {})), {5, 5, 5, 1, 1, -3}, 1e-13);
  check_near(values_of(lanczos_eigenpairs(twice, {.count = 2}, {})), {5, 5}, 1e-13);
  check_near(values_of(lanczos_eigenpairs(diagonal(std::vector<double>(20, 0)), {.count = 3}, {})), {0, 0, 0},
             0);
}

TEST_CASE("largest, smallest and both are by sign") {
  std::vector<double> d;
  for (int i = 0; i < 200; ++i) d.push_back(i < 3 ? -100 + 10 * i : i > 195 ? 20 + i : 1e-2 * i);
  const LinearOperator a = diagonal(d);
  const EigenOptions base{.count = 2, .tolerance = 1e-9};
  EigenOptions smallest = base, both = base;
  smallest.which = Which::smallest;
  both.which = Which::both;
  check_near(values_of(lanczos_eigenpairs(a, base, {})), {219, 218}, 1e-9);
  check_near(values_of(lanczos_eigenpairs(a, smallest, {})), {-90, -100}, 1e-9);
  check_near(values_of(lanczos_eigenpairs(a, both, {})), {219, 218, -90, -100}, 1e-9);
}

TEST_CASE("thick restarts find the same pairs with a small basis") {
  std::vector<double> d;
  for (int i = 0; i < 400; ++i) d.push_back(std::pow(0.97, i));
  const EigenPairs small =
      lanczos_eigenpairs(diagonal(d), {.count = 4, .tolerance = 1e-8, .basis = 12}, {.seed = 4});
  CHECK(small.converged);
  CHECK(small.products > 12);
  check_near(values_of(small), {d[0], d[1], d[2], d[3]}, 1e-12);
  for (const EigenPair& p : small.pairs) CHECK(p.residual < 2e-8);
  const EigenPairs few =
      lanczos_eigenpairs(diagonal(d), {.count = 4, .tolerance = 1e-8, .most_products = 20}, {});
  CHECK_FALSE(few.converged);
  CHECK(few.products == 24);
  CHECK(few.pairs[0].residual > 1e-8);
}

TEST_CASE("Hutch++ is exact where A has low rank, and better than Hutchinson where its spectrum falls") {
  // A = x x^T + 2 y y^T of rank 2.
  const Index n = 60;
  const Tensor x = normal_tensor({n, 1}, f64, 1), y = normal_tensor({n, 1}, f64, 2);
  const Tensor m = matmul(x, x, false, true) + 2 * matmul(y, y, false, true);
  const LinearOperator low = matrix(m.to_vector<double>(), n);
  const double trace = dot(x, x) + 2 * static_cast<double>(dot(y, y));
  const Estimate exact = hutchpp_trace(low, 12, {.purpose = 1}, {.purpose = 2});
  CHECK(exact.value == Approx(trace).epsilon(1e-12));
  CHECK(exact.standard_error < 1e-10 * trace);

  // Eigenvalues 1/i^2 in a rotated basis.
  Tensors basis;
  for (std::uint64_t i = 0; i < 60; ++i) {
    Tensor v = normal_tensor({n}, f64, 100 + i);
    orthogonalise(v, basis);
    basis.push_back(v / static_cast<double>(norm(v)));
  }
  double sum_of_values = 0;
  for (int i = 1; i <= 60; ++i) sum_of_values += 1.0 / (i * i);
  const LinearOperator falling{.dim = n, .apply = [&](const Tensor& v) {
                                 std::vector<double> c;
                                 for (std::size_t i = 0; i < basis.size(); ++i)
                                   c.push_back(dot(basis[i], v) / static_cast<double>((i + 1) * (i + 1)));
                                 return combined(basis, c);
                               }};
  const Estimate plus = hutchpp_trace(falling, 30, {.purpose = 1}, {.purpose = 2});
  const Estimate plain = hutchinson_trace(falling, {.tolerance = 0, .least = 30, .most = 30}, {.purpose = 2});
  CHECK(plus.standard_error * 5 < plain.standard_error);
  CHECK(std::abs(plus.value - sum_of_values) < 4 * plus.standard_error);
  CHECK(std::abs(plain.value - sum_of_values) < 4 * plain.standard_error);
}

TEST_CASE("5.5.13 the whole spectrum of a conv and batch-norm net is its materialised Hessian's") {
  const NoLeaks check;
  for (const SmallNet::Mode mode : {SmallNet::Mode::eval, SmallNet::Mode::train}) {
    const SmallNet net(mode, f64, 4, 6, 4);
    const LinearOperator h = hessian_of(net);
    REQUIRE(h.dim < 500);
    const std::vector<double> all = written_down(h);
    const auto n = static_cast<std::size_t>(h.dim);
    const SymmetricEigen exact = symmetric_eigen(all, h.dim);
    double trace = 0, asymmetry = 0, squared_diagonal = 0;
    for (std::size_t i = 0; i < n; ++i) {
      trace += all[i * n + i];
      squared_diagonal += all[i * n + i] * all[i * n + i];
      for (std::size_t j = 0; j < i; ++j)
        asymmetry = std::max(asymmetry, std::abs(all[i * n + j] - all[j * n + i]));
    }
    CHECK(asymmetry < 1e-12);

    const EigenPairs found = lanczos_eigenpairs(h, {.count = h.dim, .most_products = 2000}, {.seed = 6});
    REQUIRE(found.pairs.size() == n);
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i)
      largest = std::max(largest, std::abs(found.pairs[i].value - exact.values[n - 1 - i]));
    INFO("largest difference ", largest, " of values up to ", exact.values.back());
    CHECK(largest < 1e-8);
    // The two ends, by restarts.
    const EigenPairs ends =
        lanczos_eigenpairs(h, {.count = 3, .which = Which::both, .tolerance = 1e-9}, {.seed = 7});
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(std::abs(ends.pairs[i].value - exact.values[n - 1 - i]) < 1e-8);
      CHECK(std::abs(ends.pairs[5 - i].value - exact.values[i]) < 1e-8);
    }
    // The density of e_0 and of signs: moments 0, 1, 2 of the full quadrature are the matrix's own.
    const Probes probes{.seed = 8};
    const Tensor v = probes.signs(h, 0);
    const Quadrature q = lanczos_quadrature(h, v, h.dim);
    double zeroth = 0, first = 0, second = 0;
    for (std::size_t i = 0; i < q.nodes.size(); ++i) {
      zeroth += q.weights[i];
      first += q.weights[i] * q.nodes[i];
      second += q.weights[i] * q.nodes[i] * q.nodes[i];
    }
    const Tensor hv = h.apply(v);
    const auto d = static_cast<double>(h.dim);
    CHECK(zeroth == Approx(1).epsilon(1e-10));
    CHECK(std::abs(first - dot(v, hv) / d) < 1e-8);
    CHECK(std::abs(second - dot(hv, hv) / d) < 1e-8);
    CHECK(std::abs(q.nodes.back() - exact.values.back()) < 1e-8);
    CHECK(std::abs(q.nodes.front() - exact.values.front()) < 1e-8);

    // Hutch++ with a sketch of full rank is the trace; Hutchinson's lies within its error.
    const Estimate whole = hutchpp_trace(h, 3 * h.dim, {.purpose = 1}, {.purpose = 2});
    CHECK(std::abs(whole.value - trace) < 1e-8);
    const Estimate some = hutchinson_trace(h, {.tolerance = 0, .least = 50, .most = 50}, probes);
    CHECK(std::abs(some.value - trace) < 4 * some.standard_error);
    // Products of probes in pairs: the sum of the squared diagonal without bias.
    std::vector<double> pairs;
    for (std::uint64_t i = 0; i < 100; i += 2)
      pairs.push_back(dot(probed_diagonal(h, probes, i), probed_diagonal(h, probes, i + 1)));
    const Estimate squared = estimate_of(pairs);
    CHECK(std::abs(squared.value - squared_diagonal) < 4 * squared.standard_error);
  }
}

TEST_CASE("5.5.13 a block of the Hessian is the operator restricted") {
  const SmallNet net(SmallNet::Mode::eval, f64, 4, 6, 4);
  const LinearOperator h = hessian_of(net);
  const std::vector<double> all = written_down(h);
  const std::vector<std::pair<Index, Index>> parts = {{3, 7}, {20, 22}};
  const LinearOperator block = restricted(h, parts);
  REQUIRE(block.dim == 6);
  const std::vector<double> found = written_down(block);
  const std::array<std::size_t, 6> places = {3, 4, 5, 6, 20, 21};
  for (std::size_t i = 0; i < 6; ++i)
    for (std::size_t j = 0; j < 6; ++j)
      CHECK(found[i * 6 + j] == all[places[i] * static_cast<std::size_t>(h.dim) + places[j]]);
  CHECK_THROWS_AS(restricted(h, {{5, 5}}), ArgumentError);
}

TEST_CASE("the Gauss-Newton product is J^T B J v, of a linear model the Hessian itself") {
  const NoLeaks check;
  const SmallNet net(SmallNet::Mode::train, f64, 4, 6, 4);
  // Logits of softmax regression are linear in w: J^T H J is the Hessian.
  const Tensor x = normal_tensor({7, 3}, f64, 1), v = normal_tensor({4, 3}, f64, 2);
  const Tensor labels = Tensor::from<std::int64_t>({0, 1, 2, 3, 0, 1, 2});
  const Variable w = Variable::parameter(normal_tensor({4, 3}, f64, 3));
  const auto logits = [&] { return linear(x, w, Variable()); };
  const Tensor hv = hessian_vector_product(cross_entropy(logits(), labels), {w}, {v})[0];
  const Variable z = logits();
  const Tensor gv = gauss_newton_product(z, {w}, {v}, [&](const Tensor& jv) {
    const Variable leaf = Variable::parameter(z.value());
    return hessian_vector_product(cross_entropy(leaf, labels), {leaf}, {jv})[0];
  })[0];
  CHECK(relative_distance({gv}, {hv}) < 1e-14);
  CHECK(relative_distance({jacobian_vector_product(logits(), {w}, {v})}, {matmul(x, v, false, true)}) <
        1e-15);

  // J v of a network against central differences of its loss.
  Tensors direction;
  for (const Variable& p : net.weights) direction.push_back(normal_tensor(p.shape(), f64, direction.size()));
  const double slope = jacobian_vector_product(net.loss(), net.weights, direction).item(), t = 1e-6;
  const double difference = (net.loss(moved(net.weights, direction, t)).value().item() -
                             net.loss(moved(net.weights, direction, -t)).value().item()) /
                            (2 * t);
  CHECK(slope == Approx(difference).epsilon(1e-6));
}

TEST_CASE("a density integrates to 1 and shows the spectrum") {
  const DensityCurve curve = smoothed_density(
      {lanczos_quadrature(three(), ones(), 3), lanczos_quadrature(three(), vec({1, 0, 0}), 3)}, 2001, 0.05);
  double integral = 0;
  for (std::size_t i = 0; i + 1 < curve.x.size(); ++i)
    integral += (curve.x[i + 1] - curve.x[i]) * (curve.density[i] + curve.density[i + 1]) / 2;
  CHECK(integral == Approx(1).epsilon(1e-4));
  CHECK(curve.sigma == 0.05);
  CHECK(curve.x.front() == Approx(3 - std::sqrt(3.0) - 0.2));
}

TEST_CASE("5.5.15 a thousand products keep no memory") {
  const NoLeaks check;
  const SmallNet net(SmallNet::Mode::train, f64, 2, 4, 3);
  const LinearOperator h = hessian_of(net);
  Tensor v = Tensor::full({h.dim}, 1, f64);
  for (int i = 0; i < 1000; ++i) {
    v = h.apply(v);
    v = v / static_cast<double>(norm(v));
  }
  CHECK(std::isfinite(static_cast<double>(norm(v))));
}

TEST_CASE("what has no direction, or no spectrum, is refused") {
  CHECK_THROWS_AS(Lanczos(three(), vec({0, 0, 0}), {}), ArgumentError);
  CHECK_THROWS_AS(Lanczos(three(), vec({1, 0}), {}), ArgumentError);
  CHECK_THROWS_AS(lanczos_eigenpairs(three(), {.count = 4}, {}), ArgumentError);
  CHECK_THROWS_AS(lanczos_eigenpairs(diagonal({1, NAN}), {}, {}), NumericalError);
  CHECK_THROWS_AS(hutchpp_trace(three(), 5, {}, {}), ArgumentError);
}
