// Rows of the table: normalisation, dropout, shake, losses.
#include <algorithm>
#include <cmath>

#include "autograd/check/op_cases_support.h"

namespace basin {
namespace {

using BatchNorm = std::function<Variable(const Variables& in, const BatchNormOptions&)>;

/// Inputs, drawn until no value of linear(inputs), which a ReLU follows, lies near its kink.
Tensors away_from_kink(std::uint64_t& seed, const std::function<Tensors(Draws&)>& draw,
                       const Function& linear) {
  for (;; ++seed) {
    Draws d(seed);
    Tensors inputs = draw(d);
    double nearest = 1;
    for (double v : linear(Variables(inputs.begin(), inputs.end())).value().to_vector<double>())
      nearest = std::min(nearest, std::abs(v));
    if (nearest < 0.03) continue;
    ++seed;
    return inputs;
  }
}

/// The four forms of one batch norm, in = {x, gamma, beta[, residual]}.
void add_batch_norm(OpCase& row, const Shape& x, std::uint64_t seed, const BatchNorm& norm) {
  const Shape channels{x[x.rank() - 1]};
  for (bool relu : {false, true})
    for (bool residual : {false, true}) {
      const auto form = [=](bool with_relu) -> Function {
        return [=](const Variables& in) {
          return norm(in, {.eps = 1e-3, .relu = with_relu, .residual = residual ? in[3] : Variable()});
        };
      };
      const auto draw = [&](Draws& d) {
        Tensors inputs{d.normal(x), d.both_signs(channels, 0.5, 1.5), d.both_signs(channels, 0.1, 1)};
        if (residual) inputs.push_back(d.normal(x));
        return inputs;
      };
      row.instances.push_back({text(x, residual ? " + residual" : "", relu ? ", ReLU" : ""), form(relu),
                               away_from_kink(seed, draw, form(false))});
    }
}

OpCase train_norms() {
  OpCase row{"batch_norm_train", {"batch_norm_train(Variable, Variable, Variable, BatchNormOptions)"}, {}};
  const BatchNorm norm = [](const Variables& in, const BatchNormOptions& o) {
    return batch_norm_train(in[0], in[1], in[2], o).y;
  };
  add_batch_norm(row, {3, 1}, 100, norm);
  add_batch_norm(row, {5, 3}, 200, norm);
  add_batch_norm(row, {2, 3, 2, 3}, 300, norm);
  // A single row is its own mean: y = beta whatever x is, and every derivative in x is 0.
  add_batch_norm(row, {1, 2}, 400, norm);
  return row;
}

OpCase eval_norms() {
  OpCase row{"batch_norm_eval",
             {"batch_norm_eval(Variable, Variable, Variable, Tensor, Tensor, BatchNormOptions)"},
             {}};
  for (const Shape& x : {Shape{1, 1}, Shape{5, 3}, Shape{2, 3, 2, 3}}) {
    const Shape channels{x[x.rank() - 1]};
    Draws d(51);
    add_batch_norm(row, x, 500,
                   [mean = d.normal(channels), var = d.between(channels, 0.5, 2)](const Variables& in,
                                                                                  const BatchNormOptions& o) {
                     const Dtype t = compute_dtype(in[0].dtype());
                     return batch_norm_eval(in[0], in[1], in[2], beside(in[0], mean.to(t)),
                                            beside(in[0], var.to(t)), o);
                   });
  }
  return row;
}

using NormThenConv =
    std::function<Variable(const Variables& in, const BatchNormOptions&, const ConvOptions&)>;

/// Batch norm and the convolution behind it, in = {x, gamma, beta, weight}, with a ReLU between and without.
/// `norm` is the batch norm by itself.
void add_norm_conv(OpCase& row, std::uint64_t seed, const BatchNorm& norm, const NormThenConv& op) {
  struct Geometry {
    const char* label;
    Shape x, w;
    ConvOptions options;
  };
  for (const Geometry& g : std::initializer_list<Geometry>{
           {"3x3 same", {2, 3, 4, 2}, {3, 3, 2, 3}, {.pad_h = 1, .pad_w = 1}},
           {"3x3 stride 2",
            {1, 5, 4, 2},
            {3, 3, 2, 2},
            {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}},
           {"1x1", {2, 2, 3, 3}, {1, 1, 3, 2}, {}},
           {"1x1 stride 2", {1, 5, 4, 2}, {1, 1, 2, 3}, {.stride_h = 2, .stride_w = 2}},
           {"2 groups", {1, 3, 3, 4}, {2, 2, 2, 4}, {.groups = 2}},
           {"depthwise", {1, 3, 3, 3}, {3, 3, 1, 3}, {.pad_h = 1, .pad_w = 1, .groups = 3}}})
    for (bool relu : {false, true}) {
      const Shape channels{g.x[3]};
      const Tensors inputs = away_from_kink(
          seed,
          [&](Draws& d) {
            return Tensors{d.normal(g.x), d.both_signs(channels, 0.5, 1.5), d.both_signs(channels, 0.1, 1),
                           d.normal(g.w)};
          },
          [&](const Variables& in) { return norm(in, {.eps = 1e-3}); });
      row.instances.push_back({text(g.label, relu ? ", ReLU" : ""),
                               [op, relu, conv = g.options](const Variables& in) {
                                 return op(in, {.eps = 1e-3, .relu = relu}, conv);
                               },
                               inputs});
    }
}

OpCase train_norm_convs() {
  OpCase row{
      "batch_norm_conv2d_train",
      {"batch_norm_conv2d_train(Variable, Variable, Variable, Variable, BatchNormOptions, ConvOptions, "
       "Moments)"},
      {}};
  add_norm_conv(
      row, 600,
      [](const Variables& in, const BatchNormOptions& o) {
        return batch_norm_train(in[0], in[1], in[2], o).y;
      },
      [](const Variables& in, const BatchNormOptions& o, const ConvOptions& conv) {
        return batch_norm_conv2d_train(in[0], in[1], in[2], in[3], o, conv).y;
      });
  return row;
}

OpCase eval_norm_convs() {
  OpCase row{
      "batch_norm_conv2d_eval",
      {"batch_norm_conv2d_eval(Variable, Variable, Variable, Tensor, Tensor, Variable, BatchNormOptions, "
       "ConvOptions)"},
      {}};
  // The statistics of the first of these channels.
  const auto first = [](const Tensor& all, const Variable& x) {
    return beside(x, all.slice_rows(0, x.size(-1)).to(compute_dtype(x.dtype())));
  };
  Draws d(58);
  const Tensor mean = d.normal({4}), var = d.between({4}, 0.5, 2);
  add_norm_conv(
      row, 700,
      [=](const Variables& in, const BatchNormOptions& o) {
        return batch_norm_eval(in[0], in[1], in[2], first(mean, in[0]), first(var, in[0]), o);
      },
      [=](const Variables& in, const BatchNormOptions& o, const ConvOptions& conv) {
        return batch_norm_conv2d_eval(in[0], in[1], in[2], first(mean, in[0]), first(var, in[0]), in[3], o,
                                      conv);
      });
  row.instances.push_back({"no images",
                           [=](const Variables& in) {
                             return batch_norm_conv2d_eval(in[0], in[1], in[2], first(mean, in[0]),
                                                           first(var, in[0]), in[3], {.relu = true});
                           },
                           {d.normal({0, 4, 4, 2}), d.normal({2}), d.normal({2}), d.normal({3, 3, 2, 2})}});
  return row;
}

OpCase layer_norms() {
  OpCase row{"layer_norm", {"layer_norm(Variable, Variable, Variable, double)"}, {}};
  Draws d(52);
  for (const Shape& x : {Shape{3}, Shape{2, 1}, Shape{4, 5}, Shape{2, 3, 7}, Shape{0, 3}}) {
    const Shape channels{x[x.rank() - 1]};
    row.instances.push_back({text(x),
                             [](const Variables& in) { return layer_norm(in[0], in[1], in[2], 1e-3); },
                             {d.normal(x), d.normal(channels), d.normal(channels)}});
  }
  return row;
}

OpCase dropouts() {
  OpCase row{"dropout", {"dropout(Variable, double, DrawAddress)"}, {}};
  Draws d(53);
  for (double p : {0.0, 0.3, 0.9})
    for (const Shape& x : {Shape{}, Shape{1}, Shape{3, 7}, Shape{0, 3}})
      row.instances.push_back(
          {text("p ", p, " ", x),
           [p](const Variables& in) { return dropout(in[0], p, {.seed = 3, .step = 5, .layer = 2}); },
           {d.normal(x)}});
  return row;
}

/// With equal coefficients, where the op is a product; else its derivative is not the one of its values
/// (tests/autograd/test_shake.cpp).
OpCase shakes() {
  OpCase row{"shake", {"shake(Variable, Tensor, Tensor)"}, {}};
  Draws d(57);
  for (const auto& [x, c] : {std::pair{Shape{}, Shape{}}, {{3, 2, 2, 5}, {3, 1, 1, 1}}, {{0, 3}, {0, 1}}})
    row.instances.push_back({text(x, " by ", c),
                             [coefficient = d.normal(c)](const Variables& in) {
                               const Tensor a = beside(in[0], coefficient.to(compute_dtype(in[0].dtype())));
                               return shake(in[0], a, a);
                             },
                             {d.normal(x)}});
  return row;
}

OpCase softmaxes(const std::string& name, Variable (*f)(const Variable&)) {
  OpCase row{name, {name + "(Variable)"}, {}};
  Draws d(54);
  for (const Shape& x : {Shape{1}, Shape{4}, Shape{3, 5}, Shape{2, 2, 3}, Shape{0, 3}})
    row.instances.push_back({text(x), [f](const Variables& in) { return f(in[0]); }, {d.normal(x)}});
  row.instances.push_back(
      {"far from 0", [f](const Variables& in) { return f(in[0] + 700.0); }, {d.both_signs({2, 3}, 1, 2)}});
  return row;
}

OpCase cross_entropies() {
  OpCase row{"cross_entropy",
             {"cross_entropy(Variable, Tensor, CrossEntropyOptions)",
              "counted_cross_entropy(Variable, Tensor, Tensor, CrossEntropyOptions)"},
             {}};
  Draws d(55);
  const auto add = [&](const Shape& x, const std::vector<Index>& labels, double s, Smoothing form) {
    const char* how = s == 0 ? "" : form == Smoothing::uniform ? ", smoothing s/K" : ", smoothing s/(K-1)";
    row.instances.push_back({text(x, how),
                             [=, label = Tensor::from(labels)](const Variables& in) {
                               return cross_entropy(in[0], beside(in[0], label),
                                                    {.label_smoothing = s, .form = form});
                             },
                             {d.normal(x)}});
  };
  add({1, 1}, {0}, 0, Smoothing::uniform);
  for (double s : {0.0, 0.1})
    for (Smoothing form : {Smoothing::uniform, Smoothing::others}) {
      add({1, 2}, {1}, s, form);
      add({5, 3}, {2, 0, 2, 1, 0}, s, form);
      add({2, 10}, {9, 0}, s, form);
    }
  row.instances.push_back({"{3,4}, counted",
                           [label = Tensor::from(std::vector<Index>{3, 0, 2})](const Variables& in) {
                             const Tensor labels = beside(in[0], label);
                             return counted_cross_entropy(in[0], labels, labels).loss;
                           },
                           {d.normal({3, 4})}});
  return row;
}

OpCase squared_errors() {
  OpCase row{"mean_squared_error", {"mean_squared_error(Variable, Variable)"}, {}};
  Draws d(56);
  for (const Shape& s : {Shape{}, Shape{1}, Shape{5, 3}})
    row.instances.push_back({text(s),
                             [](const Variables& in) { return mean_squared_error(in[0], in[1]); },
                             {d.normal(s), d.normal(s)}});
  return row;
}

}  // namespace

std::vector<OpCase> normalization_cases() {
  return {train_norms(), eval_norms(), train_norm_convs(), eval_norm_convs(), layer_norms(),
          dropouts(),    shakes()};
}

std::vector<OpCase> loss_cases() {
  return {softmaxes("softmax", softmax), softmaxes("log_softmax", log_softmax), cross_entropies(),
          squared_errors()};
}

}  // namespace basin
