// Convolutions of the CUDA backend against the CPU's.
#include "core/ops.h"
#include "tests/cuda/convolutions.h"
#include "tests/cuda/with_options.h"

using namespace basin;
using testing::cuda_device;
using testing::Operands;
using testing::Passes;

TEST_CASE("a convolution and its gradients are the CPU's, for all geometries and dtypes") {
  for (const Dtype dtype : {Dtype::f32, Dtype::f64, Dtype::bf16})
    for (const ConvGeometry& g : testing::geometries()) {
      CAPTURE(dtype);
      CAPTURE(g.x_shape());
      CAPTURE(g.w_shape());
      const Operands o(g, dtype);
      testing::check_alike(o.on(cuda_device()), o.exact(), testing::allowed(dtype));
    }
}

TEST_CASE("weights are read by row, column, input and output channel, in that order") {
  // One pixel that sees one tap of one channel at a time: y is that weight itself.
  const ConvGeometry g = testing::geometry(1, 2, 3, 4, 5, 2, 3);
  std::vector<float> weights;
  for (int i = 0; i < 2 * 3 * 4 * 5; ++i) weights.push_back(static_cast<float>(i + 1));
  const Tensor w = Tensor::from(weights, g.w_shape());
  for (Index tap = 0; tap < 2 * 3 * 4; ++tap) {
    std::vector<float> x(2 * 3 * 4);
    x[static_cast<std::size_t>(tap)] = 1;
    const Tensor there = Tensor::from(x, g.x_shape()).to(cuda_device());
    const Tensor y = conv2d(there, w.to(cuda_device()), g).to(Device{});
    for (Index k = 0; k < 5; ++k)
      CHECK(y.data<float>()[k] == doctest::Approx(weights[static_cast<std::size_t>(tap * 5 + k)]));
  }
}

TEST_CASE("a convolution reads rows of a batch wherever they begin") {
  const ConvGeometry all = testing::geometry(5, 3, 3, 1, 2, 3, 3, {.pad_h = 1, .pad_w = 1});
  const Operands o(all, Dtype::f32);
  const Tensor x = o.x.to(cuda_device()), w = o.w.to(cuda_device()), dy = o.dy.to(cuda_device());
  ConvGeometry g = all;
  g.batch = 2;
  Operands part(g, Dtype::f32);
  part.x = o.x.slice_rows(1, 3);
  part.w = o.w;
  part.dy = o.dy.slice_rows(1, 3);
  const Passes want = part.exact();
  const Passes got{conv2d(x.slice_rows(1, 3), w, g).to(Device{}),
                   conv2d_input_grad(dy.slice_rows(1, 3), w, g).to(Device{}),
                   conv2d_weight_grad(x.slice_rows(1, 3), dy.slice_rows(1, 3), g).to(Device{})};
  testing::check_alike(got, want, testing::allowed(Dtype::f32));
}

TEST_CASE("what no pixel reaches is zero") {
  const Device d = cuda_device();
  // An image without rows, whose padding alone is seen.
  const ConvGeometry g = testing::geometry(2, 0, 3, 2, 3, 2, 3, {.pad_h = 1, .pad_w = 1});
  const Tensor w = Tensor::full(g.w_shape(), 1).to(d);
  const Tensor y = conv2d(Tensor::zeros(g.x_shape()).to(d), w, g).to(Device{});
  CHECK(y.elements() > 0);
  for (const float v : y.to_vector<float>()) CHECK(v == 0);
  // A batch without images.
  const ConvGeometry none = testing::geometry(0, 4, 4, 2, 3, 3, 3);
  const Tensor dw =
      conv2d_weight_grad(Tensor::zeros(none.x_shape()).to(d), Tensor::zeros(none.y_shape()).to(d), none)
          .to(Device{});
  CHECK(dw.elements() == 3 * 3 * 2 * 3);
  for (const float v : dw.to_vector<float>()) CHECK(v == 0);
}

TEST_CASE("a convolution in TF32, a deterministic one and a timed one compute the same") {
  const ConvGeometry g = testing::geometry(4, 8, 8, 16, 24, 3, 3, {.pad_h = 1, .pad_w = 1});
  const Operands o(g, Dtype::f32);
  const Passes want = o.exact();
  {
    const testing::WithOptions scope({.precision = cuda::Precision::tf32, .autotune = false});
    testing::check_alike(o.on(cuda_device()), want, 2e-3);
  }
  {
    const testing::WithOptions scope({.deterministic = true});
    const Passes first = o.on(cuda_device()), again = o.on(cuda_device());
    testing::check_alike(first, want, testing::allowed(Dtype::f32));
    CHECK(tensor_testing::same_bits(first.y, again.y));
    CHECK(tensor_testing::same_bits(first.dx, again.dx));
    CHECK(tensor_testing::same_bits(first.dw, again.dw));
  }
  {
    const testing::WithOptions scope({.autotune = true});
    testing::check_alike(o.on(cuda_device()), want, testing::allowed(Dtype::f32));
    testing::check_alike(o.on(cuda_device()), want,
                         testing::allowed(Dtype::f32));  // by the plans that stayed
  }
  {
    const testing::WithOptions scope({.autotune = false, .workspace = 0});
    testing::check_alike(o.on(cuda_device()), want, testing::allowed(Dtype::f32));
  }
}

TEST_CASE("a convolution of what batch norm gives, and its moments, are the CPU's") {
  const ConvGeometry g = testing::geometry(3, 6, 5, 4, 7, 3, 3, {.pad_h = 1, .pad_w = 1});
  const Operands o(g, Dtype::f32);
  const Tensor gamma = tensor_testing::random({4}, Dtype::f32, 4),
               beta = tensor_testing::random({4}, Dtype::f32, 5);
  const Tensor mean = tensor_testing::random({4}, Dtype::f32, 6);
  const Tensor inv_std = tensor_testing::random({4}, Dtype::f32, 7, 0.5, 2);
  const auto on = [&](Device d) {
    const Tensor x = o.x.to(d), w = o.w.to(d), dy = o.dy.to(d);
    const Tensor there_gamma = gamma.to(d), there_beta = beta.to(d), there_mean = mean.to(d);
    const Tensor there_inv_std = inv_std.to(d);
    const BatchNormForward norm{x, there_gamma, there_beta, there_mean, there_inv_std, nullptr, true};
    Tensor y = Tensor::empty(g.y_shape(), Dtype::f32, d), dw = Tensor::empty(g.w_shape(), Dtype::f32, d);
    Moments of_y{Tensor::empty({7}, Dtype::f32, d), Tensor::empty({7}, Dtype::f32, d)};
    backend(d).conv2d({.geometry = g, .norm = &norm, .moments = &of_y}, x, w, y);
    backend(d).conv2d_weight_grad({.geometry = g, .norm = &norm}, x, dy, dw);
    return std::vector<Tensor>{y.to(Device{}), dw.to(Device{}), of_y.mean.to(Device{}),
                               of_y.var.to(Device{})};
  };
  const std::vector<Tensor> got = on(cuda_device()), want = on(Device{});
  for (std::size_t i = 0; i < want.size(); ++i) {
    CAPTURE(i);
    CHECK(testing::distance(got[i], want[i]) < testing::allowed(Dtype::f32));
  }
}
