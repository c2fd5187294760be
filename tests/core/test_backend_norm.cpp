// The kernels of batch and layer normalisation and log-softmax against their formulas in f64.
#include "tests/core/tensor_testing.h"

namespace {

using namespace tensor_testing;

Index channels_of(const Tensor& x) { return x.shape()[x.rank() - 1]; }

struct Moments {
  Values mean, var;
};

Moments naive_moments(const Tensor& x) {
  const std::size_t c = static_cast<std::size_t>(channels_of(x)),
                    rows = static_cast<std::size_t>(x.elements()) / c;
  const Values v = values_of(x);
  std::vector<long double> mean(c), var(c);
  for (std::size_t i = 0; i < v.size(); ++i) mean[i % c] += v[i];
  for (auto& m : mean) m /= static_cast<long double>(rows);
  for (std::size_t i = 0; i < v.size(); ++i) var[i % c] += (v[i] - mean[i % c]) * (v[i] - mean[i % c]);
  for (auto& m : var) m /= static_cast<long double>(rows);
  return {Values(mean.begin(), mean.end()), Values(var.begin(), var.end())};
}

std::pair<Tensor, Tensor> moments_of(const Tensor& x) {
  Tensor mean = Tensor::empty({channels_of(x)}, x.dtype()), var = mean.clone();
  backend().moments(x, mean, var);
  return {mean, var};
}

const Shape kShapes[] = {{1, 1},    {1, 5},          {7, 1},     {2, 3},     {5, 3, 2, 4},
                         {9, 10},   {40, 16},        {33, 17},   {100, 24},  {3, 7, 7, 32},
                         {65, 35},  {200, 64},       {130, 65},  {70, 100},  {17, 271},
                         {5000, 3}, {4, 16, 16, 16}, {3000, 35}, {300, 130}, {90, 640}};

TEST_CASE("moments of any number of channels") {
  for_instruction_sets([] {
    for (const Shape& shape : kShapes)
      for (Dtype dtype : kBothDtypes) {
        CAPTURE(shape);
        CAPTURE(dtype);
        const Tensor x = random(shape, dtype, 3, -1, 3);
        const auto [mean, var] = moments_of(x);
        const Moments want = naive_moments(x);
        CHECK(largest_error(mean, want.mean, 0.1) < (dtype == Dtype::f32 ? 1e-6 : 1e-13));
        CHECK(largest_error(var, want.var, 0.01) < (dtype == Dtype::f32 ? 2e-6 : 1e-13));
      }
  });
}

TEST_CASE("the variance survives a mean a million times the deviation") {
  for_instruction_sets([] {
    for (Index channels : {3, 16, 65}) {
      CAPTURE(channels);
      Tensor x = random({10000, channels}, Dtype::f64, 3);
      float* p = nullptr;
      x = x.to(Dtype::f32);
      p = x.mutable_data<float>();
      for (Index i = 0; i < x.elements(); ++i) p[i] = 1e4f + 0.0173f * p[i];  // deviation 0.01
      const auto [mean, var] = moments_of(x);
      const Moments want = naive_moments(x);
      CHECK(largest_error(mean, want.mean, 0) < 1e-7);
      CHECK(largest_error(var, want.var, 0) < 1e-5);
    }
  });
  // A constant has no variance; one outlier among many keeps its digits, sampled or not.
  const auto [mean, var] = moments_of(Tensor::full({1000, 5}, 1e4));
  CHECK(values_of(mean) == Values(5, 1e4));
  CHECK(values_of(var) == Values(5, 0));
  for (Index place : {0, 1, 499, 999}) {
    Tensor x = Tensor::zeros({1000, 2});
    x.mutable_data<float>()[2 * place] = 1e6f;
    const auto [m, v] = moments_of(x);
    CHECK(largest_error(v, naive_moments(x).var, 1e-9) < 1e-5);
  }
}

TEST_CASE("moments of nothing are refused") {
  CHECK_THROWS_AS(moments_of(Tensor::zeros({0, 3})), ArgumentError);
}

struct Norm {
  Tensor x, gamma, beta, mean, inv_std, residual, dy;

