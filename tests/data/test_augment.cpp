// Augmentation: the list of terms, what each does to the pixels, and whom the draws depend on.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "data/loading/source.h"

using namespace basin;
using namespace basin::data;

namespace {

// One image of the given pixels, mean 0, deviation 1/255, so that a pixel's number comes back as itself.
Dataset one_image(const std::vector<std::uint8_t>& pixels, std::int64_t height, std::int64_t width,
                  std::int64_t channels, std::int64_t copies = 1) {
  Dataset set;
  set.images = Tensor::empty({copies, height, width, channels}, Dtype::u8);
  for (std::int64_t n = 0; n < copies; ++n) {
    std::copy(pixels.begin(), pixels.end(),
              set.images.mutable_data<std::uint8_t>() + n * height * width * channels);
    set.labels.push_back(n % 2);
  }
  set.class_names = {"even", "odd"};
  set.mean.assign(static_cast<std::size_t>(channels), 0);
  set.deviation.assign(static_cast<std::size_t>(channels), 1 / 255.0);
  return finished(set);
}

std::vector<float> image_of(const ExampleSource& source, std::int64_t epoch, std::int64_t index) {
  std::vector<float> image(static_cast<std::size_t>(source.image_shape().elements()));
  source.write(epoch, index, image.data());
  return image;
}

std::string printed(const Augmentation& augmentation) {
  std::ostringstream out;
  out << augmentation;
  return out.str();
}

}  // namespace

TEST_CASE("augmentation: the list of terms") {
  CHECK(parse_augmentation("none") == Augmentation{});
  CHECK(parse_augmentation("basic") == Augmentation{.crop = 4, .flip = true});
  CHECK(parse_augmentation("cutout") == Augmentation{.crop = 4, .flip = true, .cutout = 16});
  CHECK(parse_augmentation("basic,reflect,cutout=8") ==
        Augmentation{.crop = 4, .padding = Augmentation::Padding::reflect, .flip = true, .cutout = 8});
  CHECK(parse_augmentation("crop=2") == Augmentation{.crop = 2});
  CHECK(parse_augmentation("mixup=0.2,batch-cutout=8") == Augmentation{.mix = {.mixup = 0.2, .cutout = 8}});
  CHECK(parse_augmentation("basic,crop=2") == Augmentation{.crop = 2, .flip = true});
  CHECK(parse_augmentation("cutout,cutout=8") == Augmentation{.crop = 4, .flip = true, .cutout = 8});
  CHECK(parse_augmentation("basic,cutout") == parse_augmentation("cutout"));
  CHECK(parse_augmentation("flip,basic") == parse_augmentation("basic"));
  for (const char* list : {"none", "crop=4,flip", "crop=4,flip,cutout=16", "crop=3,reflect,flip,cutout=7",
                           "flip", "flip,batch-cutout=9,mixup=0.2", "cutmix=1.5"}) {
    CHECK(printed(parse_augmentation(list)) == list);
  }
  for (const char* bad :
       {"", "basics", "basic,", "crop", "crop=", "crop=-1", "crop=4x", "cutout=99999999999", "flip=1",
        " flip", "mixup", "mixup=0", "mixup=1:2", "cutmix=x", "mixup=1,cutmix=1", "batch-cutout",
        // what says nothing, or unsays what was said
        "crop=0", "cutout=0", "batch-cutout=0", "jitter=0:0:0:0", "none,flip", "flip,none", "flip,flip",
        "crop=2,crop=3", "autoaugment,randaugment", "mixup=1,mixup=2", "crop=2,basic", "cutout=8,cutout",
        "reflect", "flip,reflect"}) {
    CHECK_THROWS_AS(parse_augmentation(bad), UsageError);
  }
  CHECK_THROWS_WITH_AS(parse_augmentation("crop=x"),
                       "augmentation 'crop=x': expected crop=N with N from 1 to 4096", UsageError);
}

