// Elementwise operations of the CUDA backend against the CPU's.
#include <doctest/doctest.h>

#include "core/ops.h"
#include "tests/cuda/device.h"

using namespace basin;

TEST_CASE("a unary operation has the CPU's numbers") {
  const Tensor x = Tensor::from(std::vector<float>{-2, -0.5F, 0, 0.5F, 3});
  const Tensor y = unary(UnaryOp::relu, x.to(testing::cuda_device())).to(Device{});
  CHECK(y.to_vector<float>() == std::vector<float>{0, 0, 0, 0.5F, 3});
}
