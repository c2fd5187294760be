#include "tests/autograd/small_net.h"

#include <cmath>

#include "core/ops.h"
#include "core/random.h"

namespace basin {

Tensor normal_tensor(const Shape& shape, Dtype dtype, std::uint64_t seed) {
  Random random(seed, Stream::user);
  std::vector<double> values(static_cast<std::size_t>(shape.elements()));
  for (double& v : values) v = random.normal();
  return Tensor::from(values, shape).to(dtype);
}

SmallNet::SmallNet(Mode m, Dtype dtype, Index batch, Index pixels, Index channels) : mode(m) {
  const Index c = channels;
  images = normal_tensor({batch, pixels, pixels, 3}, dtype, 1);
  std::vector<std::int64_t> classes;
  for (Index i = 0; i < batch; ++i) classes.push_back(i * 7 % 5);
  labels = Tensor::from(classes);
  std::uint64_t seed = 2;
  const auto add = [&](const char* name, const Shape& shape, double scale, double shift) {
    const Tensor t = unary(UnaryOp::mul_scalar, normal_tensor(shape, dtype, seed++), scale);
    weights.push_back(Variable::parameter(unary(UnaryOp::add_scalar, t, shift), name));
  };
  add("conv1.weight", {3, 3, 3, c}, 0.3, 0);
  add("norm1.weight", {c}, 0.2, 1);
  add("norm1.bias", {c}, 0.2, 0);
  add("conv2.weight", {3, 3, c, c}, 0.3, 0);
  add("norm2.weight", {c}, 0.2, 1);
  add("norm2.bias", {c}, 0.2, 0);
  add("fc.weight", {5, c}, 0.5, 0);
  add("fc.bias", {5}, 0.5, 0);
  for (int i = 0; i < 2; ++i) {
    statistics.push_back(normal_tensor({c}, dtype, seed++));
    statistics.push_back(unary(UnaryOp::exp, normal_tensor({c}, dtype, seed++)));
  }
}

Variable SmallNet::loss(const Variables& w) const {
  const auto norm = [&](const Variable& x, std::size_t at, std::size_t statistic, const Variable& residual) {
    const BatchNormOptions options{.eps = eps, .relu = true, .residual = residual};
    if (mode == Mode::train) return batch_norm_train(x, w[at], w[at + 1], options).y;
    return batch_norm_eval(x, w[at], w[at + 1], statistics[statistic], statistics[statistic + 1], options);
  };
  const Variable h = norm(conv2d(images, w[0], {.pad_h = 1, .pad_w = 1}), 1, 0, Variable());
  const Variable y = norm(conv2d(h, w[3], {.pad_h = 1, .pad_w = 1}), 4, 2, h);
  const Variable pooled = global_avg_pool(max_pool(y, {}));
  return cross_entropy(linear(pooled, w[6], w[7]), labels, {.label_smoothing = 0.1});
}

Variables moved(const Variables& w, const Tensors& v, double t) {
  Variables result;
  for (std::size_t i = 0; i < w.size(); ++i)
    result.push_back(Variable::parameter(w[i].value() + unary(UnaryOp::mul_scalar, v[i], t)));
  return result;
}

double relative_distance(const Tensors& x, const Tensors& y) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const Tensor d = x[i] - y[i];
    difference += dot(d, d);
    size += dot(y[i], y[i]);
  }
  return std::sqrt(difference / size);
}

}  // namespace basin
