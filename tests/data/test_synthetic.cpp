// The synthetic set: the same on every machine, balanced, and not told apart by its mean colours.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "core/error.h"
#include "data/sets/synthetic.h"

using namespace basin;
using namespace basin::data;

TEST_CASE("synthetic: a pure function of options, seed and split") {
  const SyntheticOptions options{.train = 20, .test = 20};
  const Dataset train = synthetic(options, 1, true);
  // Pinned: a change of it changes every result on this set.
  CHECK(train.hash == "56a65084e471f18abd3066a7b019b364ffca2482a4bd39848ae20c02aee669cb");
  CHECK(synthetic(options, 1, true).hash == train.hash);
  CHECK(synthetic(options, 2, true).hash != train.hash);
  CHECK(synthetic(options, 1, false).hash != train.hash);
  // More images begin with the same ones.
  CHECK(first(synthetic({.train = 30, .test = 1}, 1, true), 20).hash == train.hash);
}

TEST_CASE("synthetic: shapes, labels, options out of range") {
  const Dataset set = synthetic({.classes = 7, .size = 9, .channels = 2, .train = 15, .test = 4}, 0, true);
  CHECK(set.images.shape() == Shape{15, 9, 9, 2});
  CHECK(set.classes() == 7);
  for (std::int64_t i = 0; i < 15; ++i) CHECK(set.labels[static_cast<std::size_t>(i)] == i % 7);
  CHECK(synthetic({.test = 4}, 0, false).size() == 4);
  CHECK_THROWS_WITH_AS(synthetic({.classes = 1}, 0, true), "synthetic: classes must be from 2 to 1000, got 1",
                       UsageError);
  CHECK_THROWS_AS(synthetic({.size = 4}, 0, true), UsageError);
  CHECK_THROWS_AS(synthetic({.channels = 0}, 0, true), UsageError);
  CHECK_THROWS_AS(synthetic({.train = 0}, 0, true), UsageError);
  CHECK_THROWS_AS(synthetic({.test = -1}, 0, true), UsageError);
  CHECK_THROWS_AS(synthetic({.noise = 401}, 0, true), UsageError);
}

TEST_CASE("synthetic: normalisation fits the pixels, and a class is not its mean colour") {
  const Dataset set = synthetic({.train = 1000, .test = 1}, 3, true);
  const std::uint8_t* pixels = set.images.data<std::uint8_t>();
  std::vector<double> class_mean(10, 0.0);
  double mean = 0;
  double square = 0;
  for (std::int64_t i = 0; i < 1000; ++i) {
    for (std::int64_t j = 0; j < 3072; ++j) {
      const double value = pixels[i * 3072 + j] / 255.0;
      class_mean[static_cast<std::size_t>(i % 10)] += value / (100 * 3072);
      mean += value / (1000 * 3072);
      square += value * value / (1000 * 3072);
    }
  }
  CHECK(std::abs(mean - 0.5) < 0.02);
  CHECK(std::abs(std::sqrt(square - mean * mean) - 0.17) < 0.01);
  for (const double value : class_mean) CHECK(std::abs(value - mean) < 0.02);
}
