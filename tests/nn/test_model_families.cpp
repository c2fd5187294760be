// A small member of each family of models: it learns, its second derivatives are right, it travels by file.
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "autograd/gradients.h"
#include "core/io/archive.h"
#include "core/ops.h"
#include "tests/core/temporary_directory.h"
#include "tests/nn/tiny_models.h"

using namespace basin;

namespace {

Variables weights_of(nn::Module& model) {
  Variables w;
  for (const NamedParameter& p : entries_of(model).parameters) w.push_back(*p.parameter);
  return w;
}

/// w += a v, for each parameter.
void move(const Variables& w, double a, const Tensors& v) {
  for (std::size_t i = 0; i < w.size(); ++i) {
    Tensor values = w[i].value();
    axpby(a, v[i], 1, values);
  }
}

Tensors normal_like(const Variables& w, std::uint64_t seed) {
  nn::Initializer draw(seed, w[0].dtype());
  Tensors v;
  for (const Variable& p : w) v.push_back(draw.normal(p.shape(), 0, 1));
  return v;
}

struct Images {
  Tensor x, labels;
};

Images images(Index count, Dtype dtype) {
  nn::Initializer draw(11, dtype);
  std::vector<std::int64_t> labels;
  for (Index i = 0; i < count; ++i) labels.push_back(i % kTinyClasses);
  return {draw.normal({count, kTinySide, kTinySide, 3}, 0, 1), Tensor::from<std::int64_t>(labels)};
}

std::vector<ArchiveEntry> contents(nn::Module& model) {
  std::vector<ArchiveEntry> all;
  const Entries entries = entries_of(model);
  for (const NamedParameter& p : entries.parameters) {
    const bool convolution = p.layout == ParameterLayout::convolution;
    all.push_back({p.name, p.parameter->value(), convolution ? FileLayout::convolution : FileLayout::plain});
  }
  for (const NamedBuffer& b : entries.buffers) all.push_back({b.name, *b.buffer});
  return all;
}

}  // namespace

TEST_CASE("a small member of each family learns a handful of images by heart") {
  const Images data = images(8, Dtype::f32);
  for (const TinyModel& family : tiny_models()) {
    CAPTURE(family.name);
    nn::Initializer init(5);
    const auto model = family.make(init);
    const Variables w = weights_of(*model);
    Tensors velocity;
    for (const Variable& p : w) velocity.push_back(Tensor::zeros(p.shape()));
    double first = 0, last = 1;
    for (std::uint64_t step = 0; step < 300 && last > 0.01; ++step) {
      nn::Context ctx{.step = step, .dropout = false};
      const Variable loss = cross_entropy((*model)(data.x, ctx), data.labels);
      last = loss.value().item();
      if (step == 0) first = last;
      const Tensors g = gradients(loss, w);
      for (std::size_t i = 0; i < w.size(); ++i) axpby(1, g[i], 0.9, velocity[i]);
      move(w, -0.05, velocity);
    }
    CHECK(first > 1);
    CHECK(last <= 0.01);
  }
}

TEST_CASE("Hessian-vector products of each family are the differences of its gradients") {
  const Images data = images(6, Dtype::f64);
  for (const TinyModel& family : tiny_models()) {
    CAPTURE(family.name);
    nn::Initializer init(5, Dtype::f64);
    const auto model = family.make(init);
    const Variables w = weights_of(*model);
    move(w, 0.1, normal_like(w, 7));  // away from scales of exactly 1, and from a last layer of zeros
    const auto loss = [&] {
      nn::Context ctx{.statistics = nn::Statistics::hold, .seed = 3, .true_gradient = true};
      return cross_entropy((*model)(data.x, ctx), data.labels);
    };
    const Tensors v = normal_like(w, 9);
    const Tensors product =
        gradients(dot(differentiable_gradients(loss(), w), Variables(v.begin(), v.end())), w);

    const double h = 1e-8;  // so small that no ReLU flips within the step, which would be no error
    move(w, h, v);
    const Tensors above = gradients(loss(), w);
    move(w, -2 * h, v);
    const Tensors below = gradients(loss(), w);
    double error = 0, scale = 0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      Tensor difference = above[i].clone();
      axpby(-1 / (2 * h), below[i], 1 / (2 * h), difference);
      scale += dot(difference, difference);
      axpby(-1, product[i], 1, difference);
      error += dot(difference, difference);
    }
    CHECK(scale > 0);
    CHECK(std::sqrt(error / scale) < 1e-6);
  }
}

TEST_CASE("weights of each family come back from a file") {
  const Images data = images(3, Dtype::f32);
  const basin::test::TemporaryDirectory directory;
  for (const TinyModel& family : tiny_models()) {
    CAPTURE(family.name);
    nn::Initializer init(5), other(6);
    const auto model = family.make(init), copy = family.make(other);
    move(weights_of(*model), 0.1, normal_like(weights_of(*model), 7));
    nn::Context pass;  // moves the running statistics off their start
    (*model)(data.x, pass);

    write_archive(directory / "weights.safetensors", contents(*model));
    const Archive file(directory / "weights.safetensors");
    const std::vector<ArchiveEntry> slots = contents(*copy);
    CHECK(file.names().size() == slots.size());
    for (const ArchiveEntry& slot : slots) {
      Tensor target = slot.tensor;
      target.copy_from(file.read(slot.name, slot.layout));
    }
    nn::Context a = nn::Context::evaluation(), b = nn::Context::evaluation();
    CHECK((*model)(data.x, a).value().to_vector<float>() == (*copy)(data.x, b).value().to_vector<float>());
  }
}
