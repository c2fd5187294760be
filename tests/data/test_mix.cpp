// Mixup, cutmix and cutout of whole batches.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "data/augment/elementary.h"
#include "data/augment/mix.h"

using namespace basin;
using namespace basin::data;

namespace {

// Image n of n numbers all equal to n + 1, label n.
Tensor images_of(std::int64_t count, std::int64_t height, std::int64_t width) {
  Tensor images = Tensor::empty({count, height, width, 2});
  float* out = images.mutable_data<float>();
  for (std::int64_t i = 0; i < images.elements(); ++i)
    out[i] = static_cast<float>(i / (height * width * 2) + 1);
  return images;
}

Tensor labels_of(std::int64_t count) {
  std::vector<std::int64_t> labels;
  for (std::int64_t n = 0; n < count; ++n) labels.push_back(n);
  return Tensor::from(labels);
}

}  // namespace

TEST_CASE("elementary: logarithm and exponential agree with the C library") {
  for (const double x : {1e-300, 1e-9, 0.3, 0.5, 0.75, 0.9999999, 1.0, 1.3333, 2.0, 7.0, 1e5, 1e300}) {
    CHECK(logarithm(x) == doctest::Approx(std::log(x)).epsilon(1e-15));
  }
  for (const double x : {-700.0, -30.0, -1.0, -0.3, -1e-12, 0.0, 1e-9, 0.29, 0.35, 1.0, 20.0, 700.0}) {
    CHECK(exponential(x) == doctest::Approx(std::exp(x)).epsilon(1e-13));
  }
  CHECK(exponential(-5000) == 0);
  CHECK(std::isinf(exponential(5000)));
}

TEST_CASE("beta: mean and variance of Beta(alpha, alpha)") {
  for (const double alpha : {0.2, 1.0, 8.0, 32.0}) {
    double sum = 0;
    double squares = 0;
    const int draws = 20000;
    for (int i = 0; i < draws; ++i) {
      Random random(1, Stream::user, 0, static_cast<std::uint64_t>(i));
      const double value = draw_beta(alpha, random);
      REQUIRE(value >= 0);
      REQUIRE(value <= 1);
      sum += value - 0.5;
      squares += (value - 0.5) * (value - 0.5);
    }
    const double variance = 1 / (4 * (2 * alpha + 1));
    CHECK(std::abs(sum / draws) < 4 * std::sqrt(variance / draws));
    CHECK(squares / draws == doctest::Approx(variance).epsilon(0.05));
  }
  Random random(1, Stream::user);
  CHECK_THROWS_AS(draw_beta(0, random), ArgumentError);
  CHECK_THROWS_AS(draw_beta(NAN, random), ArgumentError);
  CHECK_NOTHROW(draw_beta(0.01, random));
}

TEST_CASE("mixup: each image is blended with its partner as it was, labels and weights say so") {
  Tensor images = images_of(6, 3, 4);
  const Mixed mixed = mixup(images, labels_of(6), 1.0, 7, 2, 5);
  CHECK(mixed.lambda > 0);
  CHECK(mixed.lambda < 1);
  std::set<std::int64_t> partners;
  for (std::int64_t n = 0; n < 6; ++n) {
    const std::int64_t partner = mixed.labels.data<std::int64_t>()[n];
    partners.insert(partner);
    const double expected =
        mixed.lambda * static_cast<double>(n + 1) + (1 - mixed.lambda) * static_cast<double>(partner + 1);
    for (int i = 0; i < 24; ++i) {
      CHECK(images.data<float>()[n * 24 + i] == doctest::Approx(expected).epsilon(1e-6));
    }
  }
  CHECK(partners.size() == 6);
  const auto lambda = [&](std::uint64_t epoch, std::uint64_t step) {
    Tensor again = images_of(6, 3, 4);
    return mixup(again, labels_of(6), 1.0, 7, epoch, step).lambda;
  };
  CHECK(lambda(2, 5) == mixed.lambda);
  CHECK(lambda(2, 6) != mixed.lambda);
  CHECK(lambda(3, 5) != mixed.lambda);
}

