// Rows of the table: normalisation, dropout, shake, losses.
#include <algorithm>
#include <cmath>

#include "autograd/op_cases_support.h"

namespace basin {
namespace {

using BatchNorm = std::function<Variable(const Variables& in, const BatchNormOptions&)>;

/// The four forms of one batch norm, in = {x, gamma, beta[, residual]}. Inputs are drawn until no value
/// before the ReLU lies near its kink.
void add_batch_norm(OpCase& row, const Shape& x, std::uint64_t seed, const BatchNorm& norm) {
  const Shape channels{x[x.rank() - 1]};
  for (bool relu : {false, true})
    for (bool residual : {false, true}) {
      const Function f = [=](const Variables& in) {
        return norm(in, {.eps = 1e-3, .relu = relu, .residual = residual ? in[3] : Variable()});
      };
      Tensors inputs;
      for (double nearest = 0; nearest < 0.03; ++seed) {
        Draws d(seed);
        inputs = {d.normal(x), d.both_signs(channels, 0.5, 1.5), d.both_signs(channels, 0.1, 1)};
        if (residual) inputs.push_back(d.normal(x));
        nearest = 1;
        const BatchNormOptions linear{.eps = 1e-3, .residual = residual ? Variable(inputs[3]) : Variable()};
        for (double v : norm(Variables(inputs.begin(), inputs.end()), linear).value().to_vector<double>())
          nearest = std::min(nearest, std::abs(v));
      }
      row.instances.push_back({text(x, residual ? " + residual" : "", relu ? ", ReLU" : ""), f, inputs});
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
                     const Dtype t = in[0].dtype();
                     return batch_norm_eval(in[0], in[1], in[2], mean.to(t), var.to(t), o);
                   });
  }
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
                               const Tensor a = coefficient.to(in[0].dtype());
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
  OpCase row{"cross_entropy", {"cross_entropy(Variable, Tensor, CrossEntropyOptions)"}, {}};
  Draws d(55);
  const auto add = [&](const Shape& x, const std::vector<Index>& labels, double s, Smoothing form) {
    const char* how = s == 0 ? "" : form == Smoothing::uniform ? ", smoothing s/K" : ", smoothing s/(K-1)";
    row.instances.push_back({text(x, how),
                             [=, label = Tensor::from(labels)](const Variables& in) {
                               return cross_entropy(in[0], label, {.label_smoothing = s, .form = form});
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
  return {train_norms(), eval_norms(), layer_norms(), dropouts(), shakes()};
}

std::vector<OpCase> loss_cases() {
  return {softmaxes("softmax", softmax), softmaxes("log_softmax", log_softmax), cross_entropies(),
          squared_errors()};
}

}  // namespace basin