TEST_CASE("augmentation: an error shows the beginning of a long term") {
  try {
    parse_augmentation("basic," + std::string(100'000, 'x'));
    FAIL("no such term");
  } catch (const UsageError& error) {
    CHECK(std::string(error.what()).size() < 400);
  }
}

TEST_CASE("augmentation: none is (pixel / 255 - mean) / deviation, rounded once") {
  Dataset set = one_image({0, 1, 2, 128, 254, 255}, 1, 2, 3);
  set.mean = {0.4914, 0.4822, 0.4465};
  set.deviation = {0.2470, 0.2435, 0.2616};
  const DatasetSource source(set, {}, 0);
  CHECK(source.size() == 1);
  CHECK(source.image_shape() == Shape{1, 2, 3});
  const std::vector<float> image = image_of(source, 0, 0);
  const std::uint8_t* pixels = set.images.data<std::uint8_t>();
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(image[i] == static_cast<float>((pixels[i] / 255.0 - set.mean[i % 3]) / set.deviation[i % 3]));
  }
  float unused[6];
  CHECK_THROWS_AS(source.write(0, 1, unused), ArgumentError);
  CHECK_THROWS_AS(source.write(0, -1, unused), ArgumentError);
}

TEST_CASE("augmentation: crop, flip and cutout do to the pixels what the draw says") {
  const std::int64_t height = 6;
  const std::int64_t width = 5;
  for (const std::int64_t channels : {1, 2, 3, 4}) {
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(height * width * channels));
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i + 1);
    const Dataset set = one_image(pixels, height, width, channels, 40);
    for (const char* list : {"crop=3,flip,cutout=3", "crop=3,reflect,flip", "flip", "cutout=4", "crop=9"}) {
      const Augmentation augmentation = parse_augmentation(list);
      const DatasetSource source(set, augmentation, 77);
      for (std::int64_t index = 0; index < 40; ++index) {
        const Draw draw =
            draw_augmentation(augmentation, height, width, 77, 5, static_cast<std::uint64_t>(index));
        const std::vector<float> image = image_of(source, 5, index);
        for (std::int64_t y = 0; y < height; ++y) {
          for (std::int64_t x = 0; x < width; ++x) {
            std::int64_t from_y = y + draw.down;
            std::int64_t from_x = (draw.flipped ? width - 1 - x : x) + draw.right;
            if (augmentation.padding == Augmentation::Padding::reflect) {
              if (from_y < 0) from_y = -from_y;
              if (from_y >= height) from_y = 2 * height - 2 - from_y;
              if (from_x < 0) from_x = -from_x;
              if (from_x >= width) from_x = 2 * width - 2 - from_x;
            }
            const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
            const bool cut =
                y >= draw.box_top && y < draw.box_bottom && x >= draw.box_left && x < draw.box_right;
            for (std::int64_t c = 0; c < channels; ++c) {
              const float expected =
                  cut || !inside
                      ? 0.0f
                      : static_cast<float>(
                            pixels[static_cast<std::size_t>((from_y * width + from_x) * channels + c)]);
              REQUIRE(image[static_cast<std::size_t>((y * width + x) * channels + c)] ==
                      doctest::Approx(expected));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("augmentation: a border is black before normalisation, a cutout is 0 after it") {
  Dataset set = one_image(std::vector<std::uint8_t>(16, 255), 4, 4, 1);
  set.mean = {0.5};
  set.deviation = {0.25};
  std::set<float> seen;
  const DatasetSource cropped(set, {.crop = 2}, 1);
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    for (const float value : image_of(cropped, epoch, 0)) seen.insert(value);
  }
  CHECK(seen == std::set<float>{-2, 2});
  seen.clear();
  const DatasetSource cut(set, {.cutout = 2}, 1);
  for (const float value : image_of(cut, 0, 0)) seen.insert(value);
  CHECK(seen == std::set<float>{0, 2});
}

TEST_CASE("augmentation: the draws are at the address that the header gives") {
  const Augmentation augmentation{.crop = 4, .flip = true, .cutout = 16};
  for (std::uint64_t index = 0; index < 50; ++index) {
    Random random(9, Stream::augment, 3, index);
    const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random.below(n)); };
    const Draw draw = draw_augmentation(augmentation, 32, 28, 9, 3, index);
    CHECK(draw.down == below(9) - 4);
    CHECK(draw.right == below(9) - 4);
    CHECK(draw.flipped == (random.bits() >> 31 == 1));
    const std::int64_t top = below(32) - 8;
    const std::int64_t left = below(28) - 8;
    CHECK(draw.box_top == std::max<std::int64_t>(top, 0));
    CHECK(draw.box_bottom == std::min<std::int64_t>(top + 16, 32));
    CHECK(draw.box_left == std::max<std::int64_t>(left, 0));
    CHECK(draw.box_right == std::min<std::int64_t>(left + 16, 28));
  }
}

TEST_CASE("augmentation: every shift equally often, half of the images flipped") {
  std::map<std::int64_t, int> down;
  std::map<std::int64_t, int> right;
  int flipped = 0;
  int whole_boxes = 0;
  const int samples = 9000;
  for (int index = 0; index < samples; ++index) {
    const Draw draw = draw_augmentation({.crop = 4, .flip = true, .cutout = 16}, 32, 32, 1, 0,
                                        static_cast<std::uint64_t>(index));
    ++down[draw.down];
    ++right[draw.right];
    flipped += draw.flipped ? 1 : 0;
    whole_boxes += draw.box_bottom - draw.box_top == 16 ? 1 : 0;
  }
  CHECK(down.size() == 9);
  CHECK(down.begin()->first == -4);
  for (const auto& [shift, count] : down) CHECK(std::abs(count - 1000) < 110);
  for (const auto& [shift, count] : right) CHECK(std::abs(count - 1000) < 110);
  CHECK(std::abs(flipped - 4500) < 170);
  CHECK(std::abs(whole_boxes - samples * 17 / 32) < 170);  // centres 8..24 of 0..31
}

TEST_CASE("augmentation: another epoch, index or seed looks different, the same address the same") {
  std::vector<std::uint8_t> pixels(32 * 32);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 31 % 251);
  const Dataset set = one_image(pixels, 32, 32, 1, 3);
  const Augmentation augmentation = parse_augmentation("cutout");
  const DatasetSource source(set, augmentation, 1);
  const DatasetSource other(set, augmentation, 2);
  const std::vector<float> image = image_of(source, 4, 1);
  CHECK(image == image_of(source, 4, 1));
  CHECK(image != image_of(source, 5, 1));
  CHECK(image != image_of(source, 4, 2));
  CHECK(image != image_of(other, 4, 1));
}

TEST_CASE("augmentation: a reflected border must be smaller than the image") {
  const Dataset set = one_image(std::vector<std::uint8_t>(12, 1), 4, 3, 1);
  CHECK_NOTHROW(DatasetSource(set, parse_augmentation("crop=2,reflect"), 0));
  CHECK_THROWS_AS(DatasetSource(set, parse_augmentation("crop=3,reflect"), 0), UsageError);
}
