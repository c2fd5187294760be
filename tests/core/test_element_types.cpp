// Which C++ types are numbers of a Tensor: what is not one of them does not compile, and other integers go in
// as i64.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/ops.h"

using namespace basin;

namespace {

template <class T>
concept Holds = requires(Tensor t, const Tensor c) {
  c.data<T>();
  t.mutable_data<T>();
  c.to_vector<T>();
  dtype_of<T>;
};
template <class T>
concept HoldsInPart = requires(const Tensor c) {
  c.data<T>();
}
|| requires(Tensor t) { t.mutable_data<T>(); }
|| requires(const Tensor c) { c.to_vector<T>(); }
|| requires { dtype_of<T>; };
template <class T>
concept MadeFrom = requires(const std::vector<T>& values, const Shape& shape) {
  Tensor::from(values);
  Tensor::from(values, shape);
};
template <class T>
concept MadeFromInPart = requires(const std::vector<T>& values) {
  Tensor::from(values);
}
|| requires(const std::vector<T>& values, const Shape& s) { Tensor::from(values, s); };

template <class... T>
constexpr bool all_hold = (Holds<T> && ...);
template <class... T>
constexpr bool none_holds = (!HoldsInPart<T> && ...);
template <class... T>
constexpr bool all_go_in = (MadeFrom<T> && ...);
template <class... T>
constexpr bool none_goes_in = (!MadeFromInPart<T> && ...);

static_assert(all_hold<float, double, bfloat16, std::int64_t, std::uint8_t>);
static_assert(none_holds<int, short, unsigned, unsigned long, long long, unsigned long long, bool, char,
                         signed char, std::uint16_t, long double, float*, const float, Shape>);
static_assert(all_go_in<float, double, bfloat16, std::int64_t, std::uint8_t, int, short, unsigned short,
                        unsigned, long, long long>);
static_assert(none_goes_in<bool, char, signed char, char16_t, wchar_t, unsigned long, unsigned long long,
                           long double, float*, Dtype>);
static_assert(dtype_of<float> == Dtype::f32 && dtype_of<double> == Dtype::f64 &&
              dtype_of<bfloat16> == Dtype::bf16 && dtype_of<std::int64_t> == Dtype::i64 &&
              dtype_of<std::uint8_t> == Dtype::u8);

TEST_CASE("other integers become i64 with their values") {
  const auto check = [](const Tensor& t, const std::vector<std::int64_t>& expected) {
    CHECK(t.dtype() == Dtype::i64);
    CHECK(t.to_vector<std::int64_t>() == expected);
  };
  check(Tensor::from(std::vector<int>{0, -1, 2147483647}), {0, -1, 2147483647});
  check(Tensor::from(std::vector<short>{-32768, 7}), {-32768, 7});
  check(Tensor::from(std::vector<unsigned>{4294967295u}), {4294967295});
  check(Tensor::from(std::vector<long long>{-(1ll << 62)}), {-(std::int64_t{1} << 62)});
  const Tensor matrix = Tensor::from(std::vector<int>{1, 2, 3, 4}, {2, 2});
  CHECK(matrix.shape() == Shape{2, 2});
  CHECK(matrix.data<std::int64_t>()[3] == 4);
  CHECK_THROWS_AS(Tensor::from(std::vector<int>{1, 2}, {3}), ArgumentError);
}

TEST_CASE("numbers and tensors go together as variables and numbers do") {
  const Tensor x = Tensor::from(std::vector<double>{1, -2, 4});
  const auto is = [](const Tensor& t, const std::vector<double>& expected) {
    CHECK(t.to_vector<double>() == expected);
  };
  is(-x, {-1, 2, -4});
  is(x + 1.0, {2, -1, 5});
  is(1.0 + x, {2, -1, 5});
  is(x - 1.0, {0, -3, 3});
  is(1.0 - x, {0, 3, -3});
  is(2.0 * x, {2, -4, 8});
  is(x * 2.0, {2, -4, 8});
  is(x / 2.0, {0.5, -1, 2});
  is(4.0 / x, {4, -2, 1});
  CHECK((2.0 * Tensor::full({3}, 1.0)).dtype() == Dtype::f32);
  CHECK((2 * x).shape() == Shape{3});
  CHECK_THROWS_AS(2.0 * Tensor::from(std::vector<int>{1}), ArgumentError);
  CHECK_THROWS_AS(1.0 + Tensor(), ArgumentError);
}

TEST_CASE("norm holds where squares vanish or overflow") {
  const auto of = [](double a, double b) { return norm(Tensor::from(std::vector<double>{3 * a, 4 * b, 0})); };
  for (double size : {1e-320, 1e-300, 1e-170, 1e-162, 1e-145, 1e-130, 1.0, 1e140, 1e154, 1e155, 1e200, 3e307})
    CHECK(of(size, size) == doctest::Approx(5 * size).epsilon(size < 1e-310 ? 1e-2 : 1e-14));
  CHECK(of(0, 0) == 0);
  CHECK(std::isinf(of(HUGE_VAL, 1)));
  CHECK(std::isnan(of(std::nan(""), 1e200)));
  CHECK(std::isinf(of(1.7e308 / 4, 1.7e308 / 4)));  // the norm itself is beyond f64
  CHECK(norm(Tensor::zeros({0}, Dtype::f64)) == 0);
  const auto f32 = [](float a) { return norm(Tensor::from(std::vector<float>{a, -a, a, a})); };
  for (float size : {1e-41f, 1e-20f, 1.0f, 1e20f, 3e38f}) CHECK(f32(size) == 2.0 * size);
}

}  // namespace
