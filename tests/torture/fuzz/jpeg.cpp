// Pictures by libjpeg-turbo.
#include "data/formats/jpeg.h"

#include "tests/torture/fuzz/target.h"

void basin::fuzz::read(std::string_view bytes) {
  constexpr std::int64_t kMostPixels = 1 << 20;
  const data::Image image = data::decode_jpeg(bytes, "fuzz.jpeg", kMostPixels).image;
  expect(image.height * image.width <= kMostPixels &&
             static_cast<std::int64_t>(image.pixels.size()) == image.height * image.width * 3,
         "a picture has the pixels of its size, and no more than asked for");
}
