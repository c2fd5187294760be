// Elementwise operations of the CUDA backend against the CPU's.
#include <cmath>

#include "core/bfloat16.h"
#include "tests/cuda/comparison.h"

namespace {

using namespace cuda_testing;

/// Numbers of both signs, and those that need care.
Tensor various(const Shape& shape, Dtype dtype, std::uint32_t seed) {
  std::vector<float> values = kernel_testing::numbers<float>(shape.elements(), seed);
  const float special[] = {0, -0.0F, 1, -1, INFINITY, -INFINITY, NAN, 30, -30};
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = i % 4 == 3 ? special[i / 4 % std::size(special)] : values[i] * 3;
  return Tensor::from(values, shape).to(dtype);
}

/// What the CPU computes of bf16 numbers: in f32, rounded once.
Tensor computable(const Tensor& x) { return x.to(compute_dtype(x.dtype())); }

template <class Op>
void for_ops(const std::function<void(Op)>& body) {
  for (int i = 0; i < static_cast<int>(Op::count_); ++i) {
    CAPTURE(name_of(static_cast<Op>(i)));
    body(static_cast<Op>(i));
  }
}

TEST_CASE("every unary operation has the CPU's numbers, at every alignment") {
  for_ops<UnaryOp>([](UnaryOp op) {
    for (Dtype dtype : kActivations)
      for (Index n : {1, 7, 2063})
        for (bool apart : {false, true}) {
          CAPTURE(dtype);
          CAPTURE(n);
          const Tensor x = various({n}, dtype, 3);
          const Values want = values_of(unary(op, computable(x), 0.75, 1.5).to(dtype));
          Tensor y = empty_there({n}, dtype);
          card().unary(op, apart ? unaligned(x) : there(x), 0.75, 1.5, y);
          CHECK(error_there(y, want) < rounding(dtype));
        }
  });
}

TEST_CASE("powers that have a formula of their own") {
  const Tensor x = random({65}, Dtype::f64, 1);
  for (double power : {2.0, -1.0})
    CHECK(error_there(unary(UnaryOp::pow_scalar, there(x), power),
                      values_of(unary(UnaryOp::pow_scalar, x, power))) < 1e-14);
}

struct Pair {
  Shape x, z;
};
const Pair kPairs[] = {{{1}, {1}},
                       {{2063}, {2063}},
                       {{3, 4}, {}},
                       {{}, {3, 5}},
                       {{16, 8}, {8}},
                       {{6}, {16, 6}},
                       {{4, 1}, {4, 16}},
                       {{2, 1, 1, 8}, {2, 3, 3, 8}},
                       {{2, 3, 1, 5, 1}, {3, 4, 1, 7}},
                       {{2, 1, 2, 1, 2, 1, 2, 1}, {1, 2, 1, 2, 1, 2, 1, 3}}};

TEST_CASE("every binary operation has the CPU's numbers, under broadcasting") {
  for_ops<BinaryOp>([](BinaryOp op) {
    for (Dtype dtype : kActivations)
      for (const Pair& p : kPairs) {
        CAPTURE(dtype);
        CAPTURE(p.x);
        CAPTURE(p.z);
        const Tensor x = various(p.x, dtype, 3), z = random(p.z, dtype, 4, -2, 2);
        const Tensor want = binary(op, computable(x), computable(z)).to(dtype);
        Tensor y = empty_there(want.shape(), dtype);
        card().binary(op, there(x), there(z), y);
        CHECK(error_there(y, values_of(want)) < rounding(dtype));
        card().binary(op, unaligned(x), unaligned(z), y);
        CHECK(error_there(y, values_of(want)) < rounding(dtype));
      }
  });
}

TEST_CASE("an f32 operand beside a bf16 one: computed in f32, rounded once") {
  const Tensor x = random({5, 16}, Dtype::bf16, 1), z = random({16}, Dtype::f32, 2);
  Tensor y = empty_there({5, 16}, Dtype::bf16);
  card().binary(BinaryOp::sub, there(x), there(z), y);
  CHECK(same_bits(here(y), (x.to(Dtype::f32) - z).to(Dtype::bf16)));
  card().binary(BinaryOp::sub, there(z), there(x), y);
  CHECK(same_bits(here(y), (z - x.to(Dtype::f32)).to(Dtype::bf16)));
}

TEST_CASE("where chooses, and broadcasts its three operands") {
  for (Dtype dtype : kActivations) {
    const Tensor c = Tensor::from(std::vector<float>{0, 1, NAN, -0.0F}).to(dtype).reshape(Shape{4, 1});
    const Tensor x = random({3, 1, 8}, dtype, 1), z = Tensor::full({}, NAN, dtype);
    const Tensor want = where(computable(c), computable(x), computable(z)).to(dtype);
    Tensor y = empty_there(want.shape(), dtype);
    card().where(there(c), there(x), there(z), y);
    CHECK(error_there(y, values_of(want)) == 0);
  }
}

TEST_CASE("copies broadcast every dtype") {
  for (Dtype dtype : kAllDtypes)
    for (Index n : {1, 3, 16}) {
      const Tensor x = counting({2, 1, n}, dtype);
      CHECK(same_bits(here(broadcast_to(there(x), {2, 5, n})), broadcast_to(x, {2, 5, n})));
      CHECK(same_bits(here(broadcast_to(there(x), {3, 2, 1, n})), broadcast_to(x, {3, 2, 1, n})));
    }
}

TEST_CASE("fill and cast agree with the CPU for every pair of dtypes") {
  const Tensor numbers = Tensor::from(
      std::vector<double>{0, -0.0, 1.5, -1.5, 2.999999, 255, 255.7, 256, -7, 1e19, -1e19, 9007199254740993.0,
                          3e38, NAN, INFINITY, -INFINITY, 1.00390625, 1.01171875, 300.5});
  for (Dtype from : kAllDtypes) {
    const Tensor x = numbers.to(from);
    for (Dtype to : kAllDtypes) {
      CAPTURE(from);
      CAPTURE(to);
      CHECK(same_bits(here(there(x).to(to)), x.to(to)));
      Tensor y = empty_there(x.shape(), to);
      card().cast(unaligned(x), y);
      CHECK(same_bits(here(y), x.to(to)));
    }
    for (double value : {0.0, -0.0, 2.5, 1e20, -3.0}) {
      CHECK(same_bits(here(Tensor::full({37}, value, from, cuda_device())), Tensor::full({37}, value, from)));
      Tensor y = unaligned(Tensor::zeros({19}, from));
      y.fill(value);
      CHECK(same_bits(here(y), Tensor::full({19}, value, from)));
    }
  }
}

TEST_CASE("no order of threads changes an elementwise result") {
  const Tensor x = there(random({9, 300}, Dtype::f32, 1)), z = there(random({300}, Dtype::f32, 2));
  every_schedule([&] {
    return Tensors{x * z, unary(UnaryOp::tanh, x), where(x, z, x), x.to(Dtype::bf16),
                   Tensor::full({1000}, 3, Dtype::f32, cuda_device())};
  });
}

}  // namespace
