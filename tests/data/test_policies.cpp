// AutoAugment, RandAugment and colour jitter: torchvision's pictures for each draw, and where the draws come
// from.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "core/error.h"
#include "data/augment/image_ops.h"
#include "data/augment/policies.h"
#include "data/loading/folder_source.h"
#include "tests/data/golden.h"

using namespace basin;
using namespace basin::data;
using basin::test::Golden;
using basin::test::goldens;
using basin::test::picture;

namespace {

constexpr auto kCifar = Policy::Kind::autoaugment_cifar10;
constexpr auto kImageNet = Policy::Kind::autoaugment_imagenet;

// `copies` of the photograph as a set in memory, mean 0 and deviation 1.
Dataset photographs(std::int64_t copies) {
  const Image photo = picture("photo.png");
  Dataset set{.name = "photographs", .split = "train"};
  set.images = Tensor::empty({copies, photo.height, photo.width, 3}, Dtype::u8);
  for (std::int64_t n = 0; n < copies; ++n) {
    std::copy(photo.pixels.begin(), photo.pixels.end(),
              set.images.mutable_data<std::uint8_t>() + n * photo.height * photo.width * 3);
  }
  set.labels.assign(static_cast<std::size_t>(copies), 0);
  set.class_names = {"photograph"};
  set.mean = {0, 0, 0};
  set.deviation = {1 / 255.0, 1 / 255.0, 1 / 255.0};
  return finished(set);
}

Image photo_of(const ExampleSource& source, std::int64_t epoch, std::int64_t index) {
  std::vector<float> numbers(30 * 40 * 3);
  source.write(epoch, index, numbers.data());
  Image image = Image::black(30, 40);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(numbers[i] + 0.5f);
  }
  return image;
}

}  // namespace

TEST_CASE("policies: every pair of AutoAugment, both signs, equals torchvision, as do the probabilities") {
  for (const auto kind : {kCifar, kImageNet}) {
    const std::vector<Golden> all = goldens(kind == kCifar ? "autoaugment-cifar10" : "autoaugment-imagenet");
    CHECK(all.size() == 50);
    for (const Golden& golden : all) {
      const auto& pair = autoaugment_table(kind)[static_cast<std::size_t>(golden.arguments[0])];
      Image image = picture(golden.file);
      for (std::size_t i = 0; i < 2; ++i) {
        CHECK(pair[i].probability == golden.arguments[2 + i]);
        apply(change_at_level(pair[i].operation, pair[i].level, 10, golden.arguments[1] == 0, image.height,
                              image.width),
              image);
      }
      const double number = golden.arguments[0];
      CAPTURE(number);
      CHECK(test::equals(image, golden));
    }
  }
  CHECK_THROWS_AS(autoaugment_table(Policy::Kind::randaugment), ArgumentError);
}

TEST_CASE("policies: every operation of RandAugment at several levels equals torchvision") {
  for (const Golden& golden : goldens("randaugment")) {
    Image image = picture(golden.file);
    const auto operation = static_cast<ImageOperation>(golden.arguments[0]);
    apply(change_at_level(operation, static_cast<int>(golden.arguments[1]), 31, false, image.height,
                          image.width),
          image);
    const double number = golden.arguments[0], level = golden.arguments[1];
    CAPTURE(number);
    CAPTURE(level);
    CHECK(test::equals(image, golden));
  }
}

TEST_CASE("policies: the draws are those that the header gives") {
  for (std::uint64_t index = 0; index < 300; ++index) {
    Random random(4, Stream::user, 0, index);
    Random again(4, Stream::user, 0, index);
    const std::vector<ImageChange> drawn = draw_policy({.kind = kImageNet}, 30, 40, random);
    std::vector<ImageChange> expected;
    for (const PolicyOperation& step : autoaugment_table(kImageNet)[again.below(25)]) {
      const bool done = again.uniform() < step.probability;
      const bool negative = again.bits() >> 31 == 1;
      if (done) expected.push_back(change_at_level(step.operation, step.level, 10, negative, 30, 40));
    }
    CHECK(drawn == expected);
    CHECK(random.bits() == again.bits());  // the same number of draws
  }
}

TEST_CASE("policies: RandAugment draws all fourteen operations and both signs equally often") {
  std::map<ImageOperation, int> seen;
  int negative = 0;
  for (std::uint64_t index = 0; index < 7000; ++index) {
    Random random(4, Stream::user, 0, index);
    const Policy policy{.kind = Policy::Kind::randaugment, .operations = 2, .magnitude = 12};
    const std::vector<ImageChange> changes = draw_policy(policy, 100, 100, random);
    REQUIRE(changes.size() == 2);
    for (const ImageChange& change : changes) {
      ++seen[change.operation];
      negative += change.magnitude < 0 ? 1 : 0;
    }
  }
  CHECK(seen.size() == 14);
  CHECK(seen.count(ImageOperation::invert) == 0);
  for (const auto& entry : seen) CHECK(std::abs(entry.second - 1000) < 130);
  CHECK(std::abs(negative - 4500) < 250);  // nine of the fourteen have a sign
}

TEST_CASE("policies: the scales of the magnitudes") {
  const auto magnitude = [](ImageOperation operation, int level, bool negative = false) {
    return change_at_level(operation, level, 10, negative, 331, 662).magnitude;
  };
  CHECK(magnitude(ImageOperation::shear_x, 9) == 0.3f);
  CHECK(magnitude(ImageOperation::translate_x, 9, true) == -300);
  CHECK(magnitude(ImageOperation::translate_y, 9) == 150);
  CHECK(magnitude(ImageOperation::rotate, 9, true) == -30);
  CHECK(magnitude(ImageOperation::color, 9) == 0.9f);
  CHECK(magnitude(ImageOperation::posterize, 9) == 4);
  CHECK(magnitude(ImageOperation::posterize, 0, true) == 8);
  CHECK(magnitude(ImageOperation::solarize, 0) == 255);
  CHECK(magnitude(ImageOperation::solarize, 9, true) == 0);
}

