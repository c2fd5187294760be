// Pooling kernels against naive loops, any window; scatter and gather are adjoint.
#include "tests/core/tensor_testing.h"

namespace {

using namespace tensor_testing;

struct Case {
  Shape x;
  Index kernel_h, kernel_w;
  ConvOptions options;
  ConvGeometry geometry() const { return pool_geometry(x, kernel_h, kernel_w, options, "pool"); }
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.x << " window " << c.kernel_h << "x" << c.kernel_w << " stride " << c.options.stride_h
             << "x" << c.options.stride_w << " pad " << c.options.pad_h << "x" << c.options.pad_w;
}

const Case kCases[] = {
    {{1, 1, 1, 1}, 1, 1, {}},
    {{2, 4, 4, 3}, 2, 2, {.stride_h = 2, .stride_w = 2}},
    {{2, 5, 7, 16}, 2, 2, {.stride_h = 2, .stride_w = 2}},
    {{3, 7, 6, 17}, 3, 3, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}},
    {{2, 8, 8, 33}, 3, 3, {.stride_h = 1, .stride_w = 1, .pad_h = 1, .pad_w = 1}},
    {{1, 9, 5, 2}, 3, 2, {.stride_h = 2, .stride_w = 1, .pad_h = 2, .pad_w = 0}},
    {{2, 6, 6, 5}, 2, 3, {.stride_h = 3, .stride_w = 4}},
    {{4, 8, 8, 64}, 8, 8, {}},
    {{1, 5, 5, 70}, 5, 5, {.stride_h = 3, .stride_w = 3, .pad_h = 4, .pad_w = 4}},
};

/// Calls body(output pixel, input pixel h * in_w + w) for the taps inside the image, in order.
template <class Body>
void for_taps(const ConvGeometry& g, Body body) {
  for (Index oh = 0; oh < g.out_h; ++oh)
    for (Index ow = 0; ow < g.out_w; ++ow)
      for (Index r = 0; r < g.kernel_h; ++r)
        for (Index s = 0; s < g.kernel_w; ++s) {
          const Index h = oh * g.stride_h - g.pad_h + r, w = ow * g.stride_w - g.pad_w + s;
          if (h >= 0 && h < g.in_h && w >= 0 && w < g.in_w) body(oh * g.out_w + ow, h * g.in_w + w);
        }
}

std::size_t at(Index n, Index pixels, Index pixel, Index channels, Index c) {
  return static_cast<std::size_t>((n * pixels + pixel) * channels + c);
}

TEST_CASE("max_pool: the first of the largest, its gradient goes there") {
  for_instruction_sets([] {
    for (const Case& one : kCases)
      for (Dtype dtype : kBothDtypes) {
        CAPTURE(one);
        const ConvGeometry g = one.geometry();
        // Few different values, so that equals occur; all negative, so that padding would show.
        Values v = values_of(random(g.x_shape(), Dtype::f64, 5, -4, -1));
        for (double& value : v) value = std::floor(value);
        const Tensor x = Tensor::from(v, g.x_shape()).to(dtype);
        Tensor y = Tensor::empty(g.y_shape(), dtype), index = Tensor::empty(g.y_shape(), Dtype::i64);
        backend().max_pool(g, x, y, index);
        const Index in = g.in_h * g.in_w, out = g.out_h * g.out_w, c = g.in_c;
        Values want(static_cast<std::size_t>(y.elements()), -INFINITY), where(want.size(), -1);
        for (Index n = 0; n < g.batch; ++n)
          for (Index k = 0; k < c; ++k)
            for_taps(g, [&](Index o, Index i) {
              if (v[at(n, in, i, c, k)] > want[at(n, out, o, c, k)]) {
                want[at(n, out, o, c, k)] = v[at(n, in, i, c, k)];
                where[at(n, out, o, c, k)] = static_cast<double>(i);
              }
            });
        CHECK(values_of(y) == want);
        CHECK(values_of(index) == where);

        Tensor taken = Tensor::empty(g.y_shape(), dtype);
        backend().pool_gather(g, x, index, taken);
        CHECK(values_of(taken) == want);

        const Tensor dy = random(g.y_shape(), dtype, 6);
        Tensor dx = Tensor::zeros(g.x_shape(), dtype);
        backend().pool_scatter(g, dy, index, dx);
        std::vector<float> exact32(v.size());
        std::vector<double> exact64(v.size());
        const Values d = values_of(dy);
        for (Index n = 0; n < g.batch; ++n)
          for (Index o = 0; o < out; ++o)
            for (Index k = 0; k < c; ++k) {
              const std::size_t to = at(n, in, static_cast<Index>(where[at(n, out, o, c, k)]), c, k);
              exact32[to] += static_cast<float>(d[at(n, out, o, c, k)]);
              exact64[to] += d[at(n, out, o, c, k)];
            }
        CHECK(same_bits(dx, dtype == Dtype::f32 ? Tensor::from(exact32, g.x_shape())
                                                : Tensor::from(exact64, g.x_shape())));
      }
  });
}

