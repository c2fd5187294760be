// Layers: what they compute, what they remember, and that a repeated pass changes nothing.
#include <doctest/doctest.h>

#include <cmath>

#include "core/ops.h"
#include "nn/layers.h"

using namespace basin;
using doctest::Approx;

TEST_CASE("batch normalisation keeps running statistics once per step (sam_gam.md, item 20)") {
  nn::Initializer init(1, Dtype::f64);
  nn::BatchNorm2d norm_layer(1, init);
  const Tensor x = Tensor::from<double>({1, 2, 3, 4}, {4, 1, 1, 1});
  nn::Context first, repeat{.statistics = nn::Statistics::hold};
  const Variable y = norm_layer(x, first);
  const Variable y2 = norm_layer(x, repeat);
  CHECK(y.value().to_vector<double>() == y2.value().to_vector<double>());
  const Entries all = entries_of(norm_layer);
  CHECK(all.buffers[0].buffer->item() == Approx(0.25).epsilon(1e-12));
  CHECK(all.buffers[1].buffer->item() == Approx(1.0666666667).epsilon(1e-9));
  CHECK(all.buffers[2].buffer->item() == 1);
  // Eval mode uses them and leaves them.
  nn::Context eval = nn::Context::evaluation();
  const double expected = (2 - 0.25) / std::sqrt(1.0666666666666667 + 1e-5);
  CHECK(norm_layer(x, eval).value().to_vector<double>()[1] == Approx(expected).epsilon(1e-12));
  CHECK(all.buffers[0].buffer->item() == Approx(0.25).epsilon(1e-12));
}

TEST_CASE("batch norm, residual and ReLU in one forward() are the three by themselves") {
  nn::Initializer init(2, Dtype::f64);
  struct InOne : nn::Module {
    nn::BatchNorm2d norm;
    Tensor residual;
    explicit InOne(nn::Initializer& from) : norm(5, from) {}
    void describe(Inventory& it) override { it.child("norm", norm); }
    const char* kind() const override { return "in one"; }
    Variable forward(const Variable& x, nn::Context& ctx) override { return relu(norm(x, ctx) + residual); }
  };
  InOne one(init);
  const Tensor x = init.normal({3, 4, 4, 5}, 1, 2), r = init.normal({3, 4, 4, 5}, 0, 1);
  for (nn::Mode mode : {nn::Mode::train, nn::Mode::eval}) {
    nn::Context ctx{.mode = mode, .statistics = nn::Statistics::hold};
    one.residual = r;
    const Variable together = one(x, ctx);
    const Variable apart = relu(one.norm(x, ctx) + r);
    const auto a = together.value().to_vector<double>(), b = apart.value().to_vector<double>();
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(b[i]).epsilon(1e-12));
  }
}

TEST_CASE("dropout repeats its masks in a repeated pass and changes them with the step") {
  nn::Dropout a(0.5), b(0.5);
  const Tensor x = Tensor::full({1000}, 1);
  const auto masks = [&](std::uint64_t step) {
    nn::Context ctx{.seed = 9, .step = step};
    return std::pair(a(x, ctx).value().to_vector<float>(), b(x, ctx).value().to_vector<float>());
  };
  CHECK(masks(3) == masks(3));
  CHECK(masks(3).first != masks(4).first);
  CHECK(masks(3).first != masks(3).second);
  nn::Context eval = nn::Context::evaluation();
  CHECK(a(x, eval).value().to_vector<float>() == x.to_vector<float>());
  CHECK_THROWS_AS(nn::Dropout(1.0), ArgumentError);
}

TEST_CASE("linear and convolution with bias") {
  nn::Initializer init(4, Dtype::f64);
  nn::Linear linear_layer(3, 2, init);
  const Entries all = entries_of(linear_layer);
  const auto w = all.parameters[0].parameter->value().to_vector<double>();
  const auto b = all.parameters[1].parameter->value().to_vector<double>();
  CHECK(all.parameters[1].role == ParameterRole::bias);
  nn::Context ctx;
  const auto y = linear_layer(Tensor::from<double>({1, -2, 0.5}, {1, 3}), ctx).value().to_vector<double>();
  CHECK(y[0] == Approx(w[0] - 2 * w[1] + 0.5 * w[2] + b[0]));
  CHECK(y[1] == Approx(w[3] - 2 * w[4] + 0.5 * w[5] + b[1]));

  nn::Conv2d conv({.in = 4, .out = 6, .kernel = 3, .stride = 2, .pad = 1, .groups = 2, .bias = true}, init);
  CHECK(conv(init.normal({2, 7, 5, 4}, 0, 1), ctx).shape() == Shape{2, 4, 3, 6});
  CHECK(entries_of(conv).parameters[0].layout == ParameterLayout::convolution);
  CHECK_THROWS_WITH_AS(conv(init.normal({2, 7, 5, 3}, 0, 1), ctx), doctest::Contains("[conv2d]"),
                       ArgumentError);
  CHECK_THROWS_AS(nn::Conv2d({.in = 3, .out = 4, .groups = 2}, init), ArgumentError);
}

TEST_CASE("initial values have the deviation that their papers give") {
  nn::Initializer init(8);
  const auto deviation = [](const Tensor& t) {
    double s = 0;
    for (double v : t.to_vector<double>()) s += v * v;
    return std::sqrt(s / static_cast<double>(t.elements()));
  };
  const Shape conv{3, 3, 64, 128};
  CHECK(deviation(init.kaiming_normal(conv)) == Approx(std::sqrt(2.0 / 576)).epsilon(0.01));
  CHECK(deviation(init.kaiming_normal(conv, nn::Fan::out)) == Approx(std::sqrt(2.0 / 1152)).epsilon(0.01));
  CHECK(deviation(init.xavier_uniform({400, 300})) == Approx(std::sqrt(2.0 / 700)).epsilon(0.01));
  CHECK(deviation(init.weight(conv, nn::Scheme::kaiming_in)) == Approx(std::sqrt(2.0 / 576)).epsilon(0.01));
  CHECK(deviation(init.weight(conv, nn::Scheme::kaiming_out)) == Approx(std::sqrt(2.0 / 1152)).epsilon(0.01));
  CHECK(deviation(init.weight(conv, nn::Scheme::xavier_relu)) == Approx(std::sqrt(4.0 / 1728)).epsilon(0.01));
  CHECK(deviation(init.weight(conv, nn::Scheme::lecun)) == Approx(std::sqrt(1.0 / 576)).epsilon(0.01));
  CHECK_THROWS_AS(nn::fans_of({3}), ArgumentError);
  nn::Initializer blank = nn::Initializer::blank(Dtype::f64);
  const Tensor zeros = blank.weight(conv, nn::Scheme::kaiming_in);
  CHECK(deviation(zeros) == 0);
  CHECK(zeros.dtype() == Dtype::f64);
  CHECK(blank.ones({2}).to_vector<double>() == std::vector<double>{1, 1});
}

TEST_CASE("sequential names its parts by number") {
  nn::Initializer init(1);
  nn::Sequential net;
  net.add<nn::Linear>(2, 3, init);
  net.add<nn::Relu>();
  net.add<nn::LayerNorm>(3, init);
  const Entries all = entries_of(net);
  CHECK(all.parameters[0].name == "0.weight");
  CHECK(all.parameters[3].name == "2.bias");
  CHECK(net.size() == 3);
}
