// Scalars of the card: programs of single numbers, computed at once or when they are read.
#include <cmath>
#include <limits>

#include "core/random.h"
#include "tests/cuda/comparison.h"

using namespace cuda_testing;

namespace {

Scalar on_card(double value) { return Scalar(there(Tensor::scalar(value, Dtype::f64))); }

bool same(double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); }

/// f of Scalars of the card and of known ones alike.
template <class F>
void check_alike(const F& f) {
  for (const bool wait : {false, true}) {
    CAPTURE(wait);
    std::vector<Scalar> found, wanted = f([](double x) { return Scalar(x); });
    {
      NumbersWait numbers;
      if (wait) {
        found = f(on_card);
        numbers.finish();
      }
    }
    if (!wait) found = f(on_card);
    REQUIRE(found.size() == wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      CAPTURE(i);
      CHECK_FALSE(found[i].known());
      CHECK_MESSAGE(same(found[i].value(), wanted[i].value()), found[i].value(), " ", wanted[i].value());
    }
  }
}

}  // namespace

TEST_CASE("numbers of the card have the host's arithmetic") {
  constexpr double inf = std::numeric_limits<double>::infinity(),
                   nan = std::numeric_limits<double>::quiet_NaN();
  for (const double x : {0.0, -1.5, 3.0, inf, nan})
    for (const double z : {2.0, -0.25, inf, nan}) {
      CAPTURE(x);
      CAPTURE(z);
      check_alike([=](const auto& number) {
        const Scalar a = number(x), b = number(z);
        return std::vector<Scalar>{a + b,
                                   a - b,
                                   a * b,
                                   a / b,
                                   min(a, b),
                                   max(a, b),
                                   a > b,
                                   a >= b,
                                   a < b,
                                   a == b,
                                   a != b,
                                   -a,
                                   abs(a),
                                   sqrt(b),
                                   pow(b, 2),
                                   2 - a,
                                   b / 4,
                                   is_finite(a),
                                   opposite(a > 0),
                                   select(a > b, a, 7),
                                   both(a > 0, b > 0),
                                   either(a > 0, b > 0)};
      });
    }
}

TEST_CASE("numbers of the card that wait make up programs, also more of them than one holds") {
  check_alike([](const auto& number) {
    std::vector<Scalar> all{number(1), number(1)};
    for (std::size_t i = 2; i < 150; ++i)
      all.push_back(i % 7 == 0 ? select(all[i - 1] > all[i / 2], all[i / 3], number(0.5))
                               : all[i - 1] * 0.75 + all[i - 2] / (all[i / 2] + 2));
    return all;
  });
  check_alike([](const auto& number) {  // two long ones that meet
    std::vector<Scalar> ends;
    for (int end = 0; end < 2; ++end) {
      Scalar sum = number(end);
      for (int i = 0; i < 20; ++i) sum = sum * 0.5 + i;
      ends.push_back(sum);
    }
    return std::vector<Scalar>{ends[0] + ends[1], number(0) + 1};
  });
}

TEST_CASE(
    "numbers of the card that wait are there when they are read, in their scope, behind it, and by a "
    "kernel") {
  Scalar later = 0;
  Tensor y = there(Tensor::from(std::vector<float>{1, 2}));
  {
    const NumbersWait numbers;
    const Scalar rate = on_card(0.5) * 4;
    axpby(rate + 1, there(Tensor::from(std::vector<float>{1, 1})), 1, y);
    CHECK(rate.value() == 2);
    later = rate / on_card(8);
  }
  CHECK(later.value() == 0.25);
  CHECK(here(y).to_vector<float>() == std::vector<float>{4, 5});
  Scalar a = on_card(1) + 1, b = 3, c = on_card(4) + a;
  bring_here({&a, &b, &c});
  CHECK(a.known());
  CHECK(c.known());
  CHECK(std::vector<double>{a, b, c} == std::vector<double>{2, 3, 6});
}