TEST_CASE("max_pool lets the first NaN win") {
  for_instruction_sets([] {
    for (Dtype dtype : kBothDtypes) {
      const ConvGeometry g = pool_geometry({1, 2, 2, 3}, 2, 2, {}, "pool");
      const Tensor x =
          Tensor::from(Values{9, NAN, 1, NAN, 2, 1, 3, NAN, NAN, NAN, 9, 2}, {1, 2, 2, 3}).to(dtype);
      Tensor y = Tensor::empty(g.y_shape(), dtype), index = Tensor::empty(g.y_shape(), Dtype::i64);
      backend().max_pool(g, x, y, index);
      for (double v : values_of(y)) CHECK(std::isnan(v));
      CHECK(values_of(index) == Values{1, 0, 2});
    }
  });
}

TEST_CASE("avg_pool and its gradient, both divisors") {
  for_instruction_sets([] {
    for (const Case& one : kCases)
      for (Dtype dtype : kBothDtypes)
        for (bool count_pad : {false, true}) {
          CAPTURE(one);
          CAPTURE(count_pad);
          const ConvGeometry g = one.geometry();
          const Tensor x = random(g.x_shape(), dtype, 5), dy = random(g.y_shape(), dtype, 6);
          Tensor y = Tensor::empty(g.y_shape(), dtype), dx = Tensor::full(g.x_shape(), NAN, dtype);
          backend().avg_pool(g, x, count_pad, y);
          backend().avg_pool_grad(g, dy, count_pad, dx);
          const Index in = g.in_h * g.in_w, out = g.out_h * g.out_w, c = g.in_c;
          Values taps(static_cast<std::size_t>(out)), want(static_cast<std::size_t>(y.elements())),
              want_dx(static_cast<std::size_t>(x.elements()));
          for_taps(g, [&](Index o, Index) { ++taps[static_cast<std::size_t>(o)]; });
          if (count_pad) taps.assign(taps.size(), static_cast<double>(g.kernel_h * g.kernel_w));
          const Values v = values_of(x), d = values_of(dy);
          for (Index n = 0; n < g.batch; ++n)
            for (Index k = 0; k < c; ++k)
              for_taps(g, [&](Index o, Index i) {
                const double share = 1 / taps[static_cast<std::size_t>(o)];
                want[at(n, out, o, c, k)] += v[at(n, in, i, c, k)] * share;
                want_dx[at(n, in, i, c, k)] += d[at(n, out, o, c, k)] * share;
              });
          CHECK(largest_error(y, want, 0.1) < tolerance(dtype));
          CHECK(largest_error(dx, want_dx, 0.1) < tolerance(dtype));
        }
  });
}

TEST_CASE("bits of pooling do not depend on threads") {
  const ConvGeometry g =
      pool_geometry({9, 15, 14, 20}, 3, 3, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}, "pool");
  const Tensor x = random(g.x_shape(), Dtype::f32, 1), dy = random(g.y_shape(), Dtype::f32, 2);
  check_threads([&] {
    Tensor y = Tensor::empty(g.y_shape()), index = Tensor::empty(g.y_shape(), Dtype::i64),
           dx = Tensor::zeros(g.x_shape()), mean = y.clone(), grad = dx.clone();
    backend().max_pool(g, x, y, index);
    backend().pool_scatter(g, dy, index, dx);
    backend().avg_pool(g, x, false, mean);
    backend().avg_pool_grad(g, dy, false, grad);
    return Tensors{y, index, dx, mean, grad};
  });
}

}  // namespace