  Norm(const Shape& shape, Dtype dtype) : x(random(shape, dtype, 1, -1, 3)) {
    const Shape c = {channels_of(x)};
    gamma = random(c, dtype, 2, 0.5, 1.5);
    beta = random(c, dtype, 3);
    mean = random(c, dtype, 4, 0.5, 1.5);
    inv_std = random(c, dtype, 5, 0.5, 1.5);
    residual = random(shape, dtype, 6);
    dy = random(shape, dtype, 7);
  }
  Tensor forward(bool add, bool relu) const {
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    backend().batch_norm({x, gamma, beta, mean, inv_std, add ? &residual : nullptr, relu}, y);
    return y;
  }
  /// dx, dgamma, dbeta, dresidual
  Tensors backward(bool relu, const Tensor* y, bool batch_statistics) const {
    Tensors out = {Tensor::empty(x.shape(), x.dtype()), Tensor::empty(gamma.shape(), x.dtype()),
                   Tensor::empty(gamma.shape(), x.dtype()), Tensor::empty(x.shape(), x.dtype())};
    backend().batch_norm_grad({x, gamma, beta, mean, inv_std, dy, relu, y, batch_statistics}, out[0], out[1],
                              out[2], &out[3]);
    return out;
  }
};

TEST_CASE("batch_norm: y = (x - mean) inv_std gamma + beta, + residual, ReLU") {
  for_instruction_sets([] {
    for (const Shape& shape : kShapes)
      for (Dtype dtype : kBothDtypes)
        for (bool add : {false, true})
          for (bool relu : {false, true}) {
            CAPTURE(shape);
            CAPTURE(dtype);
            const Norm n(shape, dtype);
            const Values x = values_of(n.x), gamma = values_of(n.gamma), beta = values_of(n.beta),
                         mean = values_of(n.mean), inv_std = values_of(n.inv_std),
                         residual = values_of(n.residual);
            Values want(x.size());
            for (std::size_t i = 0; i < x.size(); ++i) {
              const std::size_t c = i % gamma.size();
              want[i] = (x[i] - mean[c]) * inv_std[c] * gamma[c] + beta[c] + (add ? residual[i] : 0);
              if (relu) want[i] = std::max(want[i], 0.0);
            }
            CHECK(largest_error(n.forward(add, relu), want) < 3 * tolerance(dtype));
          }
  });
}

TEST_CASE("batch_norm_grad against the formula, train and eval, with and without ReLU") {
  for_instruction_sets([] {
    for (const Shape& shape : kShapes)
      for (Dtype dtype : kBothDtypes)
        for (bool train : {false, true})
          for (const auto& [relu, add] : {std::pair{false, false}, {true, true}, {true, false}}) {
            CAPTURE(shape);
            CAPTURE(dtype);
            CAPTURE(train);
            const std::string form = relu ? (add ? "relu of the output" : "relu found again") : "linear";
            CAPTURE(form);
            const Norm n(shape, dtype);
            const Tensor y = n.forward(add, true);
            const Tensors got = n.backward(relu, relu && add ? &y : nullptr, train);
            const Values x = values_of(n.x), gamma = values_of(n.gamma), mean = values_of(n.mean),
                         inv_std = values_of(n.inv_std), py = values_of(y);
            Values d = values_of(n.dy);
            const std::size_t channels = gamma.size(), count = x.size();
            if (relu)
              for (std::size_t i = 0; i < count; ++i) d[i] = py[i] > 0 ? d[i] : 0;
            Values dgamma(channels), dbeta(channels), dx(count), magnitude(channels);
            const auto xhat = [&](std::size_t i) {
              return (x[i] - mean[i % channels]) * inv_std[i % channels];
            };
            for (std::size_t i = 0; i < count; ++i) {
              dgamma[i % channels] += d[i] * xhat(i);
              dbeta[i % channels] += d[i];
            }
            const double share = train ? static_cast<double>(channels) / static_cast<double>(count) : 0;
            for (std::size_t i = 0; i < count; ++i) {
              const std::size_t c = i % channels;
              dx[i] = gamma[c] * inv_std[c] * (d[i] - dbeta[c] * share - xhat(i) * dgamma[c] * share);
            }
            const double pixels = static_cast<double>(count / channels);
            CHECK(largest_error(got[0], dx) < 5 * tolerance(dtype));
            CHECK(largest_error(got[1], dgamma, pixels) < tolerance(dtype));
            CHECK(largest_error(got[2], dbeta, pixels) < tolerance(dtype));
            CHECK(values_of(got[3]) == d);

            Norm in_place = n;
            in_place.dy = n.dy.clone();
            Tensor dgamma_again = got[1].clone(), dbeta_again = got[2].clone();
            backend().batch_norm_grad({n.x, n.gamma, n.beta, n.mean, n.inv_std, in_place.dy, relu,
                                       relu && add ? &y : nullptr, train},
                                      in_place.dy, dgamma_again, dbeta_again, nullptr);
            CHECK(values_of(in_place.dy) == values_of(got[0]));
          }
  });
}

TEST_CASE("batch norm lets NaN through, with ReLU too") {
  Norm n({40, 20}, Dtype::f32);
  n.x.mutable_data<float>()[45] = NAN;
  CHECK(std::isnan(n.forward(true, true).data<float>()[45]));
  const auto [mean, var] = moments_of(n.x);
  CHECK(std::isnan(mean.data<float>()[5]));
  CHECK(std::isnan(var.data<float>()[5]));
  CHECK(!std::isnan(mean.data<float>()[4]));
}

TEST_CASE("layer_norm and its gradient against the formulas, rows of any length") {
  for_instruction_sets([] {
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 2}, Shape{5, 7}, Shape{2, 3, 16}, Shape{4, 17},
                               Shape{70, 33}, Shape{130, 64}, Shape{9, 192}, Shape{3, 300}, Shape{2, 1000}})
      for (Dtype dtype : kBothDtypes) {
        CAPTURE(shape);
        CAPTURE(dtype);
        const Index n = shape[shape.rank() - 1], rows = shape.elements() / n;
        const Tensor x = random(shape, dtype, 5, -1, 3), dy = random(shape, dtype, 6);
        const Tensor gamma = random({n}, dtype, 7), beta = random({n}, dtype, 8);
        Tensor y = x.clone(), mean = Tensor::empty({rows}, dtype), inv_std = mean.clone();
        backend().layer_norm({x, gamma, beta, 1e-3}, y, mean, inv_std);
        Tensor dx = x.clone(), dgamma = gamma.clone(), dbeta = beta.clone();
        backend().layer_norm_grad({x, gamma, mean, inv_std, dy}, dx, dgamma, dbeta);

        const Values vx = values_of(x), vd = values_of(dy), vg = values_of(gamma), vb = values_of(beta);
        Values want_y(vx.size()), want_dx(vx.size()), want_dg(vg.size()), want_db(vg.size());
        for (Index r = 0; r < rows; ++r) {
          const auto at = [&](Index j) { return static_cast<std::size_t>(r * n + j); };
          long double m = 0, var = 0, g_sum = 0, gx_sum = 0;
          for (Index j = 0; j < n; ++j) m += vx[at(j)] / static_cast<long double>(n);
          for (Index j = 0; j < n; ++j)
            var += (vx[at(j)] - m) * (vx[at(j)] - m) / static_cast<long double>(n);
          const long double s = 1 / std::sqrt(var + 1e-3L);
          const auto xhat = [&](Index j) { return (vx[at(j)] - m) * s; };
          for (Index j = 0; j < n; ++j) {
            const auto k = static_cast<std::size_t>(j);
            want_y[at(j)] = static_cast<double>(xhat(j) * vg[k] + vb[k]);
            g_sum += vd[at(j)] * vg[k];
            gx_sum += vd[at(j)] * vg[k] * xhat(j);
            want_dg[k] += static_cast<double>(vd[at(j)] * xhat(j));
            want_db[k] += vd[at(j)];
          }
          for (Index j = 0; j < n; ++j)
            want_dx[at(j)] = static_cast<double>(
                s * (vd[at(j)] * vg[static_cast<std::size_t>(j)] - (g_sum + xhat(j) * gx_sum) / n));
        }
        const double tolerance = dtype == Dtype::f32 ? 3e-6 : 1e-12;
        CHECK(largest_error(y, want_y, 1) < tolerance);
        CHECK(largest_error(dx, want_dx, 1) < 3 * tolerance);
        CHECK(largest_error(dgamma, want_dg, 1) < 3 * tolerance);
        CHECK(largest_error(dbeta, want_db, 1) < 3 * tolerance);
      }
  });
}

