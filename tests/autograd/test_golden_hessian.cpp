// A small network's Hessian against PyTorch's double backward (golden_hessian.py), batch norm in both modes.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/curvature/hvp.h"
#include "autograd/curvature/symmetric_eigen.h"
#include "autograd/ops/ops.h"
#include "core/io/archive.h"
#include "core/ops.h"
#include "tests/autograd/golden_hessian.h"

using namespace basin;

namespace {

/// numbers() of the script.
Tensor numbers(Index k, const Shape& shape, double scale = 1, double shift = 0) {
  std::vector<double> values;
  for (Index i = 0; i < shape.elements(); ++i)
    values.push_back(
        (static_cast<double>((i * 7919 + k * 104729 + 17) * (i + 31) % 1009) / 1009 - 0.5) * scale + shift);
  return Tensor::from(values, shape);
}

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = {{4, 3, 3, 3}, {4}, {4}, {5, 4, 3, 3}, {5}, {5}, {3, 5}, {3}};
  return all;
}

Tensor in_memory(const Tensor& file) { return file.rank() == 4 ? from_file_layout(file) : file; }

struct Net {
  bool train;
  Variables w{};
  Tensor images = numbers(1, {6, 5, 5, 3}, 2), labels = Tensor::from<std::int64_t>({0, 1, 2, 0, 1, 2});

  explicit Net(bool of_batch) : train(of_batch) {
    for (std::size_t k = 0; k < shapes().size(); ++k)
      w.push_back(Variable::parameter(
          in_memory(numbers(10 + static_cast<Index>(k), shapes()[k], 1, k == 1 || k == 4 ? 1 : 0))));
  }

  Variable norm(const Variable& x, std::size_t layer) const {
    const Index k = static_cast<Index>(layer), c = x.size(-1);
    const Variable &gamma = w[3 * layer + 1], &beta = w[3 * layer + 2];
    if (train) return batch_norm_train(x, gamma, beta, {.relu = true}).y;
    return batch_norm_eval(x, gamma, beta, numbers(30 + k, {c}), numbers(32 + k, {c}, 1, 1), {.relu = true});
  }

  Variable loss() const {
    const Variable h = norm(conv2d(images, w[0], {.pad_h = 1, .pad_w = 1}), 0);
    const Variable y = norm(conv2d(h, w[3], {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}), 1);
    return cross_entropy(linear(global_avg_pool(y), w[6], w[7]), labels, {.label_smoothing = 0.1});
  }

  /// H v, all in the order of PyTorch's flat vector.
  std::vector<double> product(const std::vector<double>& v) const {
    const Tensor all = Tensor::from(v);
    Tensors parts;
    Index at = 0;
    for (const Shape& shape : shapes()) {
      parts.push_back(in_memory(all.view(at, shape)));
      at += shape.elements();
    }
    std::vector<double> flat;
    for (const Tensor& t : hessian_vector_product(loss(), w, parts)) {
      const std::vector<double> part = (t.rank() == 4 ? to_file_layout(t) : t).to_vector<double>();
      flat.insert(flat.end(), part.begin(), part.end());
    }
    return flat;
  }
};

}  // namespace

TEST_CASE("5.5.13 loss, products and the whole spectrum are those of PyTorch's double backward") {
  for (const GoldenHessian& golden : golden_hessians) {
    INFO("batch statistics: ", golden.train);
    const Net net(golden.train);
    CHECK(std::abs(net.loss().value().item() - golden.loss) < 1e-13);

    const std::size_t n = golden.product.size();
    std::vector<double> direction;
    for (std::size_t k = 0; k < shapes().size(); ++k) {
      const std::vector<double> part = numbers(20 + static_cast<Index>(k), shapes()[k]).to_vector<double>();
      direction.insert(direction.end(), part.begin(), part.end());
    }
    REQUIRE(direction.size() == n);
    const std::vector<double> hv = net.product(direction);
    for (std::size_t i = 0; i < n; ++i) CHECK(std::abs(hv[i] - golden.product[i]) < 1e-12);

    std::vector<double> h(n * n);
    double trace = 0, squared_diagonal = 0, frobenius = 0;
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<double> e(n, 0);
      e[i] = 1;
      const std::vector<double> column = net.product(e);
      for (std::size_t j = 0; j < n; ++j) {
        h[j * n + i] = column[j];
        frobenius += column[j] * column[j];
      }
      trace += column[i];
      squared_diagonal += column[i] * column[i];
    }
    CHECK(std::abs(trace - golden.trace) < 1e-11);
    CHECK(std::abs(squared_diagonal - golden.squared_diagonal) < 1e-11);
    CHECK(std::abs(std::sqrt(frobenius) - golden.frobenius) < 1e-11);
    const SymmetricEigen found = symmetric_eigen(h, static_cast<Index>(n));
    for (std::size_t i = 0; i < golden.largest.size(); ++i) {
      CHECK(std::abs(found.values[n - 1 - i] - golden.largest[i]) < 1e-11);
      CHECK(std::abs(found.values[i] - golden.smallest[i]) < 1e-11);
    }
  }
}
