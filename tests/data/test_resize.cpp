// Resizing and cutting: Pillow's and torchvision's pixels, and where random crops lie.
#include <doctest/doctest.h>

#include <cmath>

#include "core/error.h"
#include "data/augment/resize.h"
#include "tests/data/golden.h"

using namespace basin;
using namespace basin::data;
using basin::test::Golden;
using basin::test::goldens;
using basin::test::picture;

namespace {

std::int64_t whole(double value) { return static_cast<std::int64_t>(value); }

}  // namespace

TEST_CASE("resize: bilinear and bicubic, smaller and larger, equal Pillow bit for bit") {
  for (const Interpolation interpolation : {Interpolation::bilinear, Interpolation::bicubic}) {
    for (const Golden& golden : goldens(interpolation == Interpolation::bilinear ? "bilinear" : "bicubic")) {
      CAPTURE(golden.height);
      CAPTURE(golden.width);
      CHECK(test::equals(
          resize(picture(golden.file), whole(golden.arguments[0]), whole(golden.arguments[1]), interpolation),
          golden));
    }
  }
  CHECK_THROWS_AS(resize(picture("tiny.png"), 0, 3, Interpolation::bilinear), ArgumentError);
  CHECK_THROWS_AS(resize(Image{}, 3, 3, Interpolation::bilinear), ArgumentError);
}

TEST_CASE("resize: the shorter side and the center crop equal torchvision") {
  for (const Golden& golden : goldens("shorter")) {
    CHECK(test::equals(
        resize_shorter_side(picture(golden.file), whole(golden.arguments[0]), Interpolation::bilinear),
        golden));
  }
  for (const Golden& golden : goldens("center")) {
    CHECK(test::equals(
        center_crop(picture(golden.file), whole(golden.arguments[0]), whole(golden.arguments[1])), golden));
  }
}

TEST_CASE("resize: a tall picture keeps its shape") {
  const Image tall = crop(picture("photo.png"), {0, 0, 30, 10});
  const Image resized = resize_shorter_side(tall, 7, Interpolation::bicubic);
  CHECK(resized.width == 7);
  CHECK(resized.height == 21);
}

TEST_CASE("crop: inside, across the border, beside the picture") {
  const Image image = picture("tiny.png");
  const Image inside = crop(image, {1, 2, 3, 4});
  for (std::int64_t y = 0; y < 3; ++y) {
    for (std::int64_t i = 0; i < 12; ++i) REQUIRE(inside.row(y)[i] == image.row(y + 1)[i + 6]);
  }
  const Image around = crop(image, {-2, -1, 9, 9});
  CHECK(crop(around, {2, 1, 5, 7}) == image);
  CHECK(crop(around, {0, 0, 2, 9}) == Image::black(2, 9));
  CHECK(crop(image, {100, 0, 2, 2}) == Image::black(2, 2));
  CHECK(crop(image, {0, -100, 2, 2}) == Image::black(2, 2));
  CHECK_THROWS_AS(crop(image, {0, 0, -1, 2}), ArgumentError);
}

TEST_CASE("flip: columns in reverse, twice is nothing") {
  const Image image = picture("tiny.png");
  Image flipped = image;
  flip(flipped);
  for (std::int64_t x = 0; x < 7; ++x) CHECK(flipped.row(2)[3 * x + 1] == image.row(2)[3 * (6 - x) + 1]);
  flip(flipped);
  CHECK(flipped == image);
}

TEST_CASE("random resized crop: inside the picture, areas and ratios spread over their range") {
  const ResizedCrop options;
  double areas = 0;
  int wide = 0;
  const int draws = 4000;
  for (int i = 0; i < draws; ++i) {
    Random random(3, Stream::user, 0, static_cast<std::uint64_t>(i));
    const Box box = draw_resized_crop(options, 300, 400, random);
    REQUIRE(box.top >= 0);
    REQUIRE(box.left >= 0);
    REQUIRE(box.top + box.height <= 300);
    REQUIRE(box.left + box.width <= 400);
    const double ratio = static_cast<double>(box.width) / static_cast<double>(box.height);
    const double area = static_cast<double>(box.width * box.height) / (300.0 * 400);
    REQUIRE(ratio > 0.74);
    REQUIRE(ratio < 1.35);
    REQUIRE(area > 0.079);
    areas += area;
    wide += ratio > 1 ? 1 : 0;
  }
  CHECK(areas / draws == doctest::Approx(0.5).epsilon(0.05));
  CHECK(std::abs(wide - 0.52 * draws) < 0.06 * draws);
}

TEST_CASE("random resized crop: the draws are those that the header gives") {
  Random random(9, Stream::user, 1, 2);
  Random again(9, Stream::user, 1, 2);
  const Box box = draw_resized_crop({.least_area = 0.2, .most_area = 0.4}, 500, 500, random);
  const double area = 250000 * (0.2 + (0.4 - 0.2) * again.uniform());
  const double ratio = std::exp(std::log(0.75) + 2 * std::log(4.0 / 3) * again.uniform());
  CHECK(box.width == std::lround(std::sqrt(area * ratio)));
  CHECK(box.height == std::lround(std::sqrt(area / ratio)));
  CHECK(box.top == static_cast<std::int64_t>(again.below(static_cast<std::uint64_t>(501 - box.height))));
  CHECK(box.left == static_cast<std::int64_t>(again.below(static_cast<std::uint64_t>(501 - box.width))));
}

TEST_CASE("random resized crop: where nothing fits, the middle with the nearest ratio") {
  Random random(1, Stream::user);
  CHECK(draw_resized_crop({.least_area = 1}, 10, 1000, random) == Box{0, 493, 10, 13});
  CHECK(draw_resized_crop({.least_area = 1}, 1000, 10, random) == Box{493, 0, 13, 10});
  CHECK(draw_resized_crop({.least_area = 2, .most_area = 3}, 10, 10, random) == Box{0, 0, 10, 10});
  CHECK_THROWS_AS(draw_resized_crop({.least_area = 0}, 9, 9, random), ArgumentError);
  CHECK_THROWS_AS(draw_resized_crop({.least_ratio = 2}, 9, 9, random), ArgumentError);
}