TEST_CASE("cutmix: a rectangle is the partner's, lambda is the share of pixels left") {
  int cut = 0;
  for (std::uint64_t step = 0; step < 30; ++step) {
    Tensor images = images_of(5, 16, 12);
    const Mixed mixed = cutmix(images, labels_of(5), 1.0, 7, 0, step);
    for (std::int64_t n = 0; n < 5; ++n) {
      const std::int64_t partner = mixed.labels.data<std::int64_t>()[n];
      if (partner == n) continue;
      const float* numbers = images.data<float>() + n * 16 * 12 * 2;
      std::int64_t left = 16, right = -1, top = 16, bottom = -1, foreign = 0;
      for (std::int64_t y = 0; y < 16; ++y) {
        for (std::int64_t x = 0; x < 12; ++x) {
          const float value = numbers[(y * 12 + x) * 2];
          CHECK(value == numbers[(y * 12 + x) * 2 + 1]);
          if (value == static_cast<float>(n + 1)) continue;
          CHECK(value == static_cast<float>(partner + 1));
          ++foreign;
          left = std::min(left, x), right = std::max(right, x), top = std::min(top, y),
          bottom = std::max(bottom, y);
        }
      }
      CHECK(mixed.lambda == doctest::Approx(1 - static_cast<double>(foreign) / (16 * 12)));
      if (foreign > 0) CHECK(foreign == (right - left + 1) * (bottom - top + 1));
      cut += foreign > 0 ? 1 : 0;
    }
  }
  CHECK(cut > 50);
}

TEST_CASE("cutout of a batch: the same square for all, at the address that the header gives") {
  for (std::uint64_t step = 0; step < 20; ++step) {
    Tensor images = images_of(3, 9, 7);
    cutout_batch(images, 4, 11, 2, step);
    Random random(11, Stream::augment, 2, step + (std::uint64_t{4} << 48));
    const auto y0 = static_cast<std::int64_t>(random.below(9)) - 2;
    const auto x0 = static_cast<std::int64_t>(random.below(7)) - 2;
    for (std::int64_t i = 0; i < images.elements(); ++i) {
      const std::int64_t n = i / 126, y = i % 126 / 14, x = i % 14 / 2;
      const bool cut = y >= y0 && y < y0 + 4 && x >= x0 && x < x0 + 4;
      REQUIRE(images.data<float>()[i] == (cut ? 0 : static_cast<float>(n + 1)));
    }
  }
}

TEST_CASE("mix: a batch gets what is asked for, and the order of square and partners makes no difference") {
  for (const BatchMix& mix : {BatchMix{.mixup = 0.4, .cutout = 3}, BatchMix{.cutmix = 1, .cutout = 3}}) {
    Tensor images = images_of(5, 8, 8);
    Tensor other_order = images.clone();
    const Mixed mixed = mix_batch(mix, images, labels_of(5), 1, 2, 3);
    CHECK(mixed.labels.defined());
    if (mix.mixup > 0)
      mixup(other_order, labels_of(5), mix.mixup, 1, 2, 3);
    else
      cutmix(other_order, labels_of(5), mix.cutmix, 1, 2, 3);
    cutout_batch(other_order, mix.cutout, 1, 2, 3);
    CHECK(images.to_vector<float>() == other_order.to_vector<float>());
  }
  Tensor images = images_of(2, 4, 4);
  const Mixed none = mix_batch({}, images, labels_of(2), 1, 2, 3);
  CHECK_FALSE(none.labels.defined());
  CHECK(none.lambda == 1);
  CHECK(images.to_vector<float>() == images_of(2, 4, 4).to_vector<float>());
}

TEST_CASE("mix: shapes, dtypes and sizes that do not fit are refused") {
  Tensor images = images_of(3, 4, 4);
  CHECK_THROWS_AS(mixup(images, labels_of(2), 1, 0, 0, 0), ArgumentError);
  CHECK_THROWS_AS(mixup(images, labels_of(3), 0, 0, 0, 0), ArgumentError);
  Tensor flat = images.reshape(Shape{3, 32});
  CHECK_THROWS_AS(mixup(flat, labels_of(3), 1, 0, 0, 0), ArgumentError);
  CHECK_THROWS_AS(cutmix(images, Tensor::zeros({3}), 1, 0, 0, 0), ArgumentError);
  Tensor bytes = Tensor::zeros({1, 2, 2, 1}, Dtype::u8);
  CHECK_THROWS_AS(cutout_batch(bytes, 1, 0, 0, 0), ArgumentError);
  CHECK_THROWS_AS(cutout_batch(images, 0, 0, 0, 0), ArgumentError);
  CHECK_NOTHROW(check(BatchMix{.cutmix = 0.01, .cutout = 9}));
  CHECK_THROWS_AS(check(BatchMix{.mixup = 0.001}), UsageError);
  CHECK_THROWS_AS(check(BatchMix{.cutmix = NAN}), UsageError);
  CHECK_THROWS_AS(check(BatchMix{.cutout = -1}), UsageError);
  CHECK_THROWS_AS(check(BatchMix{.mixup = 1, .cutmix = 1}), UsageError);
}
