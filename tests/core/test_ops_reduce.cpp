// Sums, extrema and argmax against naive loops, over every set of axes.
#include "tests/core/tensor_testing.h"

namespace {

using namespace tensor_testing;

/// x reduced over the axes whose bit is set, by a loop over all elements; sums also of magnitudes.
struct Naive {
  Values value, magnitude;
};

Naive naive(ReduceOp op, const Tensor& x, unsigned axes) {
  const Shape& s = x.shape();
  Index count = 1;
  for (int i = 0; i < s.rank(); ++i) count *= axes >> i & 1 ? 1 : s[i];
  const double start = op == ReduceOp::sum ? 0 : op == ReduceOp::max ? -INFINITY : INFINITY;
  Naive out{Values(static_cast<std::size_t>(count), start), Values(static_cast<std::size_t>(count), 0)};
  const Values v = values_of(x);
  for (Index flat = 0; flat < x.elements(); ++flat) {
    Index at = 0, step = 1, rest = flat;
    for (int i = s.rank() - 1; i >= 0; --i) {
      if (!(axes >> i & 1)) {
        at += rest % s[i] * step;
        step *= s[i];
      }
      rest /= s[i];
    }
    double& to = out.value[static_cast<std::size_t>(at)];
    const double from = v[static_cast<std::size_t>(flat)];
    to = op == ReduceOp::sum ? to + from : op == ReduceOp::max ? std::max(to, from) : std::min(to, from);
    out.magnitude[static_cast<std::size_t>(at)] += std::fabs(from);
  }
  return out;
}

void check_reduce(const Shape& shape, Dtype dtype) {
  CAPTURE(shape);
  CAPTURE(dtype);
  const Tensor x = random(shape, dtype, 11, -1, 2);
  for (unsigned set = 1; set < 1u << shape.rank(); ++set)
    for (ReduceOp op : {ReduceOp::sum, ReduceOp::max, ReduceOp::min}) {
      CAPTURE(set);
      CAPTURE(name_of(op));
      Axes axes;
      for (int i = 0; i < shape.rank(); ++i)
        if (set >> i & 1) axes.push_back(i);
      const Tensor got = reduce(op, x, axes), kept = reduce(op, x, axes, true);
      CHECK(got.shape() == reduced_shape(shape, axes, false, "test"));
      CHECK(kept.shape() == reduced_shape(shape, axes, true, "test"));
      CHECK(same_bits(got, kept.reshape(got.shape())));
      const Naive want = naive(op, x, set);
      const Values g = values_of(got);
      REQUIRE(g.size() == want.value.size());
      double worst = 0;
      for (std::size_t i = 0; i < g.size(); ++i)
        if (g[i] != want.value[i])
          worst = std::max(worst,
                           op == ReduceOp::sum ? std::fabs(g[i] - want.value[i]) / want.magnitude[i] : 1.0);
      CHECK(worst < (dtype == Dtype::f32 ? 5e-7 : 1e-14));
    }
}

TEST_CASE("reductions over every set of axes") {
  for_instruction_sets([] {
    for (Dtype dtype : kBothDtypes)
      for (const Shape& shape :
           {Shape{1}, Shape{5}, Shape{16}, Shape{1, 1}, Shape{3, 7}, Shape{7, 3}, Shape{2, 1, 3},
            Shape{4, 5, 6}, Shape{33, 2, 3}, Shape{5, 4, 3, 17}, Shape{2, 3, 2, 3, 2}, Shape{3, 64},
            Shape{100, 65}, Shape{37, 79}, Shape{70, 1}})
        check_reduce(shape, dtype);
  });
}

TEST_CASE("reductions of large tensors, in tasks") {
  for (Dtype dtype : kBothDtypes)
    for (const Shape& shape : {Shape{100001}, Shape{3, 40001}, Shape{40001, 3}, Shape{20, 50, 64},
                               Shape{3000, 35}, Shape{40, 2500}, Shape{2, 9, 5000}, Shape{65, 33, 31}})
      check_reduce(shape, dtype);
}

TEST_CASE("sums of f32 keep the accuracy of f64") {
  const Index n = 1 << 20;
  for_instruction_sets([] {
    const Tensor tenth = Tensor::full({n}, 0.1);
    const double want = static_cast<double>(0.1f) * n;
    CHECK(std::fabs(sum(tenth).item() - want) <= want * 1e-7);
    CHECK(std::fabs(sum(tenth.reshape(Shape{n / 16, 16}), {0}).to_vector<double>()[3] - want / 16) <=
          want / 16 * 3e-7);
    CHECK(std::fabs(sum(tenth.reshape(Shape{n / 128, 128}), {0}).to_vector<double>()[99] - want / 128) <=
          want / 128 * 3e-7);
    // Large numbers that cancel, far apart.
    Tensor x = Tensor::full({n}, 1);
    x.mutable_data<float>()[5] = 1e8f;
    x.mutable_data<float>()[n - 7] = -1e8f;
    CHECK(std::fabs(sum(x).item() - (n - 2)) <= 64);
  });
}

TEST_CASE("reductions of nothing") {
  CHECK(sum(Tensor::zeros({0})).item() == 0);
  CHECK(values_of(sum(Tensor::zeros({0, 3}), {0})) == Values{0, 0, 0});
  CHECK(sum(Tensor::zeros({0, 3}), {1}).shape() == Shape{0});
  CHECK(reduce(ReduceOp::max, Tensor::zeros({0, 3}), {1}).shape() == Shape{0});
  CHECK_THROWS_WITH_AS(reduce(ReduceOp::max, Tensor::zeros({0, 3}), {0}),
                       "[max] no elements to choose from along the reduced axes of shape {0,3}",
                       ArgumentError);
  CHECK_THROWS_AS(reduce(ReduceOp::min, Tensor::zeros({0})), ArgumentError);
  CHECK(sum(Tensor::scalar(3)).item() == 3);
}

TEST_CASE("NaN goes through sums and extrema wherever it is") {
  for_instruction_sets([] {
    for (Dtype dtype : kBothDtypes)
      for (const Shape& shape : {Shape{3, 5}, Shape{40, 70}, Shape{700, 41}})
        for (Index place : {Index{0}, shape.elements() / 2, shape.elements() - 1}) {
          CAPTURE(shape);
          CAPTURE(place);
          Values v(static_cast<std::size_t>(shape.elements()), 1);
          v[static_cast<std::size_t>(place)] = NAN;
          const Tensor x = Tensor::from(v, shape).to(dtype);
          for (ReduceOp op : {ReduceOp::sum, ReduceOp::max, ReduceOp::min}) {
            CHECK(std::isnan(reduce(op, x).item()));
            for (int axis : {0, 1}) {
              const Values got = values_of(reduce(op, x, {axis}));
              const Index hit = axis == 0 ? place % shape[1] : place / shape[1];
              for (std::size_t i = 0; i < got.size(); ++i)
                CHECK(std::isnan(got[i]) == (static_cast<Index>(i) == hit));
            }
          }
        }
    const Tensor infinite = Tensor::from(Values{-INFINITY, -INFINITY});
    CHECK(reduce(ReduceOp::max, infinite).item() == -INFINITY);
    CHECK(reduce(ReduceOp::max, infinite.to(Dtype::f32)).item() == -INFINITY);
  });
}

TEST_CASE("argmax is the first of equals, NaN is the largest") {
  for (Dtype dtype : {Dtype::f32, Dtype::f64, Dtype::i64, Dtype::u8}) {
    const Tensor x = Tensor::from(Values{1, 3, 3, 0, 2, 2, 1, 9, 9}, {3, 3}).to(dtype);
    CHECK(values_of(argmax(x)) == Values{1, 1, 1});
    CHECK(values_of(argmax(x, 0)) == Values{0, 2, 2});
    CHECK(argmax(x).dtype() == Dtype::i64);
  }
  CHECK(values_of(argmax(Tensor::from(Values{5, NAN, 7, NAN}))) == Values{1});
  CHECK(values_of(argmax(Tensor::from(Values{NAN, 8}))) == Values{0});
  CHECK(values_of(argmax(Tensor::from(Values{-INFINITY, -INFINITY}))) == Values{0});
  CHECK(argmax(Tensor::zeros({0, 3})).shape() == Shape{0});
  CHECK_THROWS_WITH_AS(argmax(Tensor::zeros({2, 0})),
                       "[argmax] no elements to choose from along axis 1 of shape {2,0}", ArgumentError);
  const Tensor middle = random({4, 5, 6}, Dtype::f32, 2);
  const Values v = values_of(middle), got = values_of(argmax(middle, 1));
  for (std::size_t a = 0; a < 4; ++a)
    for (std::size_t b = 0; b < 6; ++b) {
      std::size_t best = 0;
      for (std::size_t j = 1; j < 5; ++j)
        if (v[(a * 5 + j) * 6 + b] > v[(a * 5 + best) * 6 + b]) best = j;
      CHECK(got[a * 6 + b] == static_cast<double>(best));
    }
}

TEST_CASE("count_correct counts rows whose first largest logit is the label") {
  const Tensor logits = Tensor::from(Values{1, 2, 2, 3, 0, 0, 0, 0, 5, 4, 4, 4}, {4, 3});
  CHECK(count_correct(logits, Tensor::from(std::vector<Index>{1, 0, 2, 0})) == 4);
  CHECK(count_correct(logits, Tensor::from(std::vector<Index>{2, 0, 2, 1})) == 2);
  CHECK(count_correct(logits.to(Dtype::f32), Tensor::from(std::vector<Index>{7, -1, 2, 2})) == 1);
  CHECK(count_correct(Tensor::zeros({0, 3}), Tensor::from(std::vector<Index>{})) == 0);
}

TEST_CASE("bits of reductions do not depend on threads") {
  const Tensor x = random({120, 70, 35}, Dtype::f32, 1);
  check_threads([&] {
    return Tensors{sum(x),         sum(x, {0}),    sum(x, {1}),    sum(x, {2}),
                   sum(x, {0, 1}), sum(x, {1, 2}), sum(x, {0, 2}), reduce(ReduceOp::max, x, {0, 1}),
                   argmax(x, 1)};
  });
}

}  // namespace
