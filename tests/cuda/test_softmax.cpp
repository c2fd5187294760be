// Log-softmax of the CUDA backend against the CPU's.
#include <limits>

#include "core/backend.h"
#include "tests/cuda/nearness.h"

using namespace cuda_testing;

namespace {

/// {y, dx} of log_softmax of x and of its gradient at dy.
Tensors log_softmax_of(const Tensor& x, const Tensor& dy) {
  Tensors out{Tensor::empty(x.shape(), x.dtype(), x.device()),
              Tensor::empty(x.shape(), x.dtype(), x.device())};
  backend(x.device()).log_softmax(x, out[0]);
  backend(x.device()).log_softmax_grad(out[0], dy, out[1]);
  return out;
}

}  // namespace

TEST_CASE("log_softmax and its gradient have the CPU's numbers") {
  for (const Dtype dtype : {Dtype::f32, Dtype::f64, Dtype::bf16})
    for (const Shape& shape :
         {Shape{1}, Shape{5, 2}, Shape{100, 10}, Shape{3, 2, 65}, Shape{2, 1000}, Shape{2, 3001}}) {
      CAPTURE(shape);
      CAPTURE(dtype);
      const Tensor x = draw(shape, dtype, 31, 2, 4), dy = draw(shape, dtype, 32);
      const Dtype wide = compute_dtype(dtype);
      const Tensors wanted = log_softmax_of(x.to(wide), dy.to(wide));
      const Tensors got = log_softmax_of(there(x), there(dy));
      check_near(got[0], wanted[0], dtype, 4, 1);
      // Of a y that is rounded to bf16, exp(y) is off by up to |y| roundings; |sum of dy| is about the root
      // of n.
      check_near(got[1], wanted[1], dtype, 16, std::sqrt(static_cast<double>(shape[shape.rank() - 1])));
    }
}

TEST_CASE("log_softmax treats infinite numbers and NaN as the CPU does") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const Tensor x =
      Tensor::from(std::vector<float>{-inf,          0, 1, 2,     -inf,   -inf, -inf, -inf, inf, 0, 1, 1, 0,
                                      std::nanf(""), 0, 0, 3e38F, -3e38F, 0,    1},
                   {5, 4});
  Tensor got = empty_there({5, 4}, Dtype::f32), wanted = Tensor::empty({5, 4});
  backend(cuda_device()).log_softmax(there(x), got);
  cpu_backend().log_softmax(x, wanted);
  check_near(got, wanted, Dtype::f32, 4);
}

TEST_CASE("log_softmax does not depend on the order of threads and blocks") {
  for (const Shape& shape : {Shape{300, 10}, Shape{20, 100}, Shape{2, 2000}})
    every_schedule(
        [&] { return log_softmax_of(there(draw(shape, Dtype::f32, 1)), there(draw(shape, Dtype::f32, 2))); });
}
