// Cross-entropy of the CUDA backend against the CPU's.
#include <limits>

#include "autograd/gradients.h"
#include "autograd/ops/ops.h"
#include "tests/cuda/nearness.h"

using namespace cuda_testing;

namespace {

Tensor labels_for(Index rows, Index classes, std::uint64_t seed) {
  Random random(seed, Stream::user);
  std::vector<Index> all(static_cast<std::size_t>(rows));
  for (Index& label : all) label = static_cast<Index>(random.below(static_cast<std::uint64_t>(classes)));
  return Tensor::from(all);
}

/// {loss, dlogits for 3 times the loss, rows that are right}, where x is.
Tensors entropy_of(const Tensor& x, const Tensor& labels, const Tensor& counted,
                   const CrossEntropyOptions& options) {
  const Variable logits = Variable::parameter(x);
  const CountedLoss c = counted_cross_entropy(logits, labels.to(x.device()), counted.to(x.device()), options);
  return {c.loss.value(), gradients(c.loss * 3.0, {logits})[0], c.correct.tensor(x.device())};
}

const CrossEntropyOptions kOptions[] = {{},
                                        {.label_smoothing = 0.1},
                                        {.label_smoothing = 0.2, .form = Smoothing::others},
                                        {.label_smoothing = 1}};

}  // namespace

TEST_CASE("cross_entropy, its gradient and its count have the CPU's numbers") {
  for (const Dtype dtype : kActivations)
    for (const Shape& shape : {Shape{1, 2}, Shape{5, 3}, Shape{300, 10}, Shape{64, 100}, Shape{3, 1000},
                               Shape{5, 1025}, Shape{2, 3001}})
      for (const CrossEntropyOptions& options : kOptions) {
        CAPTURE(shape);
        CAPTURE(dtype);
        CAPTURE(options.label_smoothing);
        const Tensor x = draw(shape, dtype, 41, 1, 3);
        const Tensor labels = labels_for(shape[0], shape[1], 42), counted = labels_for(shape[0], 2, 43);
        const Tensors wanted = entropy_of(x.to(compute_dtype(dtype)), labels, counted, options);
        const Tensors got = entropy_of(there(x), labels, counted, options);
        const Dtype wide = compute_dtype(dtype);
        CHECK(got[0].dtype() == wide);
        CHECK(got[1].dtype() == dtype);
        check_near(got[0], wanted[0], wide, 64, 1);
        check_near(got[1], wanted[1].to(wide), dtype, 16, 3.0 / static_cast<double>(shape[0]));
        check_equal(got[2], wanted[2]);
      }
}

TEST_CASE("cross_entropy of one class is 0") {
  const Tensors got =
      entropy_of(there(draw({3, 1}, Dtype::f32, 1)), labels_for(3, 1, 1), labels_for(3, 1, 1), {});
  CHECK(here(got[0]).item() == 0);
  CHECK(here(got[2]).item() == 3);
}

TEST_CASE(
    "cross_entropy counts the first of equal logits and NaN, and treats infinite ones as the CPU does") {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const auto check_rows = [](const std::vector<float>& values, const std::vector<Index>& counted) {
    const auto rows = static_cast<Index>(counted.size());
    const Tensor x = Tensor::from(values, {rows, static_cast<Index>(values.size()) / rows});
    const Tensor labels = Tensor::zeros({rows}, Dtype::i64);
    const Tensors wanted = entropy_of(x, labels, Tensor::from(counted), {});
    const Tensors got = entropy_of(there(x), labels, Tensor::from(counted), {});
    for (std::size_t i = 0; i < 3; ++i) check_near(got[i], wanted[i], Dtype::f32, 16, 1);
  };
  check_rows({1, 2, 2, 2, 5, 5, 5, 5, 0, 0, 0, 1}, {1, 0, 3});
  check_rows({1, 2, 2, 2, 5, 5, 5, 5, 0, 0, 0, 1}, {2, 1, 0});
  check_rows({0, 3e38F, -3e38F, 1, -inf, 0, -inf, -inf}, {1, 1});
  check_rows({0, nan, 7, nan, 1, 2, 3, 4}, {1, 3});
  check_rows({-inf, -inf, -inf, -inf}, {0});
  check_rows({inf, 0, inf, 1}, {0});
}

TEST_CASE("cross_entropy does not depend on the order of threads and blocks") {
  for (const Shape& shape : {Shape{500, 10}, Shape{40, 100}, Shape{3, 2000}})
    every_schedule([&] {
      const Tensor x = there(draw(shape, Dtype::f32, 1));
      const Tensor labels = labels_for(shape[0], shape[1], 2);
      return entropy_of(x, labels, labels, {.label_smoothing = 0.1});
    });
}

TEST_CASE("cross_entropy counts the same when it is asked again: its counter of blocks is at 0") {
  const Tensor x = there(draw({1000, 10}, Dtype::f32, 1)), labels = labels_for(1000, 10, 2);
  const Tensors first = entropy_of(x, labels, labels, {});
  for (int again = 0; again < 3; ++again) {
    const Tensors then = entropy_of(x, labels, labels, {});
    for (std::size_t i = 0; i < 3; ++i) CHECK(same_bits(here(then[i]), here(first[i])));
  }
}
