// Hessian-vector products: against closed forms, finite differences and the identities of scale invariance.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/curvature/hvp.h"
#include "autograd/curvature/lanczos.h"
#include "autograd/gradients.h"
#include "core/ops.h"
#include "tests/autograd/leaks.h"
#include "tests/autograd/small_net.h"

using namespace basin;

namespace {

constexpr Dtype f64 = Dtype::f64;

using Loss = std::function<Variable(const Variables&)>;

/// H v by central differences of gradients, extrapolated from steps h and h/2.
Tensors difference_hvp(const Loss& loss, const Variables& w, const Tensors& v, double h) {
  const auto slope = [&](double t) {
    const Variables up = moved(w, v, t), down = moved(w, v, -t);
    const Tensors a = gradients(loss(up), up), b = gradients(loss(down), down);
    Tensors d;
    for (std::size_t i = 0; i < w.size(); ++i)
      d.push_back(unary(UnaryOp::mul_scalar, a[i] - b[i], 1 / (2 * t)));
    return d;
  };
  Tensors far = slope(h), near = slope(h / 2);
  for (std::size_t i = 0; i < w.size(); ++i) {
    axpby(-1.0 / 3, far[i], 4.0 / 3, near[i]);
  }
  return near;
}

Tensors direction_like(const Variables& w, std::uint64_t seed) {
  Tensors v;
  for (const Variable& p : w) v.push_back(normal_tensor(p.shape(), p.dtype(), seed++));
  return v;
}

/// The two lines of a user.
Tensors two_lines(const Variable& loss, const Variables& w, const Tensors& v) {
  const Variables g = differentiable_gradients(loss, w);
  return gradients(dot(g, Variables(v.begin(), v.end())), w);
}

}  // namespace

TEST_CASE("hvp of a quadratic is exact") {
  const NoLeaks check;
  // f(w) = w.A w / 2 + b.w with small whole numbers: every sum is exact, and H = A.
  const Tensor a = Tensor::from<double>({2, -1, 3, -1, 4, 0, 3, 0, 6}, {3, 3});
  const Variable w = Variable::parameter(Tensor::from<double>({1, 2, -3}, {3, 1}));
  const Variable b = Tensor::from<double>({5, 7, 11}, {3, 1});
  const Tensor v = Tensor::from<double>({2, -1, 4}, {3, 1});
  const Variable loss = dot(w, matmul(a, w)) * 0.5 + dot(b, w);
  CHECK(gradients(loss, {w}, {.keep_graph = true})[0].to_vector<double>() == std::vector<double>{-4, 14, -4});
  const std::vector<double> av{17, -6, 30};
  CHECK(hessian_vector_product(loss, {w}, {v}, true)[0].to_vector<double>() == av);
  CHECK(two_lines(loss, {w}, {v})[0].to_vector<double>() == av);
}

TEST_CASE("hvp of logistic regression is X^T diag(s (1 - s)) X v / n") {
  const NoLeaks check;
  const Index n = 20, d = 4;
  const Tensor x = normal_tensor({n, d}, f64, 31), y = unary(UnaryOp::sign, normal_tensor({n, 1}, f64, 32));
  const Variable w = Variable::parameter(normal_tensor({d, 1}, f64, 33));
  const Tensor v = normal_tensor({d, 1}, f64, 34);
  // mean of log(1 + exp(-y x.w))
  const Variable loss = -mean(log(sigmoid(Variable(y) * matmul(x, w))));
  const Tensor hv = two_lines(loss, {w}, {v})[0];

  const Tensor s = unary(UnaryOp::sigmoid, matmul(x, w.value()));
  const Tensor scale = s - s * s;
  const Tensor expected =
      unary(UnaryOp::mul_scalar, matmul(x, scale * matmul(x, v), true, false), 1.0 / static_cast<double>(n));
  CHECK(relative_distance({hv}, {expected}) < 1e-13);
}

TEST_CASE("hvp of softmax regression through the fused cross-entropy") {
  const NoLeaks check;
  const Index n = 12, d = 3, k = 4;
  const Tensor x = normal_tensor({n, d}, f64, 41), v = normal_tensor({k, d}, f64, 42);
  const Tensor labels = Tensor::from<std::int64_t>({0, 1, 2, 3, 0, 1, 2, 3, 1, 1, 2, 0});
  const Variable w = Variable::parameter(normal_tensor({k, d}, f64, 43));
  const Tensor hv = two_lines(cross_entropy(linear(x, w, Variable()), labels), {w}, {v})[0];

  // Row by row: (diag(p) - p p^T) V x, times x^T.
  const Tensor p = softmax(linear(x, w.detach(), Variable())).value(), u = matmul(x, v, false, true);
  const Tensor r = p * (u - sum(p * u, {1}, true));
  const Tensor expected = unary(UnaryOp::mul_scalar, matmul(r, x, true, false), 1.0 / static_cast<double>(n));
  CHECK(relative_distance({hv}, {expected}) < 1e-13);
}

