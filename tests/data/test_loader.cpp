// The loader: the same batches for any workers and start, errors, the end, memory, stopping.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "data/loading/loader.h"
#include "data/sets/synthetic.h"
#include "tests/device/test_device.h"

using namespace basin;
using namespace basin::data;

namespace {

std::shared_ptr<const ExampleSource> small_source(std::int64_t n = 50) {
  static const Dataset set = synthetic({.size = 8, .train = 200, .test = 1}, 4, true);
  return std::make_shared<DatasetSource>(first(set, n), parse_augmentation("crop=2,flip,cutout=3"), 6);
}

struct Copied {
  std::vector<float> images;
  std::vector<std::int64_t> labels;
  std::vector<std::int64_t> indices;
  std::int64_t epoch;
  std::int64_t step;
  std::vector<std::int64_t> partners = {};
  double lambda = 1;
  bool operator==(const Copied&) const = default;
};

Copied copied(const Batch& batch) {
  return {batch.images.to_vector<float>(),
          batch.labels.to_vector<std::int64_t>(),
          batch.indices,
          batch.epoch,
          batch.step,
          batch.mixed.labels.defined() ? batch.mixed.labels.to_vector<std::int64_t>()
                                       : std::vector<std::int64_t>(),
          batch.mixed.lambda};
}

// The first `count` batches.
std::vector<Copied> batches(const LoaderOptions& options, int count) {
  Loader loader(small_source(), options);
  std::vector<Copied> all;
  Batch batch;
  while (static_cast<int>(all.size()) < count && loader.next(batch)) all.push_back(copied(batch));
  return all;
}

// A source that calls `body` for each example; images are 1x1x1.
class CalledSource : public ExampleSource {
 public:
  CalledSource(std::int64_t n, std::function<void(std::int64_t)> body) : n_(n), body_(std::move(body)) {}
  std::int64_t size() const override { return n_; }
  Shape image_shape() const override { return {1, 1, 1}; }
  std::int64_t write(std::int64_t epoch, std::int64_t index, float* image) const override {
    body_(index);
    *image = static_cast<float>(epoch * 1000 + index);
    return index;
  }

 private:
  std::int64_t n_;
  std::function<void(std::int64_t)> body_;
};

}  // namespace

TEST_CASE("loader: batches mixed by the workers have the same bits for any number of them and any start") {
  const LoaderOptions plain{.batch_size = 16, .seed = 3, .mix = {.cutmix = 1, .cutout = 2}};
  const std::vector<Copied> straight = batches(plain, 6);
  for (const int workers : {1, 3}) {
    LoaderOptions options = plain;
    options.workers = workers;
    CHECK(batches(options, 6) == straight);
    options.first_epoch = 1;
    options.first_step = 1;
    CHECK(batches(options, 1)[0] == straight[4]);
  }
  CHECK_THROWS_AS(Loader(small_source(), {.batch_size = 8, .mix = {.mixup = 1, .cutmix = 1}}), UsageError);
}

TEST_CASE("loader: the same batches for any number of workers, any prefetch, any start") {
  const LoaderOptions options{.batch_size = 8, .seed = 5};  // 6 batches an epoch
  const std::vector<Copied> straight = batches(options, 20);
  REQUIRE(straight.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(straight[i].epoch == static_cast<std::int64_t>(i / 6));
    CHECK(straight[i].step == static_cast<std::int64_t>(i % 6));
    CHECK(straight[i].indices == Sampler(50, 8, true, true, 5).batch(straight[i].epoch, straight[i].step));
  }
  for (const int workers : {0, 1, 2, 4}) {
    for (const int prefetch : {1, 3, 9}) {
      LoaderOptions other = options;
      other.workers = workers;
      other.prefetch = prefetch;
      CHECK(batches(other, 20) == straight);
      for (const std::size_t start : {1u, 5u, 6u, 13u}) {
        other.first_epoch = static_cast<std::int64_t>(start / 6);
        other.first_step = static_cast<std::int64_t>(start % 6);
        CHECK(batches(other, 20 - static_cast<int>(start)) ==
              std::vector<Copied>(straight.begin() + static_cast<std::ptrdiff_t>(start), straight.end()));
      }
    }
  }
}

