// Scalars that the host knows: doubles, with the bits of doubles.
#include "core/scalar.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/ops.h"

using namespace basin;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST_CASE("scalar: a known one computes as a double does") {
  const Scalar a = 0.1, b = 3;
  CHECK(a.known());
  CHECK((a + b).value() == 0.1 + 3.0);
  CHECK((a - 1).value() == 0.1 - 1);
  CHECK((2 * a * b / 7).value() == 2 * 0.1 * 3 / 7);
  CHECK(sqrt(a).value() == std::sqrt(0.1));
  CHECK(pow(a, 1.3).value() == std::pow(0.1, 1.3));
  CHECK(abs(-a).value() == 0.1);
  CHECK(min(a, b).value() == 0.1);
  CHECK(max(a, b).value() == 3);
  CHECK(std::isnan(min(kNan, b).value()));
  CHECK(std::isnan(max(b, kNan).value()));
  const double same = a;
  CHECK(same == 0.1);
}

TEST_CASE("scalar: comparisons are conditions, which do not hold for NaN") {
  const Scalar a = 1, nan = kNan;
  CHECK((a > 0.5).value() == 1);
  CHECK((a < 0.5).value() == 0);
  CHECK((a >= 1).value() == 1);
  CHECK((a <= 1).value() == 1);
  CHECK((a == 1).value() == 1);
  CHECK((a != 1).value() == 0);
  CHECK((nan == nan).value() == 0);
  CHECK((nan != nan).value() == 1);
  CHECK((nan > 0).value() == 0);
  CHECK((nan <= 0).value() == 0);
  CHECK(is_finite(a).value() == 1);
  CHECK(is_finite(kInfinity).value() == 0);
  CHECK(is_finite(nan).value() == 0);
  CHECK(both(a > 0, a < 2).value() == 1);
  CHECK(both(a > 0, a > 2).value() == 0);
  CHECK(either(a > 2, a > 0).value() == 1);
  CHECK(opposite(a > 0).value() == 0);
}

TEST_CASE("scalar: a known condition selects one, and calls no function but that one's") {
  CHECK(select(Scalar(2) > 1, 5, kNan).value() == 5);
  bool called = false;
  const Scalar chosen = select(
      Scalar(2) > 3, [&] { return called = true, Scalar(1); }, [] { return Scalar(7); });
  CHECK(chosen.value() == 7);
  CHECK_FALSE(called);
  const Tensor x = Tensor::full({2}, 1), y = Tensor::full({2}, 2);
  CHECK(select(Scalar(1), x, y).raw() == x.raw());
  CHECK(certainly(Scalar(1) > 0));
  CHECK_FALSE(possibly(Scalar(1) > 2));
}

TEST_CASE("scalar: of a tensor it is its only element") {
  CHECK(Scalar(Tensor::full({1, 1}, 0.5)).value() == 0.5);
  CHECK(Scalar(Tensor::from(std::vector<std::int64_t>{3})).value() == 3);
  CHECK_THROWS_AS(Scalar(Tensor::zeros({2})), ArgumentError);
  CHECK(Scalar(4).tensor({}).item() == 4);
}

TEST_CASE("tensors and numbers: fill, assign_if, increment, products") {
  Tensor x = Tensor::full({3}, 1), count = Tensor::zeros({}, Dtype::i64);
  fill(x, Scalar(2) / 4);
  CHECK(x.to_vector<float>() == std::vector<float>{0.5F, 0.5F, 0.5F});
  assign_if(Scalar(1) > 2, Tensor::full({3}, 9), x);
  CHECK(x.to_vector<float>()[0] == 0.5F);
  assign_if(Scalar(1) < 2, Tensor::full({3}, 9), x);
  CHECK(x.to_vector<float>()[2] == 9);
  CHECK((Scalar(2) * x).to_vector<float>()[1] == 18);
  increment(count);
  increment(count, 0);
  CHECK(count.item() == 1);
}

}  // namespace