TEST_CASE("hvp of a residual network against central differences, train and eval mode") {
  const NoLeaks check;
  for (SmallNet::Mode mode : {SmallNet::Mode::train, SmallNet::Mode::eval}) {
    const SmallNet net(mode, f64, 4, 6, 5);
    const Tensors v = direction_like(net.weights, 50);
    const Loss loss = [&](const Variables& w) { return net.loss(w); };
    const Tensors hv = hessian_vector_product(net.loss(), net.weights, v);
    const double error = relative_distance(hv, difference_hvp(loss, net.weights, v, 2e-5));
    INFO("mode ", mode == SmallNet::Mode::train ? "train" : "eval", ", relative error ", error);
    CHECK(error < 1e-6);
    // Symmetry: u.Hv = v.Hu.
    const Tensors u = direction_like(net.weights, 70),
                  hu = hessian_vector_product(net.loss(), net.weights, u);
    double uhv = 0, vhu = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      uhv += dot(u[i], hv[i]);
      vhu += dot(v[i], hu[i]);
    }
    CHECK(uhv == doctest::Approx(vhu).epsilon(1e-11));
  }
}

TEST_CASE("hvp where one input of a fused op depends on another") {
  const NoLeaks check;
  // x depends on gamma: a derivative of the meaning with respect to gamma itself would count that path twice.
  const Tensor data = normal_tensor({6, 3}, f64, 81), weight = normal_tensor({6, 3}, f64, 82);
  const auto build = [&](bool train) -> Loss {
    return [&, train](const Variables& w) {
      const Variable x = Variable(data) * tanh(w[0]) + square(w[1]);
      const BatchNormOptions o{.eps = 1e-3, .residual = x * w[0]};
      const Tensor ones = Tensor::full({3}, 1, f64);
      const Variable y =
          train ? batch_norm_train(x, w[0], w[1], o).y : batch_norm_eval(x, w[0], w[1], ones, ones, o);
      return sum(sigmoid(y) * Variable(weight));
    };
  };
  for (bool train : {true, false}) {
    const Loss loss = build(train);
    const Variables w{Variable::parameter(normal_tensor({3}, f64, 83)),
                      Variable::parameter(normal_tensor({3}, f64, 84))};
    const Tensors v = direction_like(w, 85);
    CHECK(relative_distance(hessian_vector_product(loss(w), w, v), difference_hvp(loss, w, v, 2e-3)) < 1e-8);
  }
}

TEST_CASE("5.5.12 scale invariance before batch norm: w.grad = 0 and H w = -grad") {
  const NoLeaks check;
  SmallNet net(SmallNet::Mode::train, f64, 4, 6, 5);
  net.eps = 0;
  // The loss does not change when a convolution's weights are scaled: degree 0, so its gradient has degree
  // -1. (The shortcut hands h on unscaled; h itself is invariant under a scaling of conv1.)
  for (std::size_t i : {0, 3}) {
    const Variable w = net.weights[i];
    const Variable loss = net.loss();
    const Tensor g = gradients(loss, {w}, {.keep_graph = true})[0];
    CHECK(norm(g) > 1e-3);
    CHECK(std::abs(dot(g, w.value())) < 1e-13 * norm(g) * norm(w.value()) * 10);
    const Tensor hw = hessian_vector_product(loss, {w}, {w.value()})[0];
    CHECK(relative_distance({hw}, {unary(UnaryOp::neg, g)}) < 1e-11);
    // Also output channel by output channel: each has its own scale.
    const Tensor products = sum(g * w.value(), {0, 1, 2});
    for (double p : products.to_vector<double>()) CHECK(std::abs(p) < 1e-12 * norm(g) * norm(w.value()));
  }
}

TEST_CASE("5.5.12 scale invariance: weights three times as long have a ninth of the curvature") {
  const NoLeaks check;
  SmallNet net(SmallNet::Mode::train, f64, 4, 6, 5);
  net.eps = 0;
  const auto largest = [&net](std::size_t i) {
    const Variable& w = net.weights[i];
    const LinearOperator h{.dim = w.value().elements(), .apply = [&](const Tensor& v) {
                             const Tensor hv =
                                 hessian_vector_product(net.loss(), {w}, {v.reshape(w.shape())})[0];
                             return hv.reshape(Shape{v.elements()});
                           }};
    return lanczos_eigenpairs(h, {.count = 1, .tolerance = 1e-12}, {}).pairs.at(0).value;
  };
  for (std::size_t i : {0, 3}) {
    const double before = largest(i);
    net.weights[i] = Variable::parameter(unary(UnaryOp::mul_scalar, net.weights[i].value(), 3));
    CHECK(before > 1e-3);
    CHECK(largest(i) * 9 == doctest::Approx(before).epsilon(1e-10));
  }
}

