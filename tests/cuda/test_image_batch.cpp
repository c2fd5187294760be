// Batches of images on a card: the bits of the CPU's.
#include <doctest/doctest.h>

#include "core/images/image_batch.h"
#include "tests/core/image_batches.h"
#include "tests/cuda/device.h"
#include "tests/cuda/schedules.h"

using namespace basin;
using namespace basin::testing;

TEST_CASE("image_batch: the bits of the CPU's, with lambda as a number of the card") {
  for_each_image_batch([](const std::string& what, const ImageTensors& t) {
    CAPTURE(what);
    const ImageTensors there = t.to(cuda_device());
    const Tensor images = every_schedule([&] { return std::vector{image_batch(there.batch())}; }).at(0);
    CHECK(images.to_vector<float>() == image_batch(t.batch()).to_vector<float>());
  });
}

TEST_CASE("image_batch: what is put in the place of draws and lambda counts from then on") {
  const ImageSizes sizes{.pictures = 9, .images = 6, .height = 8, .width = 8, .channels = 3};
  ImageTensors t = drawn_images(sizes, false);
  t.partners = Tensor::from(std::vector<Index>{1, 2, 3, 4, 5, 0});
  t.lambda = 0.25;
  ImageTensors there = t.to(cuda_device());
  Tensor lambda = Tensor::scalar(0.25, Dtype::f64).to(cuda_device());
  there.lambda = Scalar(lambda);
  Tensor images = image_batch(there.batch());
  CHECK(images.to(Device{}).to_vector<float>() == image_batch(t.batch()).to_vector<float>());
  t.draws.mutable_data<Index>()[0] = (t.draws.data<Index>()[0] + 1) % 9;
  t.lambda = 0.75;
  there.draws.copy_from(t.draws);
  lambda.copy_from(Tensor::scalar(0.75, Dtype::f64));
  image_batch(there.batch(), images);
  CHECK(images.to(Device{}).to_vector<float>() == image_batch(t.batch()).to_vector<float>());
}