TEST_CASE("log_softmax and its gradient") {
  for_instruction_sets([] {
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 2}, Shape{128, 10}, Shape{2, 3, 16}, Shape{5, 17},
                               Shape{7, 1000}, Shape{4000, 33}})
      for (Dtype dtype : kBothDtypes) {
        CAPTURE(shape);
        CAPTURE(dtype);
        const Tensor x = random(shape, dtype, 3, -20, 20), dy = random(shape, dtype, 4);
        Tensor y = Tensor::empty(shape, dtype), dx = Tensor::empty(shape, dtype);
        backend().log_softmax(x, y);
        backend().log_softmax_grad(y, dy, dx);
        const Values v = values_of(x), g = values_of(dy), rounded = values_of(y);
        Values want(v.size()), want_dx(v.size());
        const std::size_t n = static_cast<std::size_t>(channels_of(x));
        for (std::size_t r = 0; r < v.size(); r += n) {
          double top = -INFINITY, total = 0, all = 0;
          for (std::size_t j = r; j < r + n; ++j) top = std::max(top, v[j]);
          for (std::size_t j = r; j < r + n; ++j) total += std::exp(v[j] - top);
          for (std::size_t j = r; j < r + n; ++j) all += g[j];
          for (std::size_t j = r; j < r + n; ++j) {
            want[j] = v[j] - top - std::log(total);
            want_dx[j] = g[j] - std::exp(rounded[j]) * all;
          }
        }
        CHECK(largest_error(y, want) < tolerance(dtype));
        CHECK(largest_error(dx, want_dx) < (dtype == Dtype::f32 ? 3e-6 : 1e-13));
      }
  });
}

