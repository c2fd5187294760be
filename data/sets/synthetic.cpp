#include "data/sets/synthetic.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/random.h"

namespace basin::data {
namespace {

void expect_range(const char* what, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low || value > high) {
    throw UsageError("synthetic: ", what, " must be from ", low, " to ", high, ", got ", value);
  }
}

// A stripe profile from -256 to 256 with period 65536 in `phase`.
std::int64_t triangle_wave(std::int64_t phase) { return std::abs((phase & 65535) - 32768) / 64 - 256; }

// Draws one image of class k into `out`. Lengths are in 1/256 pixel, phases in 1/65536 turn.
void draw(const SyntheticOptions& options, std::int64_t k, Random& random, std::uint8_t* out) {
  const auto between = [&random](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  const std::int64_t orientations = (options.classes + 1) / 2;
  const std::int64_t jitter = between(-350, 350);  // of the distance between two orientations, in 1/1000
  const double angle = std::numbers::pi *
                       (static_cast<double>(k % orientations) + static_cast<double>(jitter) / 1000) /
                       static_cast<double>(orientations);
  const double period = (k < orientations ? 5.0 : 9.0) * static_cast<double>(between(850, 1150)) / 1000;
  // Rounded to integers here, so that the last bits of the C library's sine do not matter.
  const std::int64_t step_x = std::lround(65536 / period * std::cos(angle));
  const std::int64_t step_y = std::lround(65536 / period * std::sin(angle));
  const std::int64_t phase = between(0, 65535);

  const std::int64_t side = options.size;
  const std::int64_t centre_x = between(side / 4, side - 1 - side / 4);
  const std::int64_t centre_y = between(side / 4, side - 1 - side / 4);
  const std::int64_t reach_square =
      std::max<std::int64_t>(side * side * between(16, 30) / 100, 1);  // 0.4 to 0.55 sides

  std::vector<std::int64_t> contrast;  // in grey levels, of random sign
  std::vector<std::int64_t> base;
  for (std::int64_t c = 0; c < options.channels; ++c) {
    contrast.push_back(between(25, 75) * (2 * between(0, 1) - 1));
    base.push_back(between(98, 158));
  }
  const std::int64_t noise = options.noise;
  for (std::int64_t y = 0; y < side; ++y) {
    for (std::int64_t x = 0; x < side; ++x) {
      const std::int64_t dx = x - centre_x;
      const std::int64_t dy = y - centre_y;
      const std::int64_t fade = std::max<std::int64_t>(256 - 256 * (dx * dx + dy * dy) / reach_square, 0);
      const std::int64_t stripe =
          triangle_wave(phase + step_x * x + step_y * y) * fade;  // 65536 is full contrast
      for (std::size_t c = 0; c < contrast.size(); ++c) {
        // Four uniform bytes make a bell of mean 510 and deviation 147.8.
        const std::uint32_t bits = random.bits();
        const std::int64_t bell =
            static_cast<std::int64_t>((bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24)) -
            510;
        const std::int64_t value = base[c] + contrast[c] * stripe / 65536 + bell * noise / 400;
        *out++ = static_cast<std::uint8_t>(std::clamp<std::int64_t>(value, 0, 255));
      }
    }
  }
}

}  // namespace

Dataset synthetic(const SyntheticOptions& options, std::uint64_t seed, bool train) {
  expect_range("classes", options.classes, 2, 1000);
  expect_range("size", options.size, 8, 512);
  expect_range("channels", options.channels, 1, 16);
  expect_range("number of training images", options.train, 1, 1'000'000'000);
  expect_range("number of test images", options.test, 1, 1'000'000'000);
  expect_range("noise", options.noise, 0, 400);

  Dataset set{.name = "synthetic", .split = train ? "train" : "test"};
  const std::int64_t count = train ? options.train : options.test;
  set.images = Tensor::empty({count, options.size, options.size, options.channels}, Dtype::u8);
  std::uint8_t* out = set.images.mutable_data<std::uint8_t>();
  const std::int64_t image_bytes = options.size * options.size * options.channels;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t k = i % options.classes;
    Random random(seed, Stream::synthetic, train ? 0 : 1, static_cast<std::uint64_t>(i));
    draw(options, k, random, out + i * image_bytes);
    set.labels.push_back(k);
  }
  for (std::int64_t k = 0; k < options.classes; ++k) set.class_names.push_back("class " + std::to_string(k));
  set.mean.assign(static_cast<std::size_t>(options.channels), 0.5);
  set.deviation.assign(static_cast<std::size_t>(options.channels), 0.17);
  return finished(std::move(set));
}

}  // namespace basin::data
