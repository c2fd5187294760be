#include "data/loading/folder_source.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "data/formats/decode.h"

namespace basin::data {

PictureTransform train_transform(std::int64_t size) {
  return {.cut = PictureTransform::Cut::resized, .size = size, .flip = true};
}

PictureTransform eval_transform(std::int64_t size) { return {.size = size}; }

FolderSource::FolderSource(ImageFolder folder, PictureTransform transform, std::uint64_t seed)
    : folder_(std::move(folder)), transform_(std::move(transform)), seed_(seed) {
  if (transform_.resize == 0) transform_.resize = (transform_.size * 256 + 112) / 224;
  if (transform_.size < 1 || transform_.size > 8192 || transform_.resize < transform_.size ||
      transform_.resize > 8192) {
    throw UsageError("pictures of ", transform_.size, " pixels cut from a shorter side of ",
                     transform_.resize, ": expected 1 <= size <= shorter side <= 8192");
  }
  check(transform_.policy);
  check(transform_.jitter);
  if (transform_.mean.size() != 3 || transform_.deviation.size() != 3) {
    throw ArgumentError("[data] pictures have 3 channels, normalisation has ", transform_.mean.size(),
                        " means and ", transform_.deviation.size(), " deviations");
  }
  for (std::size_t c = 0; c < 3; ++c) {
    if (!(transform_.deviation[c] > 0)) {
      throw ArgumentError("[data] a channel's deviation must be positive, got ", transform_.deviation[c]);
    }
  }
  normalised_ = normalisation_table(transform_.mean, transform_.deviation);
}

Image FolderSource::look(std::int64_t epoch, std::int64_t index) const {
  if (index < 0 || index >= size()) {
    throw ArgumentError("[data] ", folder_.root, " has no picture ", index, ", only ", size());
  }
  return changed(decode_image(folder_.read(index), folder_.path_of(index)), epoch, index);
}

Image FolderSource::changed(Image image, std::int64_t epoch, std::int64_t index) const {
  Random random(seed_, Stream::augment, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(index));
  const bool flipped = random.bits() >> 31 != 0 && transform_.flip;

  using Cut = PictureTransform::Cut;
  const std::int64_t wanted = transform_.size;
  if (transform_.cut == Cut::resized) {
    image = crop(image, draw_resized_crop(transform_.area, image.height, image.width, random));
    image = resize(image, wanted, wanted, transform_.interpolation);
  } else {
    const std::int64_t shorter = std::min(image.height, image.width);
    const std::int64_t longer = std::max(image.height, image.width);
    if (longer > kMostPixels / (transform_.resize * transform_.resize) * shorter) {
      throw DataError(folder_.path_of(index), ": ", image.width, 'x', image.height,
                      " pixels are too long and narrow");
    }
    image = resize_shorter_side(image, transform_.resize, transform_.interpolation);
    if (transform_.cut == Cut::random) {
      const auto up_to = [&random](std::int64_t most) {
        return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(most + 1)));
      };
      const std::int64_t top = up_to(image.height - wanted);
      const std::int64_t left = up_to(image.width - wanted);
      image = crop(image, {top, left, wanted, wanted});
    } else {
      image = center_crop(image, wanted, wanted);
    }
  }
  if (flipped) flip(image);
  augment_colors(transform_.policy, transform_.jitter, seed_, static_cast<std::uint64_t>(epoch),
                 static_cast<std::uint64_t>(index), image);
  return image;
}

std::int64_t FolderSource::write(std::int64_t epoch, std::int64_t index, float* image) const {
  const Image picture = look(epoch, index);
  const std::uint8_t* from = picture.pixels.data();
  for (std::int64_t i = 0; i < picture.height * picture.width; ++i) {
    for (std::size_t c = 0; c < 3; ++c) *image++ = normalised_[256 * c + *from++];
  }
  return folder_.files[static_cast<std::size_t>(index)].label;
}

}  // namespace basin::data