TEST_CASE("color jitter: order and factors are those that the header gives") {
  const ColorJitter jitter{.brightness = 0.4, .contrast = 1.5, .saturation = 0.3, .hue = 0.2};
  for (std::uint64_t index = 0; index < 40; ++index) {
    Random random(4, Stream::user, 0, index);
    Random again(4, Stream::user, 0, index);
    Image image = picture("photo.png");
    Image expected = image;
    jitter_colors(jitter, image, random);
    std::vector<int> order = {0, 1, 2, 3};
    for (std::size_t place = 4; place > 1; --place) std::swap(order[place - 1], order[again.below(place)]);
    const double b = 0.6 + 0.8 * again.uniform(), c = 2.5 * again.uniform(), s = 0.7 + 0.6 * again.uniform();
    const double h = -0.2 + 0.4 * again.uniform();
    for (const int which : order) {
      if (which == 0) brightness(expected, b);
      if (which == 1) contrast(expected, c);
      if (which == 2) color(expected, s);
      if (which == 3) shift_hue(expected, h);
    }
    std::size_t different = 0;  // a factor may differ in its last bit, a byte then by one
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      different += image.pixels[i] == expected.pixels[i] ? 0 : 1;
    }
    CHECK(different < 20);
  }
  Image image = picture("photo.png");
  Random random(4, Stream::user);
  jitter_colors({}, image, random);
  CHECK(image == picture("photo.png"));
}

TEST_CASE("policies: parameters out of range are refused") {
  CHECK_THROWS_AS(check(Policy{Policy::Kind::randaugment, 0, 9}), UsageError);
  CHECK_THROWS_AS(check(Policy{Policy::Kind::randaugment, 2, 31}), UsageError);
  CHECK_NOTHROW(check(Policy{Policy::Kind::randaugment, 20, 30}));
  CHECK_THROWS_AS(check(ColorJitter{.hue = 0.6}), UsageError);
  CHECK_THROWS_AS(check(ColorJitter{.brightness = -1}), UsageError);
  CHECK_NOTHROW(check(ColorJitter{.brightness = 2, .hue = 0.5}));
}

TEST_CASE("augmentation: policies and jitter as terms of the list") {
  const auto printed = [](const std::string& list) {
    std::ostringstream out;
    out << parse_augmentation(list);
    return out.str();
  };
  CHECK(parse_augmentation("autoaugment").policy.kind == kCifar);
  CHECK(printed("autoaugment=cifar10,basic") == "autoaugment,crop=4,flip");
  CHECK(parse_augmentation("randaugment").policy == Policy{Policy::Kind::randaugment, 2, 9});
  for (const char* list : {"autoaugment=imagenet,flip", "randaugment=3:15", "jitter=0.4:0.4:0.4:0.1",
                           "randaugment=1:0,jitter=0.1:0:0:0,crop=4,reflect,flip,cutout=16"}) {
    CHECK(printed(list) == list);
  }
  for (const char* bad : {"autoaugment=", "autoaugment=svhn", "randaugment=2", "randaugment=2:31",
                          "randaugment=0:3", "randaugment=2:9:1", "randaugment=2.5:9", "jitter=1",
                          "jitter=1:1:1:0.6", "jitter=nan:0:0:0", "jitter=1:1:1:", "jitter=-1:0:0:0"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_augmentation(bad), UsageError);
  }
}

TEST_CASE("augmentation: a set in memory gets the policy first and its crops stay where they were") {
  const Dataset set = photographs(12);
  const DatasetSource plain(set, parse_augmentation("flip"), 3);
  const DatasetSource changed(set, parse_augmentation("flip,autoaugment,jitter=0.2:0.2:0.2:0.1"), 3);
  int different = 0;
  for (std::int64_t index = 0; index < 12; ++index) {
    Image expected = picture("photo.png");
    augment_colors({.kind = kCifar}, {0.2, 0.2, 0.2, 0.1}, 3, 5, static_cast<std::uint64_t>(index), expected);
    const bool flipped = photo_of(plain, 5, index) != picture("photo.png");
    if (flipped) flip(expected);
    CHECK(photo_of(changed, 5, index) == expected);
    different += photo_of(changed, 5, index) != photo_of(changed, 6, index) ? 1 : 0;
  }
  CHECK(different >= 10);
  Dataset grey{.name = "grey", .split = "train"};
  grey.images = Tensor::zeros({1, 4, 4, 1}, Dtype::u8);
  grey.labels = {0};
  grey.class_names = {"one"};
  grey.mean = {0};
  grey.deviation = {1};
  CHECK_THROWS_AS(DatasetSource(finished(grey), parse_augmentation("autoaugment"), 0), UsageError);
}

TEST_CASE("folder source: policy and jitter come after crop and flip") {
  ImageFolder folder{.root = test::picture_path(""), .split = "train", .class_names = {"one"}};
  folder.files = {{"photo.png", 0, 1}, {"odd.jpg", 0, 1}};
  PictureTransform transform = train_transform(20);
  const FolderSource plain(folder, transform, 3);
  transform.policy = {.kind = Policy::Kind::randaugment};
  transform.jitter = {.hue = 0.3};
  const FolderSource changed(folder, transform, 3);
  for (std::int64_t epoch = 0; epoch < 8; ++epoch) {
    Image expected = plain.look(epoch, 1);
    augment_colors(transform.policy, transform.jitter, 3, static_cast<std::uint64_t>(epoch), 1, expected);
    CHECK(changed.look(epoch, 1) == expected);
  }
}