TEST_CASE("hvp of a loss that is linear is zero") {
  const NoLeaks check;
  const Variable w = Variable::parameter(normal_tensor({3}, f64, 91));
  const Tensor hv = hessian_vector_product(sum(w * 2.0), {w}, {w.value()})[0];
  CHECK(hv.to_vector<double>() == std::vector<double>{0, 0, 0});
}

TEST_CASE("gradients that are only differentiated again have the same derivatives, bit for bit") {
  const NoLeaks check;
  for (SmallNet::Mode mode : {SmallNet::Mode::train, SmallNet::Mode::eval}) {
    const SmallNet net(mode, f64, 4, 6, 5);
    // conv1.weight is used twice: its cotangents meet.
    const auto loss = [&] { return net.loss() + sum(square(conv2d(net.images, net.weights[0]))) * 0.1; };
    const Tensors v = direction_like(net.weights, 50);
    const Tensors read = two_lines(loss(), net.weights, v),
                  unread = hessian_vector_product(loss(), net.weights, v);
    for (std::size_t i = 0; i < read.size(); ++i)
      CHECK(unread[i].to_vector<double>() == read[i].to_vector<double>());
  }
}

TEST_CASE("only what nobody reads is left out of a gradient") {
  const NoLeaks check;
  const SmallNet net(SmallNet::Mode::train, f64, 4, 6, 5);
  const Variable loss = net.loss();
  const Tensors whole = gradients(loss, net.weights, {.keep_graph = true});
  std::vector<char> unread(net.weights.size(), 0);
  unread[3] = 1;  // conv2.weight
  const Variables g = histories_of_gradients(loss, net.weights, {}, unread);
  for (std::size_t i = 0; i < g.size(); ++i) CHECK((norm(g[i].value()) == 0) == (unread[i] != 0));
  CHECK(relative_distance({g[0].value()}, {whole[0]}) < 1e-12);
}

TEST_CASE("the gradient of batch norm: its kernels are its meaning, at second and third order") {
  const NoLeaks check;
  const Tensor x = normal_tensor({4, 3, 3, 5}, f64, 1), with = normal_tensor({4, 3, 3, 5}, f64, 2),
               rest = normal_tensor({4, 3, 3, 5}, f64, 3), mean = normal_tensor({5}, f64, 4),
               var = unary(UnaryOp::exp, normal_tensor({5}, f64, 5)),
               kernel = normal_tensor({3, 3, 5, 2}, f64, 6);
  for (const int form : {0, 1, 2, 3}) {
    for (const bool train : {true, false}) {
      const Loss loss = [&](const Variables& w) {
        const BatchNormOptions o{
            .eps = 0.1, .relu = form != 0, .residual = form == 2 ? w[0] * Variable(rest) : Variable()};
        if (form == 3) {
          const Variable y = train ? batch_norm_conv2d_train(w[0], w[1], w[2], w[3], o).y
                                   : batch_norm_conv2d_eval(w[0], w[1], w[2], mean, var, w[3], o);
          return sum(square(sigmoid(y)));
        }
        const Variable y =
            train ? batch_norm_train(w[0], w[1], w[2], o).y : batch_norm_eval(w[0], w[1], w[2], mean, var, o);
        return sum(sigmoid(y) * Variable(with)) + 0.1 * sum(square(w[3]));
      };
      Variables w;
      for (const Tensor& t : {x, normal_tensor({5}, f64, 7), normal_tensor({5}, f64, 8), kernel})
        w.push_back(Variable::parameter(t));
      const Tensors v = direction_like(w, 9), u = direction_like(w, 20);
      const Tensors by_kernels = hessian_vector_product(loss(w), w, v);
      INFO("form ", form, ", batch statistics ", train);
      CHECK(relative_distance(by_kernels, difference_hvp(loss, w, v, 1e-3)) < 1e-7);
      // While the sweep records, the meanings are differentiated.
      const Variables g = differentiable_gradients(loss(w), w);
      const Variables hv = differentiable_gradients(dot(g, Variables(v.begin(), v.end())), w);
      Tensors by_meanings;
      for (const Variable& part : hv) by_meanings.push_back(part.value());
      CHECK(relative_distance(by_kernels, by_meanings) < 1e-12);
      // u . d/dw (u . H v) against differences of u . H v along u.
      const Tensors third = gradients(dot(hv, Variables(u.begin(), u.end())), w);
      double along = 0, difference = 0;
      const Variables far = moved(w, u, 1e-5), near = moved(w, u, -1e-5);
      const Tensors a = hessian_vector_product(loss(far), far, v),
                    b = hessian_vector_product(loss(near), near, v);
      for (std::size_t i = 0; i < w.size(); ++i) {
        along += dot(third[i], u[i]);
        difference += (static_cast<double>(dot(a[i], u[i])) - static_cast<double>(dot(b[i], u[i]))) / 2e-5;
      }
      CHECK(along == doctest::Approx(difference).epsilon(1e-5));
    }
  }
}
