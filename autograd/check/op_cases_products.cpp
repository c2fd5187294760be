// Rows of the table: matrix products, convolution, pooling.
#include "autograd/check/op_cases_support.h"
#include "core/ops.h"

namespace basin {
namespace {

OpCase products() {
  OpCase row{"matmul", {"matmul(Variable, Variable, bool, bool)"}, {}};
  Draws d(41);
  const auto swapped = [](Shape s, bool swap) {
    if (swap) std::swap(s[s.rank() - 1], s[s.rank() - 2]);
    return s;
  };
  struct Pair {
    Shape a, b;
  };
  for (const auto& [a, b] : {Pair{{1, 1}, {1, 1}}, Pair{{3, 5}, {5, 2}}, Pair{{2, 3, 4}, {2, 4, 1}},
                             Pair{{2, 3, 4}, {4, 2}}, Pair{{3, 4}, {2, 4, 2}}, Pair{{2, 0}, {0, 3}}})
    for (bool ta : {false, true})
      for (bool tb : {false, true})
        row.instances.push_back({text(a, ta ? " transposed" : "", " by ", b, tb ? " transposed" : ""),
                                 [ta, tb](const Variables& in) { return matmul(in[0], in[1], ta, tb); },
                                 {d.normal(swapped(a, ta)), d.normal(swapped(b, tb))}});
  return row;
}

OpCase linears() {
  OpCase row{"linear", {"linear(Variable, Variable, Variable)"}, {}};
  Draws d(42);
  for (const Shape& x : {Shape{3}, Shape{1, 3}, Shape{5, 3}, Shape{2, 2, 3}, Shape{0, 3}})
    for (bool bias : {true, false}) {
      Tensors inputs{d.normal(x), d.normal({2, 3})};
      if (bias) inputs.push_back(d.normal({2}));
      row.instances.push_back(
          {text("x ", x, bias ? "" : ", no bias"),
           [](const Variables& in) { return linear(in[0], in[1], in.size() > 2 ? in[2] : Variable()); },
           inputs});
    }
  return row;
}

/// Geometries for the three ops of the triangle.
struct Conv {
  const char* label;
  Shape x, w;
  ConvOptions options;
};
const std::vector<Conv>& convolutions() {
  static const std::vector<Conv> all{
      {"one pixel", {1, 1, 1, 1}, {1, 1, 1, 1}, {}},
      {"1x1", {2, 3, 3, 3}, {1, 1, 3, 2}, {}},
      {"1x1 stride 2", {1, 5, 4, 2}, {1, 1, 2, 3}, {.stride_h = 2, .stride_w = 2}},
      {"3x3 same", {2, 4, 5, 3}, {3, 3, 3, 2}, {.pad_h = 1, .pad_w = 1}},
      {"3x3 valid", {1, 4, 3, 2}, {3, 3, 2, 2}, {}},
      {"3x3 stride 2", {1, 6, 5, 2}, {3, 3, 2, 3}, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}},
      {"2x3 window, unequal stride and padding",
       {2, 5, 6, 1},
       {2, 3, 1, 2},
       {.stride_h = 1, .stride_w = 3, .pad_h = 0, .pad_w = 2}},
      {"5x5 padding 2", {1, 3, 4, 1}, {5, 5, 1, 2}, {.pad_h = 2, .pad_w = 2}},
      {"7x7 stride 2", {1, 7, 8, 1}, {7, 7, 1, 1}, {.stride_h = 2, .stride_w = 2, .pad_h = 3, .pad_w = 3}},
      {"2 groups", {1, 3, 4, 4}, {3, 3, 2, 6}, {.pad_h = 1, .pad_w = 1, .groups = 2}},
      {"depthwise", {2, 3, 3, 3}, {3, 3, 1, 3}, {.pad_h = 1, .pad_w = 1, .groups = 3}},
      {"stride that skips pixels", {1, 6, 6, 1}, {1, 2, 1, 1}, {.stride_h = 3, .stride_w = 4}},
      {"no images", {0, 4, 4, 2}, {3, 3, 2, 2}, {.pad_h = 1, .pad_w = 1}},
  };
  return all;
}

OpCase triangle(const std::string& name, const std::string& declaration,
                const std::function<OpInstance(Draws&, const Conv&, const ConvGeometry&)>& make) {
  OpCase row{name, {declaration}, {}};
  Draws d(43);
  for (const Conv& c : convolutions()) {
    row.instances.push_back(make(d, c, conv_geometry(c.x, c.w, c.options)));
    row.instances.back().label = c.label;
  }
  return row;
}

// With the batch norm behind it, to which the moments go: as numbers, for it derives them itself.
OpCase convolutions_with_moments() {
  OpCase row{"conv2d_moments", {"conv2d_moments(Variable, Variable, ConvOptions)"}, {}};
  Draws d(44);
  for (const Conv& c : convolutions()) {
    const ConvGeometry g = conv_geometry(c.x, c.w, c.options);
    const Shape channels{g.out_c};
    if (g.y_shape().elements() <= g.out_c) continue;  // nothing, or its own mean
    row.instances.push_back({c.label,
                             [o = c.options](const Variables& in) {
                               const auto [y, moments] = conv2d_moments(in[0], in[1], o);
                               return batch_norm_train(y, in[2], in[3], {.eps = 1e-2, .moments = moments}).y;
                             },
                             {d.normal(c.x), d.normal(c.w), d.normal(channels), d.normal(channels)}});
  }
  return row;
}

struct Pool {
  const char* label;
  Shape x;
  PoolOptions options;
};
const std::vector<Pool>& pools() {
  static const std::vector<Pool> all{
      {"one pixel", {1, 1, 1, 1}, {.kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1}},
      {"2x2", {2, 4, 6, 3}, {}},
      {"2x2 leaves a border", {1, 5, 3, 2}, {}},
      {"3x3 stride 2 padding 1, overlapping",
       {2, 5, 6, 2},
       {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}},
      {"2x3 stride 1x2 padding 1x0",
       {1, 3, 5, 2},
       {.kernel_h = 2, .kernel_w = 3, .stride_h = 1, .stride_w = 2, .pad_h = 1, .pad_w = 0}},
      {"padding not counted",
       {1, 4, 4, 2},
       {.kernel_h = 3,
        .kernel_w = 3,
        .stride_h = 1,
        .stride_w = 1,
        .pad_h = 1,
        .pad_w = 1,
        .count_pad = false}},
      {"no images", {0, 4, 4, 2}, {}},
  };
  return all;
}

OpCase pooling(const std::string& name, Variable (*f)(const Variable&, const PoolOptions&)) {
  OpCase row{name, {name + "(Variable, PoolOptions)"}, {}};
  Draws d(44);
  for (const Pool& p : pools())
    row.instances.push_back(
        {p.label, [f, o = p.options](const Variables& in) { return f(in[0], o); }, {d.distinct(p.x, 0.1)}});
  return row;
}

OpCase global_averages() {
  OpCase row{"global_avg_pool", {"global_avg_pool(Variable)"}, {}};
  Draws d(45);
  for (const Shape& s : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 2}, Shape{0, 2, 2, 3}})
    row.instances.push_back(
        {text(s), [](const Variables& in) { return global_avg_pool(in[0]); }, {d.normal(s)}});
  return row;
}

}  // namespace

