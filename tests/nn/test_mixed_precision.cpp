// Models whose activations are bf16: near what they give in f32, with gradients of parameters in f32.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/gradients.h"
#include "core/ops.h"
#include "nn/models/registry.h"
#include "tests/device/test_device.h"
#include "tests/nn/tiny_models.h"

using namespace basin;
using basin::testing::test_device;

namespace {

Variables weights_of(nn::Module& model) {
  Variables w;
  for (const NamedParameter& p : entries_of(model).parameters) w.push_back(*p.parameter);
  return w;
}

struct Step {
  double loss;
  Tensors gradient;
};

/// One training pass on normal images of a dtype, labels 0, 1, ...
Step train(nn::Module& model, const Shape& images, Index classes, Dtype dtype) {
  nn::Initializer draw(11);
  std::vector<std::int64_t> labels;
  for (Index i = 0; i < images[0]; ++i) labels.push_back(i % classes);
  nn::Context ctx{.statistics = nn::Statistics::hold, .seed = 5};
  const Variable logits = model(Variable(draw.normal(images, 0, 1).to(dtype).to(test_device())), ctx);
  CHECK(logits.dtype() == dtype);
  const Variable loss = cross_entropy(logits, Tensor::from(labels).to(test_device()));
  CHECK(loss.dtype() == Dtype::f32);
  return {Scalar(loss.value()), gradients(loss, weights_of(model))};
}

double cosine(const Tensors& a, const Tensors& b) {
  double product = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += dot(a[i], b[i]).value();
    aa += dot(a[i], a[i]).value();
    bb += dot(b[i], b[i]).value();
  }
  return product / std::sqrt(aa * bb);
}

/// A training pass in bf16 near that in f32. `least`: of the cosine between their gradients.
void check_near(const TinyModel& made, const Shape& images, double least) {
  CAPTURE(made.name);
  nn::Initializer init(3, Dtype::f32, test_device());
  const auto model = made.make(init);
  // No weight is 0: the head of a ViT is, and hides what is before it.
  std::uint64_t i = 0;
  for (const Variable& w : weights_of(*model)) {
    Tensor values = w.value();
    axpby(0.05, nn::Initializer(++i).normal(w.shape(), 0, 1).to(test_device()), 1, values);
  }
  const Step wide = train(*model, images, kTinyClasses, Dtype::f32);
  const Step half = train(*model, images, kTinyClasses, Dtype::bf16);
  CHECK(half.loss == doctest::Approx(wide.loss).epsilon(0.02));
  CHECK(half.loss != wide.loss);
  for (const Tensor& g : half.gradient) CHECK(g.dtype() == Dtype::f32);
  CHECK(cosine(half.gradient, wide.gradient) > least);
}

}  // namespace

TEST_CASE("bf16: a training pass of a ResNet, a PyramidNet and a ViT is near that in f32") {
  using namespace nn;
  const Shape images{32, 16, 16, 3};
  check_near({"resnet8",
              [](Initializer& init) {
                return std::make_unique<CifarResNet>(8, 3, kTinyClasses, Shortcut::a, init);
              }},
             images, 0.99);
  check_near(tiny<PyramidNet>("pyramidnet", PyramidNetOptions{.depth = 8, .alpha = 9}), images, 0.99);
  check_near(
      tiny<Vit>(
          "vit",
          VitOptions{.height = 16, .width = 16, .patch = 4, .dim = 24, .layers = 3, .heads = 3, .mlp = 48}),
      images, 0.99);
}

TEST_CASE("bf16: a training pass of every family is near that in f32") {
  // Narrow networks on images of a pixel or few: their norms enlarge what rounding changes.
  for (const TinyModel& made : tiny_models()) check_near(made, {64, kTinySide, kTinySide, 3}, 0.8);
}

TEST_CASE("slow: bf16: every model of the registry makes a training pass") {
  for (const std::string& name : nn::model_names()) {
    CAPTURE(name);
    const Index side = name.starts_with("vit") || name.starts_with("vgg") ? 32 : 16;
    const auto model = nn::make_model({.name = name, .height = side, .width = side, .device = test_device()});
    const Step step = train(*model, {2, side, side, 3}, 10, Dtype::bf16);
    CHECK(std::isfinite(step.loss));
    double squares = 0;
    for (const Tensor& g : step.gradient) {
      CHECK(g.dtype() == Dtype::f32);
      squares += dot(g, g).value();
    }
    CHECK(std::isfinite(squares));
    CHECK(squares > 0);
  }
}
