// Philox against its published vectors; the distributions; addresses that never share numbers.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <set>
#include <vector>

#include "core/error.h"
#include "core/random.h"

using namespace basin;

using Words = std::array<std::uint32_t, 4>;

TEST_CASE("philox: the three known answers published with Random123") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("Random: the address is the counter and the key that the header says") {
  Random random(0x0123456789abcdef, Stream::augment, 0xfedcba98, 0x00765432'10aabbcc);
  const std::array<std::uint32_t, 2> key = {0x89abcdef, 0x01234567};
  for (std::uint32_t block = 0; block < 3; ++block) {
    const Words expected = philox({block, 0x10aabbcc, 0xfedcba98, 0x03765432}, key);
    for (std::uint32_t word : expected) CHECK(random.bits() == word);
  }
}

TEST_CASE("Random: no two addresses share their first block") {
  std::set<std::array<std::uint32_t, 2>> seen;
  int addresses = 0;
  for (std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32}) {
    for (auto stream : {Stream::init, Stream::shuffle, Stream::augment, Stream::user}) {
      for (std::uint64_t epoch : {0, 1, 2, 199}) {
        for (std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{49999},
                                    std::uint64_t{1} << 32, (std::uint64_t{1} << 56) - 1}) {
          Random random(seed, stream, epoch, index);
          const std::uint32_t first = random.bits();
          seen.insert({first, random.bits()});
          ++addresses;
        }
      }
    }
  }
  CHECK(seen.size() == static_cast<std::size_t>(addresses));
}

TEST_CASE("Random: an address that does not fit is refused") {
  CHECK_THROWS_AS(Random(0, Stream::init, std::uint64_t{1} << 32), ArgumentError);
  CHECK_THROWS_AS(Random(0, Stream::init, 0, std::uint64_t{1} << 56), ArgumentError);
  Random random(0, Stream::user);
  CHECK_THROWS_AS(random.below(0), ArgumentError);
  CHECK_THROWS_AS(random.uniform(1, 1), ArgumentError);
  CHECK_THROWS_AS(random.uniform(0, INFINITY), ArgumentError);
  CHECK_THROWS_AS(permutation(-1, 0, Stream::user, 0), ArgumentError);
}

TEST_CASE("Random: uniform is the upper 53 of 64 bits") {
  Random words(7, Stream::user, 1, 2);
  Random random(7, Stream::user, 1, 2);
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t high = words.bits();
    const std::uint64_t whole = high << 32 | words.bits();
    CHECK(random.uniform() == std::ldexp(static_cast<double>(whole >> 11), -53));
  }
}

TEST_CASE("Random: uniform stays in its interval and fills it evenly") {
  Random random(11, Stream::user);
  std::array<int, 10> counts{};
  const int draws = 100'000;
  double sum = 0;
  for (int i = 0; i < draws; ++i) {
    const double u = random.uniform();
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    sum += u;
    ++counts[static_cast<std::size_t>(u * 10)];
  }
  CHECK(sum / draws == doctest::Approx(0.5).epsilon(0.005));
  double chi_square = 0;
  for (int count : counts) chi_square += std::pow(count - draws / 10.0, 2) / (draws / 10.0);
  CHECK(chi_square < 27.9);  // 9 degrees of freedom, one in a thousand
  for (int i = 0; i < 1000; ++i) {
    // Two neighbouring numbers: only the lower one is in [low, high), whatever the rounding of the sum.
    CHECK(random.uniform(1.0, std::nextafter(1.0, 2.0)) == 1.0);
  }
}

TEST_CASE("Random: normal is Box and Muller's formula to the last few bits") {
  Random uniforms(5, Stream::init, 0, 3);
  Random random(5, Stream::init, 0, 3);
  for (int i = 0; i < 20'000; ++i) {
    const double radius = std::sqrt(-2 * std::log(1 - uniforms.uniform()));
    const double angle = 2 * std::numbers::pi * uniforms.uniform();
    REQUIRE(random.normal() == doctest::Approx(radius * std::cos(angle)).epsilon(1e-14).scale(1));
    REQUIRE(random.normal() == doctest::Approx(radius * std::sin(angle)).epsilon(1e-14).scale(1));
  }
}

