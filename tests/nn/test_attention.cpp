// Self-attention and the vision transformer: against the formula written out, and to the second derivative.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/check/check_gradients.h"
#include "core/ops.h"
#include "nn/models/vit.h"

using namespace basin;
using doctest::Approx;

namespace {

using Numbers = std::vector<double>;

/// softmax(q k^T / sqrt(d)) v of each head, for one sample {S,D}, by loops.
Numbers attention_by_loops(const Numbers& x, Index tokens, Index width, Index heads, const Entries& all) {
  const Numbers w = all.parameters[0].parameter->value().to_vector<double>();
  const Numbers b = all.parameters[1].parameter->value().to_vector<double>();
  const Numbers ow = all.parameters[2].parameter->value().to_vector<double>();
  const Numbers ob = all.parameters[3].parameter->value().to_vector<double>();
  const auto at = [](Index row, Index column, Index columns) {
    return static_cast<std::size_t>(row * columns + column);
  };
  Numbers qkv(static_cast<std::size_t>(tokens * 3 * width));
  for (Index t = 0; t < tokens; ++t)
    for (Index o = 0; o < 3 * width; ++o) {
      double s = b[static_cast<std::size_t>(o)];
      for (Index i = 0; i < width; ++i) s += x[at(t, i, width)] * w[at(o, i, width)];
      qkv[at(t, o, 3 * width)] = s;
    }
  const Index depth = width / heads;
  Numbers mixed(x.size());
  for (Index h = 0; h < heads; ++h)
    for (Index t = 0; t < tokens; ++t) {
      Numbers score(static_cast<std::size_t>(tokens));
      double total = 0;
      for (Index u = 0; u < tokens; ++u) {
        double s = 0;
        for (Index j = h * depth; j < (h + 1) * depth; ++j)
          s += qkv[at(t, j, 3 * width)] * qkv[at(u, width + j, 3 * width)];
        total += score[static_cast<std::size_t>(u)] = std::exp(s / std::sqrt(static_cast<double>(depth)));
      }
      for (Index u = 0; u < tokens; ++u)
        for (Index j = h * depth; j < (h + 1) * depth; ++j)
          mixed[at(t, j, width)] +=
              score[static_cast<std::size_t>(u)] / total * qkv[at(u, 2 * width + j, 3 * width)];
    }
  Numbers y(x.size());
  for (Index t = 0; t < tokens; ++t)
    for (Index o = 0; o < width; ++o) {
      double s = ob[static_cast<std::size_t>(o)];
      for (Index i = 0; i < width; ++i) s += mixed[at(t, i, width)] * ow[at(o, i, width)];
      y[at(t, o, width)] = s;
    }
  return y;
}

}  // namespace

TEST_CASE("self-attention is the formula, sample by sample") {
  nn::Initializer init(3, Dtype::f64);
  nn::SelfAttention attention(6, 2, init);
  const Entries all = entries_of(attention);
  for (const std::size_t bias : {1u, 3u}) {
    Tensor values = all.parameters[bias].parameter->value();
    values.copy_from(init.normal(values.shape(), 0, 1));
  }
  const Tensor x = init.normal({2, 5, 6}, 0, 1);
  nn::Context ctx;
  const Numbers y = attention(x, ctx).value().to_vector<double>(), numbers = x.to_vector<double>();
  for (std::ptrdiff_t sample = 0; sample < 2; ++sample) {
    const Numbers own(numbers.begin() + 30 * sample, numbers.begin() + 30 * (sample + 1));
    const Numbers expected = attention_by_loops(own, 5, 6, 2, all);
    for (std::size_t i = 0; i < expected.size(); ++i)
      CHECK(y[static_cast<std::size_t>(30 * sample) + i] == Approx(expected[i]).epsilon(1e-12));
  }
  CHECK(attention.multiply_adds({2, 5, 6}, {2, 5, 6}) == 2 * (5 * 6 * 18 + 2 * 5 * 5 * 6 + 5 * 6 * 6));
  CHECK_THROWS_WITH_AS(nn::SelfAttention(6, 4, init), "[self_attention] 4 heads do not divide a width of 6",
                       ArgumentError);
}

TEST_CASE("self-attention differentiates twice in its input and its parameters") {
  nn::Initializer init(3, Dtype::f64);
  const Tensors inputs = {init.normal({1, 3, 4}, 0, 1), init.normal({12, 4}, 0, 0.5),
                          init.normal({12}, 0, 0.5), init.normal({4, 4}, 0, 0.5), init.normal({4}, 0, 0.5)};
  const auto run = [](const Variables& in) {
    nn::Initializer blank = nn::Initializer::blank(Dtype::f64);
    nn::SelfAttention attention(4, 2, blank);
    const Entries all = entries_of(attention);
    for (std::size_t i = 0; i < 4; ++i) *all.parameters[i].parameter = in[i + 1];
    nn::Context ctx;
    return attention(in[0], ctx);
  };
  for (const CheckErrors& order : check_gradients(run, inputs, {.order = 2}))
    CHECK_MESSAGE(order.passed, order.first_failure);
}

TEST_CASE("a vision transformer reads its class token, and positions tell patches apart") {
  nn::Initializer init(4, Dtype::f64);
  const nn::VitOptions options{
      .height = 8, .width = 12, .patch = 4, .dim = 8, .layers = 1, .heads = 2, .mlp = 16, .classes = 3};
  nn::Vit vit(options, init);
  const Entries all = entries_of(vit);
  CHECK(all.parameters[0].name == "class_token");
  CHECK(all.parameters[3].name == "encoder.pos_embedding");
  CHECK(all.parameters[3].parameter->shape() == Shape{1, 7, 8});
  CHECK(all.parameters[8].name == "encoder.layers.encoder_layer_0.self_attention.out_proj.weight");
  const Tensor x = init.normal({2, 8, 12, 3}, 0, 1);
  nn::Context ctx;
  CHECK(norm(vit(x, ctx).value()) == 0);  // the last layer starts at zero
  Tensor head = all.parameters[all.parameters.size() - 2].parameter->value();
  head.copy_from(init.normal(head.shape(), 0, 1));
  const Numbers logits = vit(x, ctx).value().to_vector<double>();

  // The same patches in another order: other logits with positions, the same ones without.
  const Tensor left = slice(x, {0, 0, 0, 0}, {2, 8, 4, 3}), right = slice(x, {0, 0, 4, 0}, {2, 8, 12, 3});
  const Tensor turned = concat(Tensors{right, left}, 2);
  CHECK(vit(turned, ctx).value().to_vector<double>()[0] != Approx(logits[0]).epsilon(1e-6));
  Tensor positions = all.parameters[3].parameter->value();
  positions.fill(0);
  const Numbers before = vit(x, ctx).value().to_vector<double>();
  const Numbers after = vit(turned, ctx).value().to_vector<double>();
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(before[i] == Approx(after[i]).epsilon(1e-12));

  CHECK_THROWS_WITH_AS(vit(init.normal({1, 8, 8, 3}, 0, 1), ctx),
                       "[vit] made for samples of {8,12}, got {1,8,8,3}", ArgumentError);
  CHECK_THROWS_WITH_AS(nn::Vit({.height = 28, .width = 28, .patch = 16}, init),
                       "[vit] patches of 16 pixels do not tile samples of {28,28}", ArgumentError);
}
