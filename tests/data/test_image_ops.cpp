// Operations on pictures: Pillow's and torchvision's pixels for each.
#include <doctest/doctest.h>

#include <cstdlib>
#include <functional>
#include <map>

#include "core/error.h"
#include "data/augment/image_ops.h"
#include "tests/data/golden.h"

using namespace basin;
using namespace basin::data;
using basin::test::Golden;
using basin::test::goldens;
using basin::test::picture;

TEST_CASE("image ops: every operation equals Pillow's and torchvision's bit for bit") {
  using Change = std::function<void(Image&, double)>;
  const std::map<std::string, Change> operations = {
      {"Invert", [](Image& image, double) { invert(image); }},
      {"AutoContrast", [](Image& image, double) { autocontrast(image); }},
      {"Equalize", [](Image& image, double) { equalize(image); }},
      {"Posterize", [](Image& image, double bits) { posterize(image, static_cast<int>(bits)); }},
      {"Solarize", solarize},
      {"Brightness", [](Image& image, double change) { brightness(image, 1 + change); }},
      {"Color", [](Image& image, double change) { color(image, 1 + change); }},
      {"Contrast", [](Image& image, double change) { contrast(image, 1 + change); }},
      {"Sharpness", [](Image& image, double change) { sharpness(image, 1 + change); }},
      {"ShearX", shear_x},
      {"ShearY", shear_y},
      {"TranslateX",
       [](Image& image, double shift) { translate(image, static_cast<std::int64_t>(shift), 0); }},
      {"TranslateY",
       [](Image& image, double shift) { translate(image, 0, static_cast<std::int64_t>(shift)); }},
      {"Rotate", rotate},
      {"Hue", shift_hue},
  };
  for (const auto& operation : operations) {
    const std::vector<Golden> all = goldens(operation.first);
    CHECK(all.size() >= 5);
    for (const Golden& golden : all) {
      Image image = picture(golden.file);
      const double argument = golden.arguments.empty() ? 0 : golden.arguments[0];
      operation.second(image, argument);
      const std::string name = golden.operation + " " + golden.file + " " + std::to_string(argument);
      CAPTURE(name);
      CHECK(test::equals(image, golden));
    }
  }
}

TEST_CASE("image ops: arguments out of range are refused") {
  Image image = picture("tiny.png");
  CHECK_THROWS_AS(posterize(image, 9), ArgumentError);
  CHECK_THROWS_AS(posterize(image, -1), ArgumentError);
  CHECK_THROWS_AS(shift_hue(image, 0.51), ArgumentError);
}
