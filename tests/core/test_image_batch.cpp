// image_batch(): the CPU's numbers against pictures that are padded, cut, mirrored and mixed one by one.
#include "core/images/image_batch.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/core/image_batches.h"
#include "tests/device/test_device.h"

using namespace basin;
using namespace basin::testing;

namespace {

struct Picture {
  Index height, width, channels;
  std::vector<float> numbers;
  float& at(Index y, Index x, Index c) {
    return numbers[static_cast<std::size_t>((y * width + x) * channels + c)];
  }
};

/// One picture with a border of `p` pixels on each side.
Picture bordered(const ImageTensors& t, Index place, Index p) {
  const Shape& s = t.pixels.shape();
  const std::uint8_t* bytes = t.pixels.data<std::uint8_t>() + place * s[1] * s[2] * s[3];
  Picture out{s[1] + 2 * p, s[2] + 2 * p, s[3], {}};
  const auto mirrored = [](Index at, Index n) { return at < 0 ? -at : at >= n ? 2 * n - 2 - at : at; };
  for (Index y = -p; y < s[1] + p; ++y)
    for (Index x = -p; x < s[2] + p; ++x)
      for (Index c = 0; c < s[3]; ++c) {
        const bool outside = y < 0 || y >= s[1] || x < 0 || x >= s[2];
        std::uint8_t byte = 0;
        if (!outside || t.reflect) byte = bytes[(mirrored(y, s[1]) * s[2] + mirrored(x, s[2])) * s[3] + c];
        out.numbers.push_back(t.table.data<float>()[256 * c + byte]);
      }
  return out;
}

void cover(Picture& image, const Index* box) {
  for (Index y = box[0]; y < box[1]; ++y)
    for (Index x = box[2]; x < box[3]; ++x)
      for (Index c = 0; c < image.channels; ++c) image.at(y, x, c) = 0;
}

Picture unmixed(const ImageTensors& t, Index b) {
  const Shape& s = t.pixels.shape();
  const Index* draw = t.draws.data<Index>() + 8 * b;
  const Index p = std::max(std::abs(draw[1]), std::abs(draw[2]));
  Picture from = bordered(t, draw[0], p);
  Picture out{s[1], s[2], s[3], std::vector<float>(static_cast<std::size_t>(s[1] * s[2] * s[3]))};
  for (Index y = 0; y < s[1]; ++y)
    for (Index x = 0; x < s[2]; ++x)
      for (Index c = 0; c < s[3]; ++c)
        out.at(y, draw[3] != 0 ? s[2] - 1 - x : x, c) = from.at(y + p + draw[1], x + p + draw[2], c);
  cover(out, draw + 4);
  if (t.covered) cover(out, t.covered->data<Index>());
  return out;
}

std::vector<float> expected(const ImageTensors& t) {
  std::vector<float> all;
  for (Index b = 0; b < t.draws.size(0); ++b) {
    Picture image = unmixed(t, b);
    if (t.partners) {
      Picture other = unmixed(t, t.partners->data<Index>()[b]);
      const auto own = static_cast<float>(t.lambda.value());
      const float rest = 1 - own;
      for (Index y = 0; y < image.height; ++y)
        for (Index x = 0; x < image.width; ++x)
          for (Index c = 0; c < image.channels; ++c) {
            float& number = image.at(y, x, c);
            const float partner = other.at(y, x, c);
            if (t.exchanged) {
              const Index* box = t.exchanged->data<Index>();
              if (y >= box[0] && y < box[1] && x >= box[2] && x < box[3]) number = partner;
            } else {
              const float mine = own * number, others = rest * partner;
              number = mine + others;
            }
          }
    }
    all.insert(all.end(), image.numbers.begin(), image.numbers.end());
  }
  return all;
}

TEST_CASE("image_batch: pictures padded, cut, mirrored, covered and mixed, here and on the test device") {
  for_each_image_batch([](const std::string& what, const ImageTensors& t) {
    CAPTURE(what);
    const Tensor images = image_batch(t.batch());
    const Shape& s = t.pixels.shape();
    CHECK(images.shape() == Shape{t.draws.size(0), s[1], s[2], s[3]});
    CHECK(images.to_vector<float>() == expected(t));
    const std::int64_t reads = host_reads();
    const ImageTensors there = t.to(test_device());
    const Tensor made = image_batch(there.batch());
    CHECK(host_reads() == reads);
    CHECK(made.to(Device{}).to_vector<float>() == images.to_vector<float>());
  });
}

TEST_CASE("image_batch: what does not fit together is refused") {
  const ImageTensors good =
      drawn_images({.pictures = 5, .images = 4, .height = 7, .width = 5, .channels = 3}, true);
  Tensor out = Tensor::empty({4, 7, 5, 3});
  image_batch(good.batch(), out);
  Tensor wrong = Tensor::empty({4, 5, 7, 3});
  CHECK_THROWS_WITH_AS(image_batch(good.batch(), wrong),
                       "[image_batch] the result must be f32 {4,7,5,3}, got f32 {4,5,7,3}", ArgumentError);
  const auto refused = [&](const char* message, const std::function<void(ImageTensors&)>& spoil) {
    ImageTensors t = good;
    t.draws = good.draws.clone();
    spoil(t);
    CHECK_THROWS_WITH_AS(image_batch(t.batch()), message, ArgumentError);
  };
  refused("[image_batch] image 2 asks for picture 5 of 5",
          [](ImageTensors& t) { t.draws.mutable_data<Index>()[16] = 5; });
  refused("[image_batch] image 1 is moved by 1 and -5, beyond the mirrored border of 7x5 pixels",
          [](ImageTensors& t) {
            t.draws.mutable_data<Index>()[9] = 1;
            t.draws.mutable_data<Index>()[10] = -5;
          });
  refused("[image_batch] pixels must be u8 {n,H,W,C}, got f32 {5,7,5,3}",
          [](ImageTensors& t) { t.pixels = t.pixels.to(Dtype::f32); });
  refused("[image_batch] the table must be f32 {3,256}, got f32 {768}",
          [](ImageTensors& t) { t.table = t.table.reshape(Shape{768}); });
  refused("[image_batch] partner 4 at position 0 is outside [0, 4)",
          [](ImageTensors& t) { t.partners = Tensor::full({4}, 4, Dtype::i64); });
  refused("[image_batch] a box is exchanged with partners, but there are none",
          [](ImageTensors& t) { t.exchanged = Tensor::zeros({4}, Dtype::i64); });
  refused("[image_batch] the pictures are on cpu, not so draws: on test:0",
          [](ImageTensors& t) { t.draws = t.draws.to(test_device()); });
}

}  // namespace