TEST_CASE("loader: a batch holds what the source writes") {
  const auto source = small_source();
  Loader loader(source, {.batch_size = 8, .seed = 5, .workers = 2, .first_epoch = 3});
  Batch batch;
  REQUIRE(loader.next(batch));
  CHECK(batch.images.shape() == Shape{8, 8, 8, 3});
  CHECK(batch.labels.shape() == Shape{8});
  std::vector<float> image(8 * 8 * 3);
  const std::vector<float> all = batch.images.to_vector<float>();
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(batch.labels.data<std::int64_t>()[i] == source->write(3, batch.indices[i], image.data()));
    CHECK(
        std::equal(image.begin(), image.end(), all.begin() + static_cast<std::ptrdiff_t>(i * image.size())));
  }
}

TEST_CASE("loader: one pass delivers everything once, in order, the incomplete batch last") {
  for (const int workers : {0, 3}) {
    Loader loader(small_source(), one_pass(16, workers));
    std::vector<std::int64_t> indices;
    std::vector<std::int64_t> sizes;
    for (Batch batch; loader.next(batch);) {
      CHECK(batch.images.size(0) == batch.size());
      CHECK(batch.labels.size(0) == batch.size());
      sizes.push_back(batch.size());
      indices.insert(indices.end(), batch.indices.begin(), batch.indices.end());
    }
    CHECK(sizes == std::vector<std::int64_t>{16, 16, 16, 2});
    REQUIRE(indices.size() == 50);
    for (std::size_t i = 0; i < 50; ++i) CHECK(indices[i] == static_cast<std::int64_t>(i));
    Batch batch;
    CHECK_FALSE(loader.next(batch));  // and stays at the end
    CHECK_FALSE(batch.images.defined());
  }
  Loader two_epochs(small_source(), {.batch_size = 50, .workers = 1, .end_epoch = 2});
  Batch batch;
  CHECK(two_epochs.next(batch));
  CHECK(two_epochs.next(batch));
  CHECK_FALSE(two_epochs.next(batch));
}

TEST_CASE("loader: a batch that the caller keeps is never written again, and others' memory is used again") {
  for (const int workers : {0, 2}) {
    const LoaderOptions options{.batch_size = 8, .seed = 5, .workers = workers, .prefetch = 2};
    Loader loader(small_source(), options);
    std::vector<Tensor> kept;
    std::vector<std::vector<float>> contents;
    std::set<const void*> places;
    Batch batch;
    for (int i = 0; i < 40; ++i) {
      REQUIRE(loader.next(batch));
      places.insert(batch.images.raw());
      if (i % 4 == 0) {
        kept.push_back(batch.images);
        contents.push_back(batch.images.to_vector<float>());
      }
    }
    for (std::size_t i = 0; i < kept.size(); ++i) CHECK(kept[i].to_vector<float>() == contents[i]);
    CHECK(places.size() <= kept.size() + 2 + static_cast<std::size_t>(workers) + 2);
  }
}

TEST_CASE("loader: an exception comes to the caller with the example's number, when its batch is due") {
  struct Case {
    std::function<void()> thrown;
    ExitCode code;
    std::string message;
  };
  const std::vector<Case> cases = {
      {[] { throw DataError("cat.jpg: cut off"); }, ExitCode::data, "example 21 (epoch 0): cat.jpg: cut off"},
      {[] { throw std::runtime_error("odd"); }, ExitCode::internal, "example 21 (epoch 0): odd"},
      {[] { throw std::bad_alloc(); }, ExitCode::out_of_memory, "example 21 (epoch 0): out of memory"},
  };
  for (const Case& c : cases) {
    for (const int workers : {0, 1, 4}) {
      const auto source = std::make_shared<CalledSource>(40, [&](std::int64_t index) {
        if (index == 21) c.thrown();
      });
      Loader loader(source, one_pass(10, workers));
      Batch batch;
      CHECK(loader.next(batch));
      CHECK(loader.next(batch));
      for (int again = 0; again < 2; ++again) {
        try {
          loader.next(batch);
          FAIL("no exception");
        } catch (const Error& error) {
          CHECK(error.code() == c.code);
          CHECK(error.what() == c.message);
        }
      }
    }
  }
}

