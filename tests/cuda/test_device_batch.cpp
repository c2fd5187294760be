// Batches of a data set that lies on a card: the loader's on the host, bit for bit.
#include <doctest/doctest.h>

#include <string>

#include "data/loading/device_batch.h"
#include "data/loading/loader.h"
#include "data/sets/synthetic.h"
#include "tests/cuda/device.h"

using namespace basin;
using namespace basin::data;
using basin::testing::cuda_device;

TEST_CASE("device batch: two epochs on a card, with the last batch that is smaller") {
  for (const std::string augment : {"none", "cutout,mixup=0.7", "basic,reflect,cutmix=1,batch-cutout=4"}) {
    CAPTURE(augment);
    const Augmentation changes = parse_augmentation(augment);
    const auto source =
        std::make_shared<DatasetSource>(synthetic({.size = 17, .train = 20, .test = 1}, 4, true), changes, 3);
    LoaderOptions options{.batch_size = 8, .drop_last = false, .seed = 3, .mix = changes.mix, .end_epoch = 2};
    Loader host(source, options);
    options.device = cuda_device();
    Loader card(source, options);
    // All on their way at once: none may take the numbers of another.
    std::vector<Batch> made(6);
    for (Batch& batch : made) REQUIRE(card.next(batch));
    Batch batch;
    for (const Batch& there : made) {
      REQUIRE(host.next(batch));
      CHECK(there.images.to(Device{}).to_vector<float>() == batch.images.to_vector<float>());
      CHECK(there.labels.to(Device{}).to_vector<std::int64_t>() == batch.labels.to_vector<std::int64_t>());
      CHECK(there.mixed.labels.to(Device{}).defined() == batch.mixed.labels.defined());
      if (batch.mixed.labels.defined())
        CHECK(there.mixed.labels.to(Device{}).to_vector<std::int64_t>() ==
              batch.mixed.labels.to_vector<std::int64_t>());
    }
    CHECK(!card.next(batch));
  }
}

TEST_CASE("device batch: what is sent to a place is what the next images are made of") {
  const Augmentation changes = parse_augmentation("basic,mixup=1");
  const auto source =
      std::make_shared<DatasetSource>(synthetic({.size = 9, .train = 24, .test = 1}, 4, true), changes, 3);
  LoaderOptions options{.batch_size = 8, .seed = 3, .mix = changes.mix, .end_epoch = 1};
  Loader host(source, options);
  options.device = cuda_device();
  options.drawn_only = true;
  Loader drawn(source, options);
  Batch batch, next;
  REQUIRE(host.next(batch));
  REQUIRE(drawn.next(next));
  DeviceBatch place(*next.drawn);
  Tensor images = place.images();
  for (int i = 0;; ++i) {
    CAPTURE(i);
    CHECK(images.to(Device{}).to_vector<float>() == batch.images.to_vector<float>());
    CHECK(place.shares().to(Device{}).to_vector<double>()[0] == batch.mixed.lambda);
    if (!host.next(batch)) break;
    REQUIRE(drawn.next(next));
    place.send(*next.drawn);
    next = {};  // its memory may go at once
    place.images(images);
  }
}
