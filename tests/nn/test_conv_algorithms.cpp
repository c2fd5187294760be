// What the choice of the convolution's algorithm does to the gradient of a whole network.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/gradients.h"
#include "core/conv_algorithm.h"
#include "core/ops.h"
#include "nn/initializers.h"
#include "nn/models/registry.h"

using namespace basin;

namespace {

// ResNet-20 whose batch norms scale and shift at random (not by 1 and 0), and images for it.
struct Problem {
  std::unique_ptr<nn::Module> model = nn::make_model({.name = "resnet20", .seed = 7});
  Tensor x, labels;

  explicit Problem(Index batch) {
    nn::Initializer draw(3);
    for (const NamedParameter& p : entries_of(*model).parameters) {
      const Shape& shape = p.parameter->shape();
      if (p.role == ParameterRole::norm_weight)
        *p.parameter = Variable::parameter(draw.uniform(shape, 0.5, 1.5), p.name);
      if (p.role == ParameterRole::norm_bias)
        *p.parameter = Variable::parameter(draw.normal(shape, 0, 0.2), p.name);
    }
    x = draw.normal({batch, 32, 32, 3}, 0, 1);
    std::vector<std::int64_t> classes;
    for (Index i = 0; i < batch; ++i) classes.push_back(i * 7 % 10);
    labels = Tensor::from(classes);
  }

  // The whole gradient of the mean cross-entropy, at the same numbers in any dtype.
  std::vector<double> gradient(Dtype dtype, ConvAlgorithm algorithm) const {
    const WithConvAlgorithm with(algorithm);
    auto same = nn::make_model({.name = "resnet20", .dtype = dtype});
    const Entries from = entries_of(*model), to = entries_of(*same);
    Variables w;
    for (std::size_t i = 0; i < from.parameters.size(); ++i) {
      *to.parameters[i].parameter = Variable::parameter(from.parameters[i].parameter->value().to(dtype));
      w.push_back(*to.parameters[i].parameter);
    }
    nn::Context ctx{.statistics = nn::Statistics::hold};
    std::vector<double> all;
    for (const Tensor& g : gradients(cross_entropy((*same)(x.to(dtype), ctx), labels), w))
      for (double v : g.to_vector<double>()) all.push_back(v);
    return all;
  }
};

// ||a - b|| / ||b||.
double distance(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  return std::sqrt(difference / norm);
}

}  // namespace

// Rounding turns a few ReLUs at zero on or off, which moves the gradient far more than a kernel's own error.
TEST_CASE("ResNet-20's whole gradient: direct within 3e-3 of f64, Winograd's within 1e-2") {
  const Problem problem(16);
  const std::vector<double> exact = problem.gradient(Dtype::f64, ConvAlgorithm::direct);
  CHECK(exact.size() == 269722);
  const std::vector<double> direct = problem.gradient(Dtype::f32, ConvAlgorithm::direct);
  CHECK(distance(direct, exact) <= 3e-3);
  for (ConvAlgorithm algorithm : {ConvAlgorithm::winograd2, ConvAlgorithm::winograd4}) {
    const std::string name = name_of(algorithm);
    CAPTURE(name);
    const std::vector<double> winograd = problem.gradient(Dtype::f32, algorithm);
    CHECK(distance(winograd, exact) <= 1e-2);
    CHECK(winograd != direct);
  }
}
