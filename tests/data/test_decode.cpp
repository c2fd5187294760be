// Decoding: every kind of JPEG and PNG becomes the RGB that Pillow makes of it, and what is written is read.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "data/formats/jpeg.h"
#include "data/formats/png.h"
#include "tests/data/golden.h"

using namespace basin;
using namespace basin::data;
using basin::test::Golden;
using basin::test::goldens;
using basin::test::picture;
using basin::test::picture_bytes;

TEST_CASE("decode: each kind of JPEG and PNG gives Pillow's pixels") {
  const std::vector<Golden> all = goldens("decode");
  for (const char* kind :
       {"photo.jpg", "odd.jpg", "full.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg", "rotated.jpg",
        "photo.png", "grey.png", "bits.png", "palette.png", "palette4.png", "palette-transparent.png",
        "alpha.png", "grey-alpha.png", "deep.png", "deep-grey.png", "interlaced.png", "profile.png"}) {
    CHECK(std::any_of(all.begin(), all.end(), [&](const Golden& golden) { return golden.file == kind; }));
  }
  for (const Golden& golden : all) {
    CAPTURE(golden.file);
    CHECK(test::equals(picture(golden.file), golden));
  }
}

TEST_CASE("decode: equal pictures in different clothes have equal pixels") {
  const Image odd = picture("interlaced.png");
  CHECK(odd.height == 29);
  CHECK(odd.width == 41);
  CHECK(picture("profile.png") == odd);
  CHECK(picture("alpha.png") == odd);                   // the colour below the transparency
  CHECK(picture("rotated.jpg") == picture("odd.jpg"));  // the rotation is not followed
}

TEST_CASE("decode: the content decides, not the name") {
  CHECK(decode_image(picture_bytes("photo.png"), "photo.jpg") == picture("photo.png"));
  CHECK(decode_image(picture_bytes("photo.jpg"), "photo.png") == picture("photo.jpg"));
}

TEST_CASE("decode: what follows the end of a picture is ignored") {
  for (const char* name : {"tiny.png", "tiny.jpg"}) {
    CHECK(decode_image(picture_bytes(name) + std::string(1000, 'x'), name) == picture(name));
  }
}

TEST_CASE("decode: the limit is on pixels and names the size") {
  CHECK_NOTHROW(decode_image(picture_bytes("tiny.png"), "a", 35));
  CHECK_NOTHROW(decode_image(picture_bytes("tiny.jpg"), "a", 35));
  CHECK_THROWS_WITH_AS(decode_image(picture_bytes("tiny.png"), "a.png", 34),
                       "a.png: PNG of 7x5 pixels; at most 34 are read", DataError);
  CHECK_THROWS_WITH_AS(decode_image(picture_bytes("tiny.jpg"), "a.jpg", 34),
                       "a.jpg: JPEG of 7x5 pixels; at most 34 are read", DataError);
}

TEST_CASE("png: what is written is read back, and the same pixels give the same bytes") {
  for (const char* name : {"photo.png", "tiny.png", "grey.jpg"}) {
    const Image image = picture(name);
    const std::string bytes = encode_png(image);
    CHECK(decode_png(bytes, name, kMostPixels).image == image);
    CHECK(encode_png(image) == bytes);
  }
  const std::string path =
      (std::filesystem::temp_directory_path() / ("basin-test-" + std::to_string(::getpid()) + ".png"))
          .string();
  write_png(path, picture("photo.png"));
  CHECK(test::picture_at(path) == picture("photo.png"));
  std::filesystem::remove(path);
  CHECK_THROWS_AS(encode_png(Image{}), ArgumentError);
  CHECK_THROWS_AS(write_png("/nowhere/at/all.png", picture("tiny.png")), OutputError);
}
