// Matrix products of the CUDA backend against the CPU's.
#include <doctest/doctest.h>

#include "core/backend.h"
#include "core/ops.h"
#include "tests/core/tensor_testing.h"
#include "tests/cuda/convolutions.h"
#include "tests/cuda/with_options.h"

using namespace basin;
using tensor_testing::random;
using testing::cuda_device;

namespace {

struct Case {
  Shape a, b;
  bool transpose_a = false, transpose_b = false;
};

std::vector<Case> cases() {
  return {{{5, 7}, {7, 3}},
          {{7, 5}, {7, 3}, true},
          {{5, 7}, {3, 7}, false, true},
          {{7, 5}, {3, 7}, true, true},
          {{1, 1}, {1, 1}},
          {{1, 300}, {300, 1}},
          {{64, 512}, {512, 10}},
          {{4, 5, 7}, {4, 7, 3}},
          {{2, 3, 7, 5}, {2, 3, 7, 4}, true},
          {{4, 5, 7}, {4, 3, 7}, false, true},
          {{4, 5, 7}, {7, 3}},        // b repeats: rows of one matrix
          {{4, 7, 5}, {7, 3}, true},  // b repeats
          {{5, 7}, {4, 7, 3}},        // a repeats
          {{7, 5}, {4, 3, 7}, true, true}};
}

}  // namespace

TEST_CASE("a matrix product is the CPU's, turned, in batches and repeated") {
  for (const Dtype dtype : {Dtype::f32, Dtype::f64})
    for (const Case& c : cases()) {
      CAPTURE(dtype);
      CAPTURE(c.a);
      CAPTURE(c.b);
      const Tensor a = random(c.a, dtype, 1), b = random(c.b, dtype, 2);
      const Tensor want = matmul(a.to(Dtype::f64), b.to(Dtype::f64), c.transpose_a, c.transpose_b);
      const Tensor got =
          matmul(a.to(cuda_device()), b.to(cuda_device()), c.transpose_a, c.transpose_b).to(Device{});
      CHECK(got.dtype() == dtype);
      CHECK(got.shape() == want.shape());
      CHECK(testing::distance(got, want) < (dtype == Dtype::f32 ? 1e-6 : 1e-14));
    }
}

TEST_CASE("a matrix product takes parts of a vector wherever they begin") {
  const Tensor numbers = random({60}, Dtype::f32);
  const Tensor there = numbers.to(cuda_device());
  for (const Index offset : {0, 1, 2, 3, 5}) {
    const Tensor want = matmul(numbers.view(offset, {4, 6}), numbers.view(offset + 25, {6, 5}));
    const Tensor got = matmul(there.view(offset, {4, 6}), there.view(offset + 25, {6, 5})).to(Device{});
    CHECK(testing::distance(got, want) < 1e-6);
  }
}

TEST_CASE("a matrix product in TF32 is near the CPU's") {
  const Tensor a = random({33, 65}, Dtype::f32, 1), b = random({65, 17}, Dtype::f32, 2);
  const Tensor want = matmul(a, b);
  const testing::WithOptions scope({.precision = cuda::Precision::tf32, .deterministic = true});
  const Tensor got = matmul(a.to(cuda_device()), b.to(cuda_device())).to(Device{});
  CHECK(testing::distance(got, want) < 2e-3);
}

TEST_CASE("a matrix product takes any mix of f32 and bf16, and rounds its operands and its result once") {
  const Backend::Matmul g{.m = 9, .n = 6, .k = 40, .stride_a = 360, .stride_b = 240, .stride_out = 54};
  for (const Dtype of_a : {Dtype::f32, Dtype::bf16})
    for (const Dtype of_b : {Dtype::f32, Dtype::bf16})
      for (const Dtype of_out : {Dtype::f32, Dtype::bf16}) {
        CAPTURE(of_a);
        CAPTURE(of_b);
        CAPTURE(of_out);
        const Tensor a = random({9, 40}, Dtype::f32, 1).to(of_a), b = random({40, 6}, Dtype::f32, 2).to(of_b);
        const Dtype enters = of_a == of_b ? of_a : Dtype::bf16;
        const Tensor want = matmul(a.to(enters).to(Dtype::f64), b.to(enters).to(Dtype::f64));
        Tensor out = Tensor::empty({9, 6}, of_out, cuda_device());
        backend(cuda_device()).matmul(g, a.to(cuda_device()), b.to(cuda_device()), out);
        CHECK(testing::distance(out.to(Device{}), want) < (of_out == Dtype::f32 ? 1e-6 : 4e-3));
      }
}
