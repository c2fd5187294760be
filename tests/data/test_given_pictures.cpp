// Pictures of anywhere as examples: the bits of an evaluated folder, brightness, and what cannot be read.
#include "data/loading/given_pictures.h"

#include <doctest/doctest.h>

#include <fstream>

#include "core/io/files.h"
#include "data/formats/png.h"
#include "data/loading/folder_source.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::data;
using test::TemporaryDirectory;

namespace {

Image gradient(std::int64_t height, std::int64_t width) {
  Image image = Image::black(height, width);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>((i * 37) % 256);
  return image;
}

std::vector<float> written(const ExampleSource& source, std::int64_t index) {
  std::vector<float> numbers(static_cast<std::size_t>(source.image_shape().elements()));
  source.write(0, index, numbers.data());
  return numbers;
}

}  // namespace

TEST_CASE("given pictures: three channels are what an evaluated folder gives, bit for bit") {
  TemporaryDirectory dir;
  write_png(dir / "wide.png", gradient(20, 41));
  const PictureTransform evaluated = eval_transform(16);
  const FolderSource folder({.root = dir.path(), .files = {{.path = "wide.png"}}}, evaluated, 0);
  const GivenPictures given(
      {{.path = dir / "wide.png", .label = 2}, {.path = "stdin", .bytes = read_file(dir / "wide.png")}},
      {.size = 16,
       .resize = folder.shorter_side(),
       .mean = evaluated.mean,
       .deviation = evaluated.deviation});
  CHECK(folder.shorter_side() == 18);
  CHECK(given.image_shape() == Shape{16, 16, 3});
  CHECK(written(given, 0) == written(folder, 0));
  CHECK(written(given, 1) == written(folder, 0));
  std::vector<float> room(16 * 16 * 3);
  CHECK(given.write(0, 0, room.data()) == 2);
  CHECK(given.write(0, 1, room.data()) == 0);
  CHECK(given.labels() == std::vector<std::int64_t>{2, -1});
  CHECK(given.name(1) == "stdin");
  CHECK(given.error_of(0).empty());
}

TEST_CASE("given pictures: one channel is Pillow's brightness") {
  const auto of = [](std::uint8_t r, std::uint8_t g, std::uint8_t b) {
    const std::uint8_t rgb[] = {r, g, b};
    return static_cast<int>(brightness(rgb));
  };
  CHECK(of(255, 0, 0) == 76);
  CHECK(of(0, 255, 0) == 150);
  CHECK(of(0, 0, 255) == 29);
  CHECK(of(255, 255, 255) == 255);
  CHECK(of(12, 200, 77) == 130);
  TemporaryDirectory dir;
  Image red = Image::black(4, 4);
  for (std::size_t i = 0; i < red.pixels.size(); i += 3) red.pixels[i] = 255;
  write_png(dir / "red.png", red);
  const GivenPictures given({{.path = dir / "red.png"}},
                            {.size = 4, .resize = 4, .mean = {0.5}, .deviation = {0.25}});
  CHECK(given.image_shape() == Shape{4, 4, 1});
  for (const float x : written(given, 0)) CHECK(x == static_cast<float>((76 / 255.0 - 0.5) / 0.25));
}

TEST_CASE("given pictures: what cannot be read is black and says why, the others stay") {
  TemporaryDirectory dir;
  write_png(dir / "good.png", gradient(4, 4));
  std::ofstream(dir / "bad.jpg") << "no picture";
  const EvaluatedLook look{.size = 4, .resize = 4, .mean = {0, 0, 0}, .deviation = {1, 1, 1}};
  const GivenPictures given(
      {{.path = dir / "bad.jpg"}, {.path = dir / "good.png"}, {.path = dir / "gone.png"}}, look);
  CHECK(written(given, 0) == std::vector<float>(48, 0));
  CHECK(written(given, 2) == std::vector<float>(48, 0));
  CHECK(written(given, 1)[1] == 37 / 255.0F);
  CHECK(given.error_of(0).find("bad.jpg") != std::string::npos);
  CHECK(given.error_of(1).empty());
  CHECK(given.error_of(2).find("No such file") != std::string::npos);
  CHECK_THROWS_AS(GivenPictures({}, {.mean = {0, 0}, .deviation = {1, 1}}), ArgumentError);
}