TEST_CASE("Random: normal has the moments and the tails of a normal") {
  Random random(1, Stream::init);
  const int draws = 400'000;
  double moments[5] = {};
  int beyond_two = 0;
  for (int i = 0; i < draws; ++i) {
    const double x = random.normal();
    for (int k = 1; k <= 4; ++k) moments[k] += std::pow(x, k) / draws;
    beyond_two += std::abs(x) > 2 ? 1 : 0;
  }
  CHECK(std::abs(moments[1]) < 0.006);  // deviations of the means: 0.0016, 0.0022, 0.0061, 0.0155, 0.0003
  CHECK(std::abs(moments[2] - 1) < 0.009);
  CHECK(std::abs(moments[3]) < 0.025);
  CHECK(std::abs(moments[4] - 3) < 0.062);
  CHECK(std::abs(beyond_two / double(draws) - 0.045500) < 0.0014);
}

TEST_CASE("Random: the first values at one address never change") {
  // Pinned: a change of any of these changes every trained network.
  Random random(42, Stream::user, 3, 9);
  CHECK(random.bits() == 0x4ac371a8);
  CHECK(random.uniform() == 0x1.53ad92889d84p-3);
  CHECK(random.normal() == -0x1.a5d30f52fca6fp-2);
  CHECK(random.normal() == -0x1.a09e9a1ff28c2p+0);
  CHECK(random.below(10) == 9);
  CHECK(random.below(std::uint64_t{1} << 40) == 118862315247);
  CHECK(permutation(10, 42, Stream::shuffle, 0) == std::vector<std::int64_t>{0, 8, 1, 9, 3, 6, 2, 5, 4, 7});
  CHECK(permutation(10, 42, Stream::shuffle, 1) == std::vector<std::int64_t>{2, 7, 1, 6, 8, 9, 4, 5, 0, 3});
}

TEST_CASE("Random: below is even on small and large ranges") {
  Random random(3, Stream::user);
  for (std::uint64_t n : {1, 2, 3, 7, 10}) {
    std::vector<int> counts(n, 0);
    const int draws = 20'000;
    for (int i = 0; i < draws; ++i) ++counts.at(random.below(n));
    const double expected = draws / static_cast<double>(n);
    double chi_square = 0;
    for (int count : counts) chi_square += std::pow(count - expected, 2) / expected;
    CHECK(chi_square < 28);
  }
  // Two thirds of 2^33: the upper third of the range must come up as often as the others.
  const std::uint64_t large = std::uint64_t{3} << 31;
  std::array<int, 3> thirds{};
  for (int i = 0; i < 30'000; ++i) ++thirds.at(random.below(large) / (large / 3));
  for (int count : thirds) CHECK(std::abs(count - 10'000) < 330);
  for (int i = 0; i < 100; ++i) CHECK(random.below(~std::uint64_t{0}) != ~std::uint64_t{0});
}

TEST_CASE("permutation: every number once, and every order as often as any other") {
  for (std::int64_t n : {0, 1, 2, 5, 1000}) {
    std::vector<std::int64_t> order = permutation(n, 1, Stream::shuffle, 4);
    CHECK(order == permutation(n, 1, Stream::shuffle, 4));
    std::sort(order.begin(), order.end());
    for (std::int64_t i = 0; i < n; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
    CHECK(order.size() == static_cast<std::size_t>(n));
  }
  std::array<int, 27> counts{};
  for (std::uint64_t epoch = 0; epoch < 12'000; ++epoch) {
    const auto order = permutation(3, 9, Stream::shuffle, epoch);
    ++counts[static_cast<std::size_t>(order[0] * 9 + order[1] * 3 + order[2])];
  }
  CHECK(std::count_if(counts.begin(), counts.end(), [](int c) { return c > 0; }) == 6);
  for (int count : counts) CHECK((count == 0 || std::abs(count - 2000) < 170));
}
