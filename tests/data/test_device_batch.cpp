// Batches that a device makes: the loader's, bit for bit.
#include "data/loading/device_batch.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "data/loading/loader.h"
#include "data/sets/synthetic.h"
#include "tests/device/test_device.h"

using namespace basin;
using namespace basin::data;
using basin::testing::host_reads, basin::testing::test_device;

namespace {

constexpr std::uint64_t kSeed = 11;

std::shared_ptr<const DatasetSource> source_of(const std::string& augment, std::int64_t channels = 3) {
  const Dataset set = synthetic({.size = 11, .channels = channels, .train = 30, .test = 1}, 4, true);
  return std::make_shared<DatasetSource>(set, parse_augmentation(augment), kSeed);
}

LoaderOptions options_of(const std::string& augment, std::int64_t epochs) {
  return {.batch_size = 8,
          .drop_last = false,
          .seed = kSeed,
          .mix = parse_augmentation(augment).mix,
          .end_epoch = epochs};
}

DrawnBatch drawn(const ExampleSource& source, Device device, const LoaderOptions& options,
                 const Batch& like) {
  return draw_batch(source, source.pictures(device).value(), like.indices, options.mix, options.seed,
                    static_cast<std::uint64_t>(like.epoch), static_cast<std::uint64_t>(like.step));
}

template <class T>
std::vector<T> here(const Tensor& t) {
  return t.to(Device{}).to_vector<T>();
}

/// Each batch of the loader, and the same made on the device, in one place for all of a kind.
void expect_the_loaders_batches(const std::shared_ptr<const DatasetSource>& source, Device device,
                                const LoaderOptions& options) {
  Loader loader(source, options);
  std::optional<DeviceBatch> place;
  int batches = 0;
  for (Batch batch; loader.next(batch); ++batches) {
    CAPTURE(batches);
    const DrawnBatch next = drawn(*source, device, options, batch);
    if (place && place->fits(next))
      place->send(next);
    else
      place.emplace(next);
    const std::int64_t reads = host_reads();
    const Tensor images = place->images();
    CHECK(host_reads() == reads);
    REQUIRE(images.device() == device);
    CHECK(here<float>(images) == batch.images.to_vector<float>());
    CHECK(here<std::int64_t>(place->labels()) == batch.labels.to_vector<std::int64_t>());
    CHECK(next.labels().to_vector<std::int64_t>() == batch.labels.to_vector<std::int64_t>());
    CHECK(next.lambda == batch.mixed.lambda);
    REQUIRE(place->partner_labels().defined() == batch.mixed.labels.defined());
    if (!batch.mixed.labels.defined()) CHECK(place->heavier_labels().raw() == place->labels().raw());
    if (!batch.mixed.labels.defined()) continue;
    CHECK(here<std::int64_t>(place->partner_labels()) == batch.mixed.labels.to_vector<std::int64_t>());
    const Tensor& heavier = next.lambda < 0.5 ? batch.mixed.labels : batch.labels;
    CHECK(here<std::int64_t>(place->heavier_labels()) == heavier.to_vector<std::int64_t>());
    CHECK(here<double>(place->shares()) == std::vector<double>{next.lambda, 1 - next.lambda});
  }
  CHECK(batches == 4 * options.end_epoch);
}

TEST_CASE("device batch: each combination of changes has the loader's bits, on the CPU and on a device") {
  for (const Device device : {Device{}, test_device()})
    for (const std::string crop : {"", "crop=3", "crop=3,reflect"})
      for (const std::string flip : {"", "flip"})
        for (const std::string cutout : {"", "cutout=5"})
          for (const std::string mix : {"", "mixup=0.7", "cutmix=1"})
            for (const std::string square : {"", "batch-cutout=4"}) {
              std::string augment;
              for (const std::string& term : {crop, flip, cutout, mix, square})
                if (!term.empty()) augment += (augment.empty() ? "" : ",") + term;
              if (augment.empty()) augment = "none";
              CAPTURE(augment);
              expect_the_loaders_batches(source_of(augment), device, options_of(augment, 3));
            }
}

TEST_CASE("device batch: sets of one and of four channels") {
  for (const std::int64_t channels : {1, 4}) {
    const std::string augment = "crop=2,flip,cutout=3,mixup=1";
    expect_the_loaders_batches(source_of(augment, channels), test_device(), options_of(augment, 1));
  }
}

TEST_CASE("device batch: a place keeps its addresses, and takes only what fits") {
  const std::string augment = "basic,mixup=1";
  const auto source = source_of(augment);
  const LoaderOptions options = options_of(augment, 1);
  Loader loader(source, options);
  Batch batch;
  REQUIRE(loader.next(batch));
  DeviceBatch place(drawn(*source, test_device(), options, batch));
  const std::byte* labels = place.labels().raw();
  const std::byte* shares = place.shares().raw();
  REQUIRE(loader.next(batch));
  place.send(drawn(*source, test_device(), options, batch));
  CHECK(place.labels().raw() == labels);
  CHECK(place.shares().raw() == shares);
  CHECK(here<std::int64_t>(place.labels()) == batch.labels.to_vector<std::int64_t>());

  batch.indices.resize(6);
  CHECK_THROWS_AS(place.send(drawn(*source, test_device(), options, batch)), ArgumentError);
  batch.indices.resize(8);
  CHECK_THROWS_AS(place.send(drawn(*source, test_device(), options_of("basic", 1), batch)), ArgumentError);
  CHECK_THROWS_AS(place.send(drawn(*source_of(augment), test_device(), options, batch)), ArgumentError);
}

TEST_CASE("device batch: pictures are sent once, while a policy or jitter stays with the host") {
  const auto source = source_of("basic");
  const Pictures first = source->pictures(test_device()).value();
  CHECK(source->pictures(test_device())->pixels.raw() == first.pixels.raw());
  CHECK(source->pictures(Device{})->pixels.raw() == source->dataset().images.raw());
  CHECK(!source_of("basic,randaugment")->pictures(test_device()));
  CHECK(!source_of("jitter=0.1:0:0:0")->pictures(test_device()));
}

TEST_CASE("loader: on a device that makes the batches they have the host's bits, for any workers") {
  for (const std::string augment : {"none", "cutout,mixup=0.7", "basic,reflect,cutmix=1,batch-cutout=4"}) {
    CAPTURE(augment);
    const auto source = source_of(augment);
    for (const int workers : {0, 2}) {
      LoaderOptions options = options_of(augment, 2);
      options.workers = workers;
      Loader here_made(source, options);
      options.device = test_device();
      Loader there_made(source, options);
      options.drawn_only = true;
      Loader drawn_only(source, options);
      Batch batch, there, bare;
      while (here_made.next(batch)) {
        const std::int64_t reads = host_reads();
        REQUIRE(there_made.next(there));
        REQUIRE(drawn_only.next(bare));
        CHECK(host_reads() == reads);
        REQUIRE(there.images.device() == test_device());
        CHECK(here<float>(there.images) == batch.images.to_vector<float>());
        CHECK(here<std::int64_t>(there.labels) == batch.labels.to_vector<std::int64_t>());
        CHECK(there.host_labels.to_vector<std::int64_t>() == batch.labels.to_vector<std::int64_t>());
        CHECK(there.mixed.lambda == batch.mixed.lambda);
        REQUIRE(there.mixed.labels.defined() == batch.mixed.labels.defined());
        if (there.mixed.labels.defined())
          CHECK(here<std::int64_t>(there.mixed.labels) == batch.mixed.labels.to_vector<std::int64_t>());
        CHECK(there.indices == batch.indices);
        CHECK(there.epoch == batch.epoch);
        CHECK(there.step == batch.step);
        CHECK(!bare.images.defined());
        CHECK(!bare.labels.defined());
        REQUIRE(bare.drawn != nullptr);
        CHECK(here<float>(DeviceBatch(*bare.drawn).images()) == batch.images.to_vector<float>());
      }
      CHECK(!there_made.next(there));
    }
  }
}

TEST_CASE("loader: what a device can't make is prepared here and sent there") {
  const std::string augment = "basic,jitter=0.2:0.2:0:0,mixup=1";
  const auto source = source_of(augment);
  LoaderOptions options = options_of(augment, 1);
  Loader here_made(source, options);
  options.device = test_device();
  options.drawn_only = true;
  Loader sent(source, options);
  Batch batch, there;
  while (here_made.next(batch)) {
    REQUIRE(sent.next(there));
    CHECK(there.drawn == nullptr);
    CHECK(here<float>(there.images) == batch.images.to_vector<float>());
    CHECK(here<std::int64_t>(there.mixed.labels) == batch.mixed.labels.to_vector<std::int64_t>());
  }
}

}  // namespace
