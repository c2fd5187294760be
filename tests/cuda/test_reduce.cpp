// Reductions of the CUDA backend against the CPU's.
#include <limits>

#include "core/ops.h"
#include "tests/cuda/nearness.h"

using namespace cuda_testing;

namespace {

constexpr ReduceOp kOps[] = {ReduceOp::sum, ReduceOp::max, ReduceOp::min};

/// The card's reduction into a tensor of dtype `to`.
Tensor reduced(ReduceOp op, const Tensor& x, const Axes& axes, Dtype to) {
  Tensor out = empty_there(reduced_shape(x.shape(), axes, false, "test"), to);
  backend(cuda_device()).reduce(op, there(x), axes, out);
  return out;
}

struct Case {
  Shape shape;
  Axes axes;
};

// Rows of each width of the kernel, in parts and not; columns in tiles, in parts, by single threads; several
// runs; extents of 1.
const Case kCases[] = {
    {{1}, {0}},
    {{5, 1, 3}, {1}},
    {{7, 3}, {1}},
    {{3, 130}, {1}},
    {{2, 4100}, {1}},
    {{2, 4103}, {0, 1}},
    {{40001}, {0}},
    {{2, 20000}, {1}},
    {{2, 20002}, {1}},
    {{9, 17}, {0}},
    {{3, 12, 5}, {1}},
    {{70, 24}, {0}},
    {{3000, 6}, {0}},
    {{2, 300, 33}, {1}},
    {{600, 2, 40}, {1}},
    {{2, 3, 17, 4}, {0, 1, 2}},
    {{2, 40, 3, 5}, {1, 3}},
    {{4, 3, 2, 3, 5}, {0, 2, 4}},
    {{3, 18, 300, 80}, {1}},
};

}  // namespace

TEST_CASE("reductions have the CPU's numbers") {
  for (const Dtype dtype : {Dtype::f32, Dtype::f64, Dtype::bf16})
    for (const Case& c : kCases)
      for (const ReduceOp op : kOps) {
        CAPTURE(c.shape);
        CAPTURE(dtype);
        CAPTURE(name_of(op));
        const Tensor x = draw(c.shape, dtype, 11);
        const Tensor wanted = reduce(op, x.to(compute_dtype(dtype)), c.axes);
        const double n = static_cast<double>(x.elements()) / static_cast<double>(wanted.elements());
        if (op == ReduceOp::sum) {
          const bool bf16 = dtype == Dtype::bf16;  // rounds sums that are as good as f32
          check_near(reduced(op, x, c.axes, dtype), wanted, dtype, bf16 ? 1.01 : 16,
                     std::sqrt(n) * (bf16 ? 1e-4 : 1));
          // Of bf16 a reduction may be asked for in f32.
          if (bf16) check_near(reduced(op, x, c.axes, Dtype::f32), wanted, Dtype::f32, 4, std::sqrt(n));
        } else {
          check_equal(reduced(op, x, c.axes, dtype), wanted);
        }
      }
}

TEST_CASE("a sum keeps the digits that f32 would lose, and a NaN stays in an extremum") {
  Tensor x = Tensor::full({1 << 17}, 0.1, Dtype::f32);
  CHECK(sum(there(x)).to(Device{}).item() ==
        doctest::Approx(13107.2 + (1 << 17) * 1.490116e-9).epsilon(1e-7));
  for (const Index at : {0, 5, 4000, 39999}) {
    Tensor one = draw({40000}, Dtype::f32, 3);
    one.mutable_data<float>()[at] = std::numeric_limits<float>::quiet_NaN();
    for (const ReduceOp op : {ReduceOp::max, ReduceOp::min}) {
      CHECK(std::isnan(reduce(op, there(one)).to(Device{}).item()));
      const Tensor columns = one.reshape(Shape{2000, 20});
      check_equal(reduce(op, there(columns), {0}), reduce(op, columns, {0}));
    }
  }
}

TEST_CASE("reductions do not depend on the order of threads and blocks") {
  every_schedule([] {
    std::vector<Tensor> results;
    for (const Case& c : kCases)
      if (c.shape.elements() < 50000)
        results.push_back(reduce(ReduceOp::sum, there(draw(c.shape, Dtype::f32, 5)), c.axes));
    return results;
  });
}

TEST_CASE("argmax finds the CPU's places: the first of equals, the first NaN") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const struct {
    Shape shape;
    int axis;
  } cases[] = {{{1}, 0},       {{3, 2}, 1}, {{5, 10}, 1},  {{4, 100}, 1},
               {{3, 3000}, 1}, {{7, 5}, 0}, {{3, 8, 9}, 1}};
  for (const auto& c : cases)
    for (const Dtype dtype : {Dtype::f32, Dtype::f64, Dtype::i64, Dtype::u8}) {
      CAPTURE(c.shape);
      CAPTURE(dtype);
      // Few values, so that most maxima come more than once.
      const Tensor x = draw(c.shape, Dtype::f64, 8, 3, 1.5).to(Dtype::u8).to(dtype);
      check_equal(argmax(there(x), c.axis), argmax(x, c.axis));
      if (!is_floating(dtype)) continue;
      std::vector<double> numbers = x.to_vector<double>();
      for (std::size_t i = 2; i < numbers.size(); i += 7) numbers[i] = nan;
      const Tensor with_nan = Tensor::from(numbers, c.shape).to(dtype);
      check_equal(argmax(there(with_nan), c.axis), argmax(with_nan, c.axis));
    }
  Tensor place = empty_there({2}, Dtype::i64);
  const Tensor x = Tensor::from(std::vector<double>{1, 3, 3, -1, -3, -1}, {2, 3}).to(Dtype::bf16);
  backend(cuda_device()).argmax(there(x), 1, place);
  CHECK(place.to(Device{}).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 0});
}
