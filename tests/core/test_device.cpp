// Tensors and Scalars elsewhere: what the host may do with them, and what it is told when it may not.
#include "tests/device/test_device.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <limits>

#include "core/ops.h"

using namespace basin;
using basin::testing::host_reads, basin::testing::test_device;

namespace {

Tensor there(const std::vector<double>& values) { return Tensor::from(values).to(test_device()); }
Scalar number(double value) { return Scalar(there({value})); }

/// What a Scalar does, of x = a and y = b.
std::vector<Scalar> operations(const Scalar& x, const Scalar& y, double a, double b) {
  return {x + y,
          x - y,
          x * y,
          x / y,
          x + b,
          a - y,
          x > y,
          x >= y,
          x < y,
          x <= y,
          x == y,
          x != y,
          min(x, y),
          max(x, y),
          -x,
          abs(x),
          is_finite(x),
          both(x > 0, y > 0),
          either(x > 0, y > 0),
          opposite(x > 0),
          select(x > y, x, b),
          pow(x, 3)};
}

TEST_CASE("device: the host may not look at a tensor that lives elsewhere") {
  const Tensor x = there({1, 2});
  const char* refusal =
      "[tensor] f64 {2} lives on test:0, where the host may not look; .to(Device{}) brings it here";
  CHECK_THROWS_WITH_AS(x.data<double>(), refusal, ArgumentError);
  CHECK_THROWS_WITH_AS(x.to_vector<double>(), refusal, ArgumentError);
  CHECK_THROWS_AS(x.view(0, {1}).item(), ArgumentError);
  CHECK_THROWS_AS(x.to_vector<float>(), ArgumentError);
  Tensor y = x;
  CHECK_THROWS_WITH_AS(y.mutable_data<double>(), refusal, ArgumentError);
}

TEST_CASE("device: an address of the test device faults when the host reads it") {
  const Tensor x = there({1, 2});
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (const int fault : {SIGSEGV, SIGBUS}) std::signal(fault, SIG_DFL);  // not the test program's own
    const volatile std::byte* byte = x.raw();
    ::_exit(*byte == std::byte{7} ? 0 : 0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK((!WIFEXITED(status) || WEXITSTATUS(status) != 0));
}

TEST_CASE("device: copies go each way, and only those to the host are waited for") {
  const std::vector<double> numbers{1, 2, 3};
  const std::int64_t before = host_reads();
  const Tensor x = there(numbers), same = x.to(test_device()), other = x.clone();
  CHECK(same.raw() == x.raw());
  CHECK(other.raw() != x.raw());
  CHECK(other.device() == test_device());
  Tensor y = Tensor::zeros({3}, Dtype::f64, test_device());
  y.copy_from(other);
  y.view(1, {1}).copy_from(Tensor::from(std::vector<double>{9}));
  CHECK(host_reads() == before);
  CHECK(y.to(Device{}).to_vector<double>() == std::vector<double>{1, 9, 3});
  CHECK(host_reads() == before + 1);
  Tensor here = Tensor::zeros({3}, Dtype::f64);
  here.copy_from(x);
  CHECK(here.to_vector<double>() == numbers);
  CHECK(host_reads() == before + 2);
}

TEST_CASE("device: right answers are counted there, and nobody waits") {
  const Tensor logits = there({1, 2, 3, 0, 5, 5}).reshape(Shape{3, 2});
  const Tensor labels = Tensor::from(std::vector<Index>{1, 1, 0}).to(test_device());
  const std::int64_t before = host_reads();
  const Scalar correct = count_correct(logits, labels);
  CHECK_FALSE(correct.known());
  CHECK(host_reads() == before);
  CHECK(correct.value() == 2);
}

TEST_CASE("device: kind and index choose the backend") {
  CHECK(&backend(test_device()) != &backend());
  CHECK_THROWS_WITH_AS(
      backend({Device::Kind::test, 1}),
      "[backend] no backend is installed for test:1: this program was built or started without "
      "it; use the cpu",
      UsageError);
  CHECK_THROWS_AS(backend({Device::Kind::cpu, 1}), UsageError);
  CHECK_THROWS_AS(install_backend({Device::Kind::test, 99}, cpu_backend()), ArgumentError);
  CHECK_THROWS_AS(Tensor::zeros({2}) + there({1, 2}).to(Dtype::f32), ArgumentError);
}

TEST_CASE("scalar: on a device it has the bits of a double, and nobody waits until its value is asked for") {
  const double values[] = {0,
                           -0.0,
                           1,
                           -2.5,
                           0.1,
                           1e300,
                           std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()};
  const auto same = [](const Scalar& x, double wanted) {
    return x == wanted || (std::isnan(x.value()) && std::isnan(wanted));
  };
  for (const double a : values)
    for (const double b : values) {
      CAPTURE(a);
      CAPTURE(b);
      const Scalar x = number(a), y = number(b);
      const std::int64_t before = host_reads();
      const std::vector<Scalar> results = operations(x, y, a, b);
      CHECK(host_reads() == before);
      const std::vector<Scalar> wanted = operations(a, b, a, b);
      for (std::size_t i = 0; i < results.size(); ++i) {
        CAPTURE(i);
        CHECK_FALSE(results[i].known());
        CHECK(wanted[i].known());
        CHECK(same(results[i], wanted[i]));
      }
    }
  CHECK(same(sqrt(number(2)), std::sqrt(2.0)));
}

TEST_CASE("scalar: many are brought to the host by one read") {
  Scalar a = number(1), b = 2, c = number(3);
  CHECK_FALSE(certainly(a > 0));
  CHECK(possibly(a < 0));
  const std::int64_t before = host_reads();
  bring_here({&a, &b, &c});
  CHECK(host_reads() == before + 1);
  CHECK(a.known());
  CHECK(a.value() + 10 * b.value() + 100 * c.value() == 321);
  bring_here({&a, &b, &c});
  CHECK(host_reads() == before + 1);
}

TEST_CASE("flat vectors on a device: lengths stay there, also where squares overflow") {
  for (const double size : {1e-200, 1.0, 1e200}) {
    const Tensor here = Tensor::from(std::vector<double>{3 * size, -4 * size});
    const std::int64_t before = host_reads();
    const Scalar length = norm(here.to(test_device())),
                 square = dot(here.to(test_device()), here.to(test_device()));
    CHECK(host_reads() == before);
    CHECK(length.value() == norm(here).value());
    CHECK(square.value() == dot(here, here).value());
  }
  CHECK(all_finite(there({1, 2})).value() == 1);
  CHECK(all_finite(there({1, HUGE_VAL})).value() == 0);
  CHECK(norm(there({0, 0})).value() == 0);
  CHECK(std::isinf(norm(there({1, HUGE_VAL})).value()));
}

TEST_CASE("flat vectors on a device: a share of 0 leaves out what is not finite") {
  Tensor y = there({1, -0.0});
  axpby(number(0), there({HUGE_VAL, NAN}), 1, y);
  CHECK(y.to(Device{}).to_vector<double>() == std::vector<double>{1, -0.0});
  axpby(number(2), there({1, 1}), number(3), y);
  CHECK(y.to(Device{}).to_vector<double>() == std::vector<double>{5, 2});
  fill(y, number(7));
  CHECK((y * number(0.5)).to(Device{}).to_vector<double>() == std::vector<double>{3.5, 3.5});
  assign_if(number(0), there({NAN, 1}), y);
  CHECK(y.to(Device{}).to_vector<double>() == std::vector<double>{7, 7});
  assign_if(number(1), there({1, 2}), y);
  CHECK(y.to(Device{}).to_vector<double>() == std::vector<double>{1, 2});
  Tensor count = Tensor::zeros({}, Dtype::i64, test_device());
  increment(count, number(1));
  increment(count, number(0));
  CHECK(count.to(Device{}).item() == 1);
}

}  // namespace