std::vector<OpCase> product_cases() {
  return {
      products(),
      linears(),
      triangle("conv2d", "conv2d(Variable, Variable, ConvOptions)",
               [](Draws& d, const Conv& c, const ConvGeometry&) -> OpInstance {
                 return {"",
                         [o = c.options](const Variables& in) { return conv2d(in[0], in[1], o); },
                         {d.normal(c.x), d.normal(c.w)}};
               }),
      convolutions_with_moments(),
      triangle("conv2d_input_grad", "conv2d_input_grad(Variable, Variable, ConvGeometry)",
               [](Draws& d, const Conv& c, const ConvGeometry& g) -> OpInstance {
                 return {"",
                         [g](const Variables& in) { return conv2d_input_grad(in[0], in[1], g); },
                         {d.normal(g.y_shape()), d.normal(c.w)}};
               }),
      triangle("conv2d_weight_grad", "conv2d_weight_grad(Variable, Variable, ConvGeometry)",
               [](Draws& d, const Conv& c, const ConvGeometry& g) -> OpInstance {
                 return {"",
                         [g](const Variables& in) { return conv2d_weight_grad(in[0], in[1], g); },
                         {d.normal(c.x), d.normal(g.y_shape())}};
               }),
      pooling("max_pool", max_pool),
      pooling("avg_pool", avg_pool),
      global_averages(),
  };
}

}  // namespace basin
