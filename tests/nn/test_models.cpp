// Models: the counts that the papers give, names, shapes, seeds, and what describe() walks.
#include <doctest/doctest.h>

#include <set>

#include "autograd/gradients.h"
#include "core/ops.h"
#include "nn/models/registry.h"
#include "nn/models/resnet.h"
#include "nn/summary.h"

using namespace basin;

namespace {

Index parameter_count(const nn::ModelSpec& spec) {
  auto model = nn::make_model(spec);
  Index n = 0;
  for (const NamedParameter& p : entries_of(*model).parameters) n += p.parameter->value().elements();
  return n;
}

std::vector<double> all_weights(nn::Module& model) {
  std::vector<double> all;
  for (const NamedParameter& p : entries_of(model).parameters)
    for (double v : p.parameter->value().to_vector<double>()) all.push_back(v);
  return all;
}

}  // namespace

TEST_CASE("parameter counts are the papers'") {
  // 0.27 M, 0.46 M, 0.66 M, 0.85 M, 1.7 M in He et al. 2016, table 6.
  CHECK(parameter_count({.name = "resnet20"}) == 269722);
  CHECK(parameter_count({.name = "resnet32"}) == 464154);
  CHECK(parameter_count({.name = "resnet44"}) == 658586);
  CHECK(parameter_count({.name = "resnet56"}) == 853018);
  CHECK(parameter_count({.name = "resnet110"}) == 1727962);
  // Option B adds the two projections with their normalisation: 16*32 + 64 + 32*64 + 128.
  CHECK(parameter_count({.name = "resnet20", .shortcut = nn::Shortcut::b}) == 269722 + 512 + 64 + 2048 + 128);
  CHECK(parameter_count({.name = "lenet5", .height = 28, .width = 28, .channels = 1}) == 61706);
  CHECK(parameter_count({.name = "mlp", .height = 28, .width = 28, .channels = 1}) == 235146);
}

TEST_CASE("the summary names every layer in forward order and counts its work") {
  auto model = nn::make_model({.name = "resnet20"});
  const nn::Summary s = nn::summarize(*model, {32, 32, 3});
  CHECK(s.multiply_adds == 40551040);
  CHECK(s.parameters == 269722);
  CHECK(s.output == Shape{1, 10});
  CHECK(s.layers.front().path == "conv1");
  CHECK(s.layers.front().out == Shape{1, 32, 32, 16});
  CHECK(s.layers.back().path == "fc");
  Index parameters = 0, work = 0;
  std::set<std::string> paths;
  for (const nn::LayerRow& row : s.layers) {
    parameters += row.parameters;
    work += row.multiply_adds;
    CHECK_MESSAGE(paths.insert(row.path).second, row.path);
  }
  CHECK(parameters == s.parameters);
  CHECK(work == s.multiply_adds);
  CHECK(paths.count("layer2.0.bn2") == 1);
}

TEST_CASE("activation memory is what the derivatives of a training pass need, for one image") {
  // The image, what each ReLU leaves, and the logits; the values before a ReLU are gone.
  const auto mlp = nn::make_model({.name = "mlp", .height = 28, .width = 28, .channels = 1});
  CHECK(nn::activation_bytes(*mlp, {28, 28, 1}) == 4 * (28 * 28 + 256 + 128 + 10));
  CHECK(nn::activation_bytes(*mlp, {28, 28, 1}) == nn::activation_bytes(*mlp, {28, 28, 1}));

  // The image, both convolutions' results (a derivative of batch norm needs its input), and the result; what
  // the ReLU between leaves is formed while the second convolution reads it; statistics belong to the batch.
  nn::Initializer init(3);
  nn::Sequential net;
  net.add<nn::Conv2d>(nn::Conv2dOptions{.in = 3, .out = 4, .kernel = 3, .pad = 1}, init);
  net.add<nn::BatchNorm2d>(4, init);
  net.add<nn::Relu>();
  net.add<nn::Conv2d>(nn::Conv2dOptions{.in = 4, .out = 5, .kernel = 3, .stride = 2, .pad = 1}, init);
  net.add<nn::BatchNorm2d>(5, init);
  const Entries all = entries_of(net);
  std::vector<std::vector<double>> before;
  for (const NamedBuffer& b : all.buffers) before.push_back(b.buffer->to(Dtype::f64).to_vector<double>());
  CHECK(nn::activation_bytes(net, {8, 8, 3}) == 4 * (64 * 3 + 64 * 4 + 16 * 5 + 16 * 5));
  for (std::size_t i = 0; i < before.size(); ++i)
    CHECK(all.buffers[i].buffer->to(Dtype::f64).to_vector<double>() == before[i]);
}

TEST_CASE("a seed is the whole origin of the initial weights") {
  auto a = nn::make_model({.name = "resnet8", .seed = 5}), b = nn::make_model({.name = "resnet8", .seed = 5}),
       c = nn::make_model({.name = "resnet8", .seed = 6});
  CHECK(all_weights(*a) == all_weights(*b));
  CHECK(all_weights(*a) != all_weights(*c));
  // f64 weights are the same draws, before rounding.
  auto d = nn::make_model({.name = "resnet8", .seed = 5, .dtype = Dtype::f64});
  const std::vector<double> wide = all_weights(*d), narrow = all_weights(*a);
  for (std::size_t i = 0; i < wide.size(); ++i)
    REQUIRE(static_cast<float>(wide[i]) == static_cast<float>(narrow[i]));
}

TEST_CASE("every model takes a batch, differentiates to all its parameters, and repeats itself") {
  // The other families' small members train in test_model_families.cpp.
  for (const std::string name : {"mlp", "lenet5", "resnet8", "resnet20", "resnet20-noshort"}) {
    CAPTURE(name);
    nn::Initializer draw(3);
    const Tensor x = draw.normal({4, 32, 32, 3}, 0, 1);
    const Tensor labels = Tensor::from<std::int64_t>({0, 3, 9, 3});
    auto model = nn::make_model({.name = name});
    nn::Context ctx{.statistics = nn::Statistics::hold};
    const Variable logits = (*model)(x, ctx);
    CHECK(logits.shape() == Shape{4, 10});
    Variables w;
    for (const NamedParameter& p : entries_of(*model).parameters) w.push_back(*p.parameter);
    const Tensors g = gradients(cross_entropy(logits, labels), w);
    for (const Tensor& t : g) {
      CHECK(all_finite(t));
      CHECK(norm(t) > 0);
    }
    nn::Context again{.statistics = nn::Statistics::hold};
    CHECK((*model)(x, again).value().to_vector<float>() == logits.value().to_vector<float>());
  }
}

TEST_CASE("unknown names and impossible sizes are told apart and explained") {
  CHECK_THROWS_AS(nn::make_model({.name = "resnet21"}), UsageError);
  CHECK_THROWS_WITH(nn::make_model({.name = "lenet5", .height = 8, .width = 8}),
                    "[lenet5] samples of 8 pixels are too small; at least 12 are needed");
  nn::Initializer init(1);
  CHECK_THROWS_AS(nn::CifarResNet(21, 3, 10, nn::Shortcut::a, init), ArgumentError);
}