TEST_CASE("loader: destruction stops workers in the middle of a batch and those that wait for room") {
  for (const int workers : {1, 4}) {
    std::atomic<int> calls = 0;
    const auto source = std::make_shared<CalledSource>(100'000, [&](std::int64_t) {
      ++calls;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    {
      Loader loader(source, {.batch_size = 100'000, .workers = workers});  // a batch would take 100 seconds
      while (calls == 0) std::this_thread::yield();
    }
    const int calls_at_end = calls;
    CHECK(calls_at_end < 50'000);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK(calls == calls_at_end);
  }
  Loader full(small_source(), {.batch_size = 5, .workers = 3, .prefetch = 1});
  Batch batch;
  CHECK(full.next(batch));
}

TEST_CASE("loader: workers stay at most prefetch batches, and one each, ahead") {
  std::atomic<std::int64_t> calls = 0;
  const auto source = std::make_shared<CalledSource>(1000, [&](std::int64_t) { ++calls; });
  Loader loader(source, {.batch_size = 10, .workers = 2, .prefetch = 3});
  Batch batch;
  for (int i = 0; i < 4; ++i) REQUIRE(loader.next(batch));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(calls <= 10 * (4 + 3 + 2));
}

TEST_CASE("loader: the time that the caller waited") {
  const auto slow = std::make_shared<CalledSource>(
      100, [](std::int64_t) { std::this_thread::sleep_for(std::chrono::milliseconds(2)); });
  for (const int workers : {0, 1}) {
    Loader loader(slow, {.batch_size = 10, .workers = workers});
    Batch batch;
    REQUIRE(loader.next(batch));
    CHECK(loader.waited_seconds() >= 0.015);  // 10 examples of 2 ms
    const double before = loader.waited_seconds();
    REQUIRE(loader.next(batch));
    CHECK(loader.waited_seconds() > before);
  }
}

TEST_CASE("loader: of a set it is the loader of the set's source, augmented by the same seed") {
  const Dataset set = synthetic({.size = 8, .train = 40, .test = 1}, 4, true);
  const Augmentation augmentation{.crop = 2, .flip = true};
  const LoaderOptions options{.batch_size = 8, .seed = 3, .end_epoch = 2};
  Loader of_set(set, augmentation, options);
  Loader of_source(std::make_shared<DatasetSource>(set, augmentation, 3), options);
  Batch a, b;
  while (of_source.next(b)) {
    REQUIRE(of_set.next(a));
    CHECK(copied(a) == copied(b));
  }
  CHECK_FALSE(of_set.next(a));
}

TEST_CASE("loader: batches on a device, the same numbers, their labels on the host too") {
  using basin::testing::host_reads, basin::testing::test_device;
  LoaderOptions options{.batch_size = 20, .drop_last = false, .seed = 2, .mix = {.mixup = 1}, .end_epoch = 2};
  const std::vector<Copied> wanted = batches(options, 100);
  REQUIRE(wanted.size() == 6);
  options.device = test_device();
  for (const int workers : {0, 3}) {
    options.workers = workers;
    Loader loader(small_source(), options);
    std::vector<Copied> got;
    for (Batch batch; loader.next(batch);) {
      const std::int64_t before = host_reads();
      for (const Tensor* t : {&batch.images, &batch.labels, &batch.mixed.labels})
        CHECK(t->device() == test_device());
      CHECK(batch.host_labels.to_vector<std::int64_t>() == wanted[got.size()].labels);
      CHECK(host_reads() == before);
      const Batch here = batch.to(Device{});
      CHECK(here.host_labels.raw() == here.labels.raw());
      got.push_back(copied(here));
    }
    CHECK(got == wanted);
  }
  options.device = {};
  Loader here(small_source(), options);
  Batch batch;
  REQUIRE(here.next(batch));
  CHECK(batch.host_labels.raw() == batch.labels.raw());
}

TEST_CASE("loader: options that cannot be") {
  const auto made = [](const LoaderOptions& options) { Loader loader(small_source(), options); };
  CHECK_THROWS_AS(made({.batch_size = 0}), ArgumentError);
  CHECK_THROWS_AS(made({.batch_size = 51}), ArgumentError);
  CHECK_THROWS_AS(made({.batch_size = 5, .workers = -1}), ArgumentError);
  CHECK_THROWS_AS(made({.batch_size = 5, .prefetch = 0}), ArgumentError);
  CHECK_THROWS_AS(made({.batch_size = 5, .first_epoch = -1}), ArgumentError);
  CHECK_THROWS_AS(made({.batch_size = 5, .first_step = 10}), ArgumentError);
  CHECK_THROWS_AS(made({.batch_size = 5, .end_epoch = std::int64_t{1} << 40}), ArgumentError);
}
