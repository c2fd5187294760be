// Contact sheets: where each picture stands, and the way back from numbers to bytes.
#include <doctest/doctest.h>

#include "core/error.h"
#include "data/augment/resize.h"
#include "data/loading/contact_sheet.h"
#include "data/loading/folder_source.h"
#include "tests/data/golden.h"

using namespace basin;
using namespace basin::data;
using basin::test::picture;

TEST_CASE("contact sheet: row by row, each in the middle of its cell") {
  const Image tiny = picture("tiny.png");    // 7x5
  const Image large = picture("photo.png");  // 40x30
  const Image sheet = contact_sheet({tiny, large, large}, {.columns = 2, .gap = 3});
  CHECK(sheet.width == 3 + 40 + 3 + 40 + 3);
  CHECK(sheet.height == 3 + 30 + 3 + 30 + 3);
  CHECK(crop(sheet, {3 + 12, 3 + 16, 5, 7}) == tiny);
  CHECK(crop(sheet, {3, 46, 30, 40}) == large);
  CHECK(crop(sheet, {36, 3, 30, 40}) == large);
  CHECK(crop(sheet, {36, 46, 30, 40}).pixels == std::vector<std::uint8_t>(30 * 40 * 3, 40));
  CHECK(crop(sheet, {0, 0, 3, 89}).pixels == std::vector<std::uint8_t>(3 * 89 * 3, 40));
}

TEST_CASE("contact sheet: enlarged pixels are squares, fewer pictures than columns make one row") {
  const Image tiny = picture("tiny.png");
  const Image sheet = contact_sheet({tiny}, {.columns = 8, .gap = 0, .enlarged = 3});
  REQUIRE(sheet.width == 21);
  REQUIRE(sheet.height == 15);
  for (std::int64_t y = 0; y < 15; ++y) {
    for (std::int64_t x = 0; x < 63; ++x) REQUIRE(sheet.row(y)[x] == tiny.row(y / 3)[x / 9 * 3 + x % 3]);
  }
  CHECK_THROWS_AS(contact_sheet({}), ArgumentError);
  CHECK_THROWS_AS(contact_sheet({tiny}, {.columns = 0}), ArgumentError);
  CHECK_THROWS_AS(contact_sheet({tiny}, {.gap = -1}), ArgumentError);
  CHECK_THROWS_AS(contact_sheet({tiny}, {.enlarged = 10000}), ArgumentError);
}

TEST_CASE("contact sheet: what the network sees comes back as the bytes it was made of") {
  ImageFolder folder{.root = test::picture_path(""), .split = "train", .class_names = {"one"}};
  folder.files = {{"photo.png", 0, 1}, {"odd.jpg", 0, 1}};
  const PictureTransform transform = train_transform(24);
  const FolderSource source(folder, transform, 1);
  const std::vector<Image> seen = pictures_of(source, 3, {1, 0}, transform.mean, transform.deviation);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0] == source.look(3, 1));
  CHECK(seen[1] == source.look(3, 0));
  const float grey[2] = {-1000, 0.5f};
  CHECK(picture_of(grey, {1, 2, 1}, {0.5}, {0.25}).pixels ==
        std::vector<std::uint8_t>{0, 0, 0, 159, 159, 159});
  const float bright[3] = {1000, 0, 0};
  CHECK(picture_of(bright, {1, 1, 3}, {0, 0, 0}, {1, 1, 1}).pixels[0] == 255);
  CHECK_THROWS_AS(picture_of(grey, {1, 1, 2}, {0, 0}, {1, 1}), ArgumentError);
  CHECK_THROWS_AS(picture_of(grey, {1, 2, 1}, {}, {}), ArgumentError);
}
