#include "data/loading/given_pictures.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/io/files.h"
#include "data/formats/decode.h"

namespace basin::data {
namespace {

/// A folder of those names, for FolderSource to name in its errors.
ImageFolder named(const std::vector<GivenPicture>& pictures) {
  ImageFolder folder;
  for (const GivenPicture& picture : pictures) folder.files.push_back({.path = picture.path});
  return folder;
}

PictureTransform cut_of(const EvaluatedLook& look) { return {.size = look.size, .resize = look.resize}; }

}  // namespace

std::uint8_t brightness(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

GivenPictures::GivenPictures(std::vector<GivenPicture> pictures, const EvaluatedLook& look)
    : given_(std::move(pictures)),
      cutter_(named(given_), cut_of(look), 0),
      channels_(static_cast<std::int64_t>(look.mean.size())),
      errors_(given_.size()) {
  if ((channels_ != 1 && channels_ != 3) || look.deviation.size() != look.mean.size())
    throw ArgumentError("[data] a picture has 1 or 3 channels, not ", channels_, " means and ",
                        look.deviation.size(), " deviations");
  normalised_ = normalisation_table(look.mean, look.deviation);
}

Shape GivenPictures::image_shape() const {
  const Shape rgb = cutter_.image_shape();
  return {rgb[0], rgb[1], channels_};
}

std::string GivenPictures::name(std::int64_t index) const {
  return given_[static_cast<std::size_t>(index)].path;
}

std::vector<std::int64_t> GivenPictures::labels() const {
  std::vector<std::int64_t> all;
  for (const GivenPicture& picture : given_) all.push_back(picture.label);
  return all;
}

std::int64_t GivenPictures::write(std::int64_t epoch, std::int64_t index, float* image) const {
  const GivenPicture& given = given_[static_cast<std::size_t>(index)];
  const Shape shape = image_shape();
  Image picture = Image::black(shape[0], shape[1]);
  try {
    const std::string bytes = given.bytes.empty() ? read_file(given.path, kMostImageBytes) : given.bytes;
    picture = cutter_.changed(decode_image(bytes, given.path), epoch, index);
  } catch (const DataError& error) {
    errors_[static_cast<std::size_t>(index)] = error.what();
  }
  const std::uint8_t* from = picture.pixels.data();
  for (std::int64_t i = 0; i < shape[0] * shape[1]; ++i, from += 3) {
    if (channels_ == 1)
      *image++ = normalised_[brightness(from)];
    else
      for (std::size_t c = 0; c < 3; ++c) *image++ = normalised_[256 * c + from[c]];
  }
  return std::max<std::int64_t>(given.label, 0);
}

}  // namespace basin::data
