// Values of products, convolution, pooling, normalisation and losses against loops.
#include <cmath>

#include "autograd/check/op_cases_support.h"
#include "core/ops.h"
#include "tests/autograd/naive.h"

namespace basin {

using naive::Array;
using Place = std::vector<Index>;

namespace {

Array added(const Array& x, const Array& y) {
  return naive::zip(x, y, [](double a, double b) { return a + b; });
}
Array scaled(const Array& x, const Array& y) {
  return naive::zip(x, y, [](double a, double b) { return a * b; });
}

void add_products(std::vector<ValueCase>& all) {
  Draws d(81);
  const auto as = [](const Array& x, bool transposed) { return transposed ? naive::transpose(x) : x; };
  for (bool ta : {false, true})
    for (bool tb : {false, true}) {
      const Tensor a = d.normal(ta ? Shape{7, 5} : Shape{5, 7}), b = d.normal(tb ? Shape{3, 7} : Shape{7, 3});
      all.push_back({"matmul",
                     [=](const Variables& in) { return matmul(in[0], in[1], ta, tb); },
                     {a, b},
                     naive::matmul(as(Array(a), ta), as(Array(b), tb))});
    }
  // Batches: each matrix of a with its own of b, then with one b for all.
  const Tensor a = d.normal({2, 3, 4}), b = d.normal({2, 4, 5}), one = d.normal({4, 5});
  for (const Tensor& right : {b, one}) {
    Array expected(Shape{2, 3, 5});
    naive::for_places(expected.shape, [&](const Place& p) {
      for (Index k = 0; k < 4; ++k)
        expected(p) += Array(a)({p[0], p[1], k}) *
                       (right.rank() == 3 ? Array(right)({p[0], k, p[2]}) : Array(right)({k, p[2]}));
    });
    all.push_back({"matmul", [](const Variables& in) { return matmul(in[0], in[1]); }, {a, right}, expected});
  }
  const Tensor x = d.normal({2, 3, 4}), w = d.normal({5, 4}), bias = d.normal({5});
  Array rows(Shape{6, 4});
  rows.values = Array(x).values;
  Array y = added(naive::matmul(rows, naive::transpose(Array(w))), Array(bias));
  y.shape = {2, 3, 5};
  all.push_back({"linear", [](const Variables& in) { return linear(in[0], in[1], in[2]); }, {x, w, bias}, y});
}

void add_convolutions(std::vector<ValueCase>& all) {
  Draws d(82);
  struct Geometry {
    Shape x, w;
    ConvOptions options;
  };
  for (const auto& [x_shape, w_shape, o] : std::vector<Geometry>{
           {{2, 5, 6, 3}, {3, 3, 3, 5}, {.pad_h = 1, .pad_w = 1}},
           {{1, 7, 6, 4}, {3, 3, 4, 17}, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}},
           {{2, 4, 4, 16}, {1, 1, 16, 9}, {}},
           {{2, 5, 5, 6}, {2, 3, 3, 4}, {.stride_h = 2, .stride_w = 1, .pad_h = 0, .pad_w = 2, .groups = 2}},
           {{1, 6, 6, 5}, {5, 5, 1, 5}, {.pad_h = 2, .pad_w = 2, .groups = 5}}}) {
    const ConvGeometry g = conv_geometry(x_shape, w_shape, o);
    const Tensor x = d.normal(x_shape), w = d.normal(w_shape), dy = d.normal(g.y_shape());
    all.push_back({"conv2d",
                   [o = o](const Variables& in) { return conv2d(in[0], in[1], o); },
                   {x, w},
                   naive::conv2d(Array(x), Array(w), g)});
    if (g.y_shape().elements() > 0)
      all.push_back({"conv2d_moments",
                     [o = o](const Variables& in) { return conv2d_moments(in[0], in[1], o).y; },
                     {x, w},
                     naive::conv2d(Array(x), Array(w), g)});
    all.push_back({"conv2d_input_grad",
                   [g](const Variables& in) { return conv2d_input_grad(in[0], in[1], g); },
                   {dy, w},
                   naive::conv2d_input_grad(Array(dy), Array(w), g)});
    all.push_back({"conv2d_weight_grad",
                   [g](const Variables& in) { return conv2d_weight_grad(in[0], in[1], g); },
                   {x, dy},
                   naive::conv2d_weight_grad(Array(x), Array(dy), g)});
  }
}

void add_pooling(std::vector<ValueCase>& all) {
  Draws d(83);
  for (const PoolOptions& o :
       {PoolOptions{},
        PoolOptions{.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 1, .pad_h = 1, .pad_w = 1},
        PoolOptions{.kernel_h = 3, .kernel_w = 2, .pad_h = 1, .pad_w = 1, .count_pad = false}}) {
    const Tensor x = d.normal({2, 5, 6, 3});
    const ConvGeometry g = pool_geometry(
        x.shape(), o.kernel_h, o.kernel_w,
        {.stride_h = o.stride_h, .stride_w = o.stride_w, .pad_h = o.pad_h, .pad_w = o.pad_w}, "pool");
    all.push_back({"max_pool",
                   [o](const Variables& in) { return max_pool(in[0], o); },
                   {x},
                   naive::max_pool(Array(x), g)});
    all.push_back({"avg_pool",
                   [o](const Variables& in) { return avg_pool(in[0], o); },
                   {x},
                   naive::avg_pool(Array(x), g, o.count_pad)});
  }
  const Tensor x = d.normal({2, 3, 5, 4});
  const Array total = naive::fold(Array(x), {1, 2}, false, 0, [](double s, double v) { return s + v; });
  all.push_back({"global_avg_pool",
                 [](const Variables& in) { return global_avg_pool(in[0]); },
                 {x},
                 naive::map(total, [](double v) { return v / 15; })});
}

void add_normalization(std::vector<ValueCase>& all) {
  Draws d(84);
  const double eps = 1e-3;
  for (const Shape& shape : {Shape{7, 3}, Shape{2, 3, 3, 17}}) {
    const Shape c{shape[shape.rank() - 1]};
    const Tensor x = d.normal(shape), gamma = d.normal(c), beta = d.normal(c), residual = d.normal(shape);
    const Tensor mean = d.normal(c), var = d.between(c, 0.5, 2);
    const Array trained = naive::normalize_columns(Array(x), eps);
    const Array centred = naive::zip(Array(x), Array(mean), [](double v, double m) { return v - m; });
    const Array fixed =
        naive::zip(centred, Array(var), [=](double v, double s) { return v / std::sqrt(s + eps); });
    for (bool relu : {false, true})
      for (bool with : {false, true}) {
        const auto finish = [&](const Array& normalized) {
          Array y = added(scaled(normalized, Array(gamma)), Array(beta));
          if (with) y = added(y, Array(residual));
          return relu ? naive::map(y, [](double v) { return v > 0 ? v : 0; }) : y;
        };
        const auto options = [=](const Variables& in) {
          return BatchNormOptions{.eps = eps, .relu = relu, .residual = with ? in[3] : Variable()};
        };
        all.push_back(
            {"batch_norm_train",
             [=](const Variables& in) { return batch_norm_train(in[0], in[1], in[2], options(in)).y; },
             {x, gamma, beta, residual},
             finish(trained)});
        all.push_back({"batch_norm_eval",
                       [=](const Variables& in) {
                         return batch_norm_eval(in[0], in[1], in[2], mean.to(in[0].dtype()),
                                                var.to(in[0].dtype()), options(in));
                       },
                       {x, gamma, beta, residual},
                       finish(fixed)});
      }
    all.push_back({"layer_norm",
                   [=](const Variables& in) { return layer_norm(in[0], in[1], in[2], eps); },
                   {x, gamma, beta},
                   added(scaled(naive::normalize_rows(Array(x), eps), Array(gamma)), Array(beta))});
  }
  // The convolution behind a batch norm, where the border is 0 whatever beta is.
  const Shape pixels{2, 4, 5, 6}, window{3, 3, 3, 4}, c{6};
  const ConvOptions conv{.stride_w = 2, .pad_h = 1, .pad_w = 1, .groups = 2};
  const Tensor image = d.normal(pixels), gamma = d.normal(c), beta = d.normal(c), weight = d.normal(window);
  const Tensor mean = d.normal(c), var = d.between(c, 0.5, 2);
  const Array centred = naive::zip(Array(image), Array(mean), [](double v, double m) { return v - m; });
  const Array fixed =
      naive::zip(centred, Array(var), [=](double v, double s) { return v / std::sqrt(s + eps); });
  for (bool relu : {false, true}) {
    const auto finish = [&](const Array& normalized) {
      const Array z = added(scaled(normalized, Array(gamma)), Array(beta));
      return naive::conv2d(relu ? naive::map(z, [](double v) { return v > 0 ? v : 0; }) : z, Array(weight),
                           conv_geometry(pixels, window, conv));
    };
    const BatchNormOptions options{.eps = eps, .relu = relu};
    all.push_back({"batch_norm_conv2d_train",
                   [=](const Variables& in) {
                     return batch_norm_conv2d_train(in[0], in[1], in[2], in[3], options, conv).y;
                   },
                   {image, gamma, beta, weight},
                   finish(naive::normalize_columns(Array(image), eps))});
    all.push_back({"batch_norm_conv2d_eval",
                   [=](const Variables& in) {
                     const Dtype t = in[0].dtype();
                     return batch_norm_conv2d_eval(in[0], in[1], in[2], mean.to(t), var.to(t), in[3], options,
                                                   conv);
                   },
                   {image, gamma, beta, weight},
                   finish(fixed)});
  }
  // Dropout, by its documented draws.
  const Tensor x = d.normal({3, 7});
  Random random(9, Stream::dropout, 4, 2);
  all.push_back(
      {"dropout",
       [](const Variables& in) { return dropout(in[0], 0.25, {.seed = 9, .step = 4, .layer = 2}); },
       {x},
       naive::map(Array(x), [&](double v) { return random.bits() < 0.25 * 4294967296.0 ? 0 : v / 0.75; })});
  // The value of shake takes the forward coefficient.
  const Tensor rows = d.normal({2, 3, 4}), forward = d.normal({2, 1, 1}), backward = d.normal({2, 1, 1});
  Array shaken(rows);
  naive::for_places(shaken.shape, [&](const Place& p) { shaken(p) *= Array(forward)({p[0], 0, 0}); });
  all.push_back({"shake",
                 [=](const Variables& in) {
                   return shake(in[0], forward.to(in[0].dtype()), backward.to(in[0].dtype()));
                 },
                 {rows},
                 shaken});
}

void add_losses(std::vector<ValueCase>& all) {
  Draws d(85);
  for (const Shape& shape : {Shape{5}, Shape{4, 1}, Shape{3, 10}, Shape{2, 3, 5}}) {
    const Tensor x = d.normal(shape);
    const Array y = naive::log_softmax(Array(x));
    all.push_back({"log_softmax", [](const Variables& in) { return log_softmax(in[0]); }, {x}, y});
    all.push_back(
        {"softmax", [](const Variables& in) { return softmax(in[0]); }, {x}, naive::map(y, [](double v) {
           return std::exp(v);
         })});
  }
  const Tensor x = d.normal({4, 3});
  const Array y = naive::log_softmax(Array(x));
  const std::vector<Index> labels{2, 0, 1, 2};
  for (double s : {0.0, 0.1})
    for (Smoothing form : {Smoothing::uniform, Smoothing::others}) {
      Array loss(Shape{});
      for (Index n = 0; n < 4; ++n)
        for (Index k = 0; k < 3; ++k) {
          const bool hit = k == labels[static_cast<std::size_t>(n)];
          const double q = form == Smoothing::uniform ? (hit ? 1 - s : 0) + s / 3 : hit ? 1 - s : s / 2;
          loss({}) -= q * y({n, k}) / 4;
        }
      all.push_back({"cross_entropy",
                     [=, l = Tensor::from(labels)](const Variables& in) {
                       return cross_entropy(in[0], l, {.label_smoothing = s, .form = form});
                     },
                     {x},
                     loss});
    }
  const Tensor z = d.normal({4, 3});
  Array error(Shape{});
  naive::for_places(x.shape(),
                    [&](const Place& p) { error({}) += std::pow(Array(x)(p) - Array(z)(p), 2) / 12; });
  all.push_back({"mean_squared_error",
                 [](const Variables& in) { return mean_squared_error(in[0], in[1]); },
                 {x, z},
                 error});
}

}  // namespace

std::vector<ValueCase> network_values() {
  std::vector<ValueCase> all;
  add_products(all);
  add_convolutions(all);
  add_pooling(all);
  add_normalization(all);
  add_losses(all);
  return all;
}

}  // namespace basin
