// Batches for image_batch(), of every kind, from pictures of odd sizes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/images/image_batch.h"
#include "core/random.h"

namespace basin::testing {

/// The tensors of an ImageBatch.
struct ImageTensors {
  Tensor pixels, table, draws;
  bool reflect = false;
  std::optional<Tensor> covered{}, partners{}, exchanged{};
  Scalar lambda = 1;

  ImageBatch batch() const {
    const auto address = [](const std::optional<Tensor>& t) { return t ? &*t : nullptr; };
    return {.pixels = pixels,
            .table = table,
            .draws = draws,
            .reflect = reflect,
            .covered = address(covered),
            .partners = address(partners),
            .exchanged = address(exchanged),
            .lambda = lambda};
  }
  /// There, lambda as a number that the host does not know.
  ImageTensors to(Device device) const {
    const auto sent = [device](const std::optional<Tensor>& t) {
      return t ? std::optional(t->to(device)) : std::nullopt;
    };
    return {.pixels = pixels.to(device),
            .table = table.to(device),
            .draws = draws.to(device),
            .reflect = reflect,
            .covered = sent(covered),
            .partners = sent(partners),
            .exchanged = sent(exchanged),
            .lambda = Scalar(Tensor::scalar(lambda.value(), Dtype::f64).to(device))};
  }
};

struct ImageSizes {
  Index pictures, images, height, width, channels;
};

/// Pictures, table and draws: moved up to 2 pixels, some mirrored, some with a box.
inline ImageTensors drawn_images(const ImageSizes& s, bool reflect) {
  Random random(1, Stream::augment, 2, 3);
  const auto below = [&](Index n) { return static_cast<Index>(random.below(static_cast<std::uint64_t>(n))); };
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(s.pictures * s.height * s.width * s.channels));
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(below(256));
  std::vector<float> table(static_cast<std::size_t>(256 * s.channels));
  for (float& number : table) number = static_cast<float>(random.normal());
  const Index move = reflect ? std::min<Index>({2, s.height - 1, s.width - 1}) : 2;
  std::vector<std::int64_t> draws;
  for (Index b = 0; b < s.images; ++b) {
    const Index top = below(s.height), left = below(s.width);
    for (const Index number :
         {below(s.pictures), below(2 * move + 1) - move, below(2 * move + 1) - move, below(2), top,
          std::min(top + below(3), s.height), left, std::min(left + below(4), s.width)})
      draws.push_back(number);
  }
  return {.pixels = Tensor::from(pixels, {s.pictures, s.height, s.width, s.channels}),
          .table = Tensor::from(table, {s.channels, 256}),
          .draws = Tensor::from(draws, {s.images, 8}),
          .reflect = reflect};
}

/// Calls body(what it is, its tensors) for batches of each kind: mirrored border or not, with a box covered
/// or not, not mixed, mixed or exchanged.
inline void for_each_image_batch(const std::function<void(const std::string&, const ImageTensors&)>& body) {
  const std::vector<ImageSizes> sizes = {
      {5, 4, 7, 5, 3}, {3, 5, 6, 9, 1}, {2, 3, 5, 4, 4}, {1, 1, 1, 1, 2}, {3, 2, 40, 33, 3}};
  for (const ImageSizes& s : sizes)
    for (const bool reflect : {false, true})
      for (const bool covered : {false, true})
        for (const std::string mix : {"none", "mixup", "cutmix"}) {
          ImageTensors t = drawn_images(s, reflect);
          if (covered)
            t.covered = Tensor::from(std::vector<Index>{0, (s.height + 1) / 2, s.width / 3, s.width});
          if (mix != "none") {
            std::vector<Index> partners;
            for (Index b = 0; b < s.images; ++b) partners.push_back((2 * b + 1) % s.images);
            t.partners = Tensor::from(partners);
            t.lambda = 0.3;
          }
          if (mix == "cutmix")
            t.exchanged = Tensor::from(std::vector<Index>{s.height / 3, s.height, 0, (s.width + 1) / 2});
          body(text(s.images, " images of ", s.pictures, 'x', s.height, 'x', s.width, 'x', s.channels,
                    reflect ? ", reflect" : "", covered ? ", covered" : "", ", mix ", mix),
               t);
        }
}

}  // namespace basin::testing