TEST_CASE("log_softmax of huge, equal and infinite logits") {
  const auto of = [](const Values& v, Dtype dtype) {
    const Tensor x = Tensor::from(v).to(dtype);
    Tensor y = Tensor::empty(x.shape(), dtype);
    backend().log_softmax(x, y);
    return values_of(y);
  };
  for (Dtype dtype : kBothDtypes) {
    CHECK(of({1e4, 0, -1e4}, dtype) == Values{0, -1e4, -2e4});
    CHECK(of({-1e30, -1e30}, dtype)[0] == doctest::Approx(-std::log(2.0)));
    CHECK(of({0, -INFINITY}, dtype) == Values{0, -INFINITY});
    for (double y : of({0, NAN, 1}, dtype)) CHECK(std::isnan(y));
    for (double y : of({-INFINITY, -INFINITY}, dtype)) CHECK(std::isnan(y));
  }
}

TEST_CASE("bits of normalisation do not depend on threads") {
  for (const Shape& shape : {Shape{30, 16, 16, 16}, Shape{4000, 35}, Shape{1500, 130}, Shape{33333, 3}}) {
    const Norm n(shape, Dtype::f32);
    check_threads([&] {
      const auto [mean, var] = moments_of(n.x);
      const Tensor y = n.forward(true, true);
      Tensors all = n.backward(true, &y, true);
      all.insert(all.end(), {mean, var, y});
      Tensor logits = Tensor::empty(shape), slope = Tensor::empty(shape);
      backend().log_softmax(n.x, logits);
      backend().log_softmax_grad(logits, n.dy, slope);
      all.insert(all.end(), {logits, slope});
      return all;
    });
  }
}

}  // namespace
