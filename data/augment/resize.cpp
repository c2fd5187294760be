#include "data/augment/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "data/augment/elementary.h"

namespace basin::data {
namespace {

constexpr int kWeightBits = 22;

double triangle(double x) {
  x = std::abs(x);
  return x < 1 ? 1 - x : 0;
}

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/// A resampling with its weights in units of 2^-22, as Pillow rounds them.
struct Weights {
  std::vector<Resampling::Taps> taps;
  std::vector<std::int32_t> values;
};

Weights weights_of(std::int64_t from, std::int64_t to, Interpolation interpolation) {
  Resampling exact = resampling(from, to, interpolation);
  Weights weights{std::move(exact.taps), {}};
  weights.values.reserve(exact.weights.size());
  for (const double value : exact.weights)
    weights.values.push_back(
        static_cast<std::int32_t>((value < 0 ? -0.5 : 0.5) + value * (1 << kWeightBits)));
  return weights;
}

std::uint8_t rounded(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

Image resize_rows(const Image& image, std::int64_t width, Interpolation interpolation) {
  const Weights weights = weights_of(image.width, width, interpolation);
  Image out = Image::black(image.height, width);
  for (std::int64_t y = 0; y < image.height; ++y) {
    std::uint8_t* to = out.row(y);
    for (const Resampling::Taps& taps : weights.taps) {
      const std::uint8_t* from = image.row(y) + 3 * taps.begin;
      const std::int32_t* weight = weights.values.data() + taps.first;
      std::int32_t red = kHalf, green = kHalf, blue = kHalf;
      for (std::int64_t i = 0; i < taps.count; ++i, from += 3) {
        red += weight[i] * from[0];
        green += weight[i] * from[1];
        blue += weight[i] * from[2];
      }
      *to++ = rounded(red);
      *to++ = rounded(green);
      *to++ = rounded(blue);
    }
  }
  return out;
}

Image resize_columns(const Image& image, std::int64_t height, Interpolation interpolation) {
  const Weights weights = weights_of(image.height, height, interpolation);
  Image out = Image::black(height, image.width);
  const auto bytes = static_cast<std::size_t>(3 * image.width);
  std::vector<std::int32_t> sums(bytes);
  for (std::int64_t y = 0; y < height; ++y) {
    const Resampling::Taps& taps = weights.taps[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), kHalf);
    for (std::int64_t i = 0; i < taps.count; ++i) {
      const std::uint8_t* from = image.row(taps.begin + i);
      const std::int32_t weight = weights.values[taps.first + static_cast<std::size_t>(i)];
      for (std::size_t x = 0; x < bytes; ++x) sums[x] += weight * from[x];
    }
    std::transform(sums.begin(), sums.end(), out.row(y), rounded);
  }
  return out;
}

std::int64_t half_to_even(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }

}  // namespace

Resampling resampling(std::int64_t from, std::int64_t to, Interpolation interpolation) {
  const auto filter = interpolation == Interpolation::bilinear ? triangle : cubic;
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(scale, 1.0);
  const double support = (interpolation == Interpolation::bilinear ? 1.0 : 2.0) * stretch;
  Resampling all;
  for (std::int64_t place = 0; place < to; ++place) {
    const double center = (static_cast<double>(place) + 0.5) * scale;
    const std::int64_t begin = std::max<std::int64_t>(static_cast<std::int64_t>(center - support + 0.5), 0);
    const std::int64_t end = std::min(static_cast<std::int64_t>(center + support + 0.5), from);
    const std::size_t first = all.weights.size();
    double sum = 0;
    for (std::int64_t i = 0; i < end - begin; ++i) {
      all.weights.push_back(filter((static_cast<double>(i + begin) - center + 0.5) * (1.0 / stretch)));
      sum += all.weights.back();
    }
    all.taps.push_back({begin, end - begin, first});
    if (sum == 0) continue;
    for (std::size_t k = first; k < all.weights.size(); ++k) all.weights[k] /= sum;
  }
  return all;
}

Image resize(const Image& image, std::int64_t height, std::int64_t width, Interpolation interpolation) {
  if (image.height < 1 || image.width < 1 || height < 1 || width < 1) {
    throw ArgumentError("[resize] cannot make ", width, 'x', height, " pixels of ", image.width, 'x',
                        image.height);
  }
  if (image.width == width && image.height == height) return image;
  if (image.width == width) return resize_columns(image, height, interpolation);
  Image rows = resize_rows(image, width, interpolation);
  return image.height == height ? rows : resize_columns(rows, height, interpolation);
}

Image resize_shorter_side(const Image& image, std::int64_t size, Interpolation interpolation) {
  const std::int64_t shorter = std::max<std::int64_t>(std::min(image.height, image.width), 1);
  const auto longer = [&](std::int64_t side) {
    return static_cast<std::int64_t>(static_cast<double>(size * side) / static_cast<double>(shorter));
  };
  return image.width <= image.height ? resize(image, longer(image.height), size, interpolation)
                                     : resize(image, size, longer(image.width), interpolation);
}

Image crop(const Image& image, const Box& box) {
  if (box.height < 0 || box.width < 0) {
    throw ArgumentError("[crop] size ", box.width, 'x', box.height, " is negative");
  }
  Image out = Image::black(box.height, box.width);
  const std::int64_t left = std::max<std::int64_t>(box.left, 0);
  const std::int64_t right = std::min(box.left + box.width, image.width);
  if (left >= right) return out;
  for (std::int64_t y = std::max<std::int64_t>(box.top, 0); y < std::min(box.top + box.height, image.height);
       ++y) {
    std::memcpy(out.row(y - box.top) + 3 * (left - box.left), image.row(y) + 3 * left,
                static_cast<std::size_t>(3 * (right - left)));
  }
  return out;
}

Image center_crop(const Image& image, std::int64_t height, std::int64_t width) {
  const auto start = [](std::int64_t extent, std::int64_t wanted) {
    if (wanted > extent) return -((wanted - extent) / 2);
    return half_to_even(static_cast<double>(extent - wanted) / 2);
  };
  return crop(image, {start(image.height, height), start(image.width, width), height, width});
}

void flip(Image& image) {
  for (std::int64_t y = 0; y < image.height; ++y) {
    std::uint8_t* left = image.row(y);
    std::uint8_t* right = left + 3 * (image.width - 1);
    for (; left < right; left += 3, right -= 3) std::swap_ranges(left, left + 3, right);
  }
}

Box draw_resized_crop(const ResizedCrop& options, std::int64_t height, std::int64_t width, Random& random) {
  if (!(options.least_area > 0 && options.least_area <= options.most_area && options.least_ratio > 0 &&
        options.least_ratio <= options.most_ratio)) {
    throw ArgumentError("[crop] a random resized crop needs 0 < area ", options.least_area, " to ",
                        options.most_area, " and 0 < ratio ", options.least_ratio, " to ",
                        options.most_ratio);
  }
  const auto between = [&random](double low, double high) { return low + (high - low) * random.uniform(); };
  const auto up_to = [&random](std::int64_t most) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(most + 1)));
  };
  const double least = logarithm(options.least_ratio);
  const double most = logarithm(options.most_ratio);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = static_cast<double>(height * width) * between(options.least_area, options.most_area);
    const double ratio = exponential(between(least, most));
    Box box{.height = half_to_even(std::sqrt(area / ratio)), .width = half_to_even(std::sqrt(area * ratio))};
    if (box.height < 1 || box.height > height || box.width < 1 || box.width > width) continue;
    box.top = up_to(height - box.height);
    box.left = up_to(width - box.width);
    return box;
  }
  Box box{.height = height, .width = width};
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  if (ratio < options.least_ratio) {
    box.height = std::min(half_to_even(static_cast<double>(width) / options.least_ratio), height);
  } else if (ratio > options.most_ratio) {
    box.width = std::min(half_to_even(static_cast<double>(height) * options.most_ratio), width);
  }
  box.top = (height - box.height) / 2;
  box.left = (width - box.width) / 2;
  return box;
}

}  // namespace basin::data
