#include "data/loading/contact_sheet.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "data/formats/decode.h"

namespace basin::data {
namespace {

constexpr std::uint8_t kBackground = 40;

}  // namespace

Image contact_sheet(const std::vector<Image>& pictures, const ContactSheet& options) {
  if (pictures.empty()) throw ArgumentError("[contact sheet] no pictures");
  if (options.columns < 1 || options.gap < 0 || options.enlarged < 1) {
    throw ArgumentError("[contact sheet] expects columns and enlarged at least 1, gap at least 0; got ",
                        options.columns, ", ", options.enlarged, ", ", options.gap);
  }
  std::int64_t cell_height = 1;
  std::int64_t cell_width = 1;
  for (const Image& picture : pictures) {
    cell_height = std::max(cell_height, picture.height * options.enlarged);
    cell_width = std::max(cell_width, picture.width * options.enlarged);
  }
  const auto count = static_cast<std::int64_t>(pictures.size());
  const std::int64_t columns = std::min(options.columns, count);
  const std::int64_t rows = (count + columns - 1) / columns;
  const std::int64_t height = rows * (cell_height + options.gap) + options.gap;
  const std::int64_t width = columns * (cell_width + options.gap) + options.gap;
  if (height > kMostPixels / width) {
    throw ArgumentError("[contact sheet] would have ", width, 'x', height, " pixels, at most ", kMostPixels,
                        " are written; show fewer pictures");
  }
  Image sheet = Image::black(height, width);
  std::fill(sheet.pixels.begin(), sheet.pixels.end(), kBackground);
  for (std::int64_t i = 0; i < count; ++i) {
    const Image& picture = pictures[static_cast<std::size_t>(i)];
    const std::int64_t top = options.gap + i / columns * (cell_height + options.gap) +
                             (cell_height - picture.height * options.enlarged) / 2;
    const std::int64_t left = options.gap + i % columns * (cell_width + options.gap) +
                              (cell_width - picture.width * options.enlarged) / 2;
    for (std::int64_t y = 0; y < picture.height * options.enlarged; ++y) {
      const std::uint8_t* from = picture.row(y / options.enlarged);
      std::uint8_t* to = sheet.row(top + y) + 3 * left;
      for (std::int64_t x = 0; x < picture.width * options.enlarged; ++x, to += 3) {
        std::memcpy(to, from + x / options.enlarged * 3, 3);
      }
    }
  }
  return sheet;
}

Image picture_of(const float* numbers, const Shape& shape, const std::vector<double>& mean,
                 const std::vector<double>& deviation) {
  if (shape.rank() != 3 || (shape[2] != 1 && shape[2] != 3) ||
      mean.size() != static_cast<std::size_t>(shape[2]) || deviation.size() != mean.size()) {
    throw ArgumentError("[picture] expects {H,W,1 or 3} and as many means and deviations as channels, got ",
                        shape, ", ", mean.size(), " and ", deviation.size());
  }
  Image image = Image::black(shape[0], shape[1]);
  const auto channels = static_cast<std::size_t>(shape[2]);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const std::size_t c = channels == 1 ? 0 : i % 3;
    const double value = 255 * (numbers[i / 3 * channels + c] * deviation[c] + mean[c]);
    image.pixels[i] = static_cast<std::uint8_t>(value >= 0 ? std::min(value + 0.5, 255.0) : 0);
  }
  return image;
}

std::vector<Image> pictures_of(const ExampleSource& source, std::int64_t epoch,
                               const std::vector<std::int64_t>& indices, const std::vector<double>& mean,
                               const std::vector<double>& deviation) {
  const Shape shape = source.image_shape();
  std::vector<float> numbers(static_cast<std::size_t>(shape.elements()));
  std::vector<Image> pictures;
  for (const std::int64_t index : indices) {
    source.write(epoch, index, numbers.data());
    pictures.push_back(picture_of(numbers.data(), shape, mean, deviation));
  }
  return pictures;
}

}  // namespace basin::data
