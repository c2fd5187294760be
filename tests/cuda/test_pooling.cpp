// Pooling of the CUDA backend against the CPU's.
#include <limits>

#include "core/ops.h"
#include "tests/cuda/nearness.h"

using namespace cuda_testing;

namespace {

struct Window {
  Shape x;
  Index kernel_h, kernel_w;
  ConvOptions options;

  ConvGeometry geometry() const { return pool_geometry(x, kernel_h, kernel_w, options, "test"); }
};

// Windows side by side, that overlap, that leave pixels out, of padding, not square; channels in groups or
// not.
const Window kWindows[] = {
    {{1, 1, 1, 1}, 1, 1, {}},
    {{2, 6, 8, 8}, 2, 2, {.stride_h = 2, .stride_w = 2}},
    {{2, 7, 9, 3}, 3, 3, {.stride_h = 2, .stride_w = 2, .pad_h = 1, .pad_w = 1}},
    {{3, 8, 5, 16}, 3, 2, {.stride_h = 1, .stride_w = 2, .pad_h = 1, .pad_w = 0}},
    {{2, 9, 9, 5}, 2, 2, {.stride_h = 3, .stride_w = 3}},
    {{1, 4, 4, 17}, 4, 4, {.stride_h = 4, .stride_w = 4}},
};

struct MaxPooled {
  Tensor y, index;
};

MaxPooled max_pool_of(const ConvGeometry& g, const Tensor& x) {
  MaxPooled out{Tensor::empty(g.y_shape(), x.dtype(), x.device()),
                Tensor::empty(g.y_shape(), Dtype::i64, x.device())};
  backend(x.device()).max_pool(g, x, out.y, out.index);
  return out;
}

/// {of x: average; of dy: its gradient, the sum by index onto `onto`; of x: what index takes}
Tensors others_of(const ConvGeometry& g, const Tensor& x, const Tensor& dy, const Tensor& index,
                  const Tensor& onto, bool count_pad) {
  Backend& on = backend(x.device());
  const auto empty = [&](const Shape& s) { return Tensor::empty(s, x.dtype(), x.device()); };
  Tensors out{empty(g.y_shape()), empty(g.x_shape()), onto.clone(), empty(g.y_shape())};
  on.avg_pool(g, x, count_pad, out[0]);
  on.avg_pool_grad(g, dy, count_pad, out[1]);
  on.pool_scatter(g, dy, index, out[2]);
  on.pool_gather(g, x, index, out[3]);
  return out;
}

}  // namespace

TEST_CASE("max_pool finds the CPU's maxima at the CPU's places") {
  for (const Dtype dtype : kActivations)
    for (const Window& window : kWindows) {
      CAPTURE(window.x);
      CAPTURE(dtype);
      const ConvGeometry g = window.geometry();
      // Few values, so that the first of equals matters; some are NaN.
      const Tensor few = draw(window.x, Dtype::f64, 41, 2, 1.5).to(Dtype::i64).to(dtype);
      std::vector<double> numbers = few.to_vector<double>();
      for (std::size_t i = 3; i < numbers.size(); i += 29)
        numbers[i] = std::numeric_limits<double>::quiet_NaN();
      for (const Tensor& x : {few, draw(window.x, dtype, 42), Tensor::from(numbers, window.x).to(dtype)}) {
        const MaxPooled got = max_pool_of(g, there(x)), wanted = max_pool_of(g, x.to(compute_dtype(dtype)));
        check_equal(got.y, wanted.y);
        check_equal(got.index, wanted.index);
      }
    }
}

TEST_CASE("the other poolings have the CPU's numbers") {
  for (const Dtype dtype : kActivations)
    for (const Window& window : kWindows)
      for (const bool count_pad : {false, true}) {
        CAPTURE(window.x);
        CAPTURE(dtype);
        const ConvGeometry g = window.geometry();
        const Dtype wide = compute_dtype(dtype);
        const Tensor x = draw(g.x_shape(), dtype, 43), dy = draw(g.y_shape(), dtype, 44),
                     onto = draw(g.x_shape(), dtype, 45);
        const Tensor index = max_pool_of(g, x.to(wide)).index;
        const Tensors wanted = others_of(g, x.to(wide), dy.to(wide), index, onto.to(wide), count_pad);
        const Tensors got = others_of(g, there(x), there(dy), there(index), there(onto), count_pad);
        for (std::size_t i = 0; i < got.size(); ++i) {
          CAPTURE(i);
          // f32 and f64 add up in the CPU's order and have its bits; bf16 is rounded once.
          check_near(got[i], wanted[i], dtype, dtype == Dtype::bf16 ? 1.01 : 0, 1e-4);
        }
      }
}

TEST_CASE("pooling does not depend on the order of threads and blocks") {
  for (const Window& window : {kWindows[2], kWindows[3]})
    every_schedule([&] {
      const ConvGeometry g = window.geometry();
      const Tensor x = there(draw(g.x_shape(), Dtype::f32, 1)), dy = there(draw(g.y_shape(), Dtype::f32, 2));
      const MaxPooled pooled = max_pool_of(g, x);
      Tensors results = others_of(g, x, dy, pooled.index, x, true);
      results.push_back(pooled.y);
      results.push_back(pooled.index);
      return results;
    });
}
