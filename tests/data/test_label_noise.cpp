// Label noise: exactly as many labels as asked for, wrong where they must be, uniform, and fixed by the seed.
#include <doctest/doctest.h>

#include <limits>

#include "core/error.h"
#include "data/loading/label_noise.h"
#include "data/sets/synthetic.h"
#include "tests/data/numbered.h"

using namespace basin;
using namespace basin::data;
using test::numbered;

namespace {

std::int64_t changed(const Dataset& clean, const Dataset& noisy) {
  std::int64_t n = 0;
  for (std::size_t i = 0; i < clean.labels.size(); ++i) n += clean.labels[i] != noisy.labels[i];
  return n;
}

}  // namespace

TEST_CASE("label noise: exactly round(rate N) labels are wrong, and the list has them all") {
  const Dataset clean = numbered(1001, 7);
  const struct {
    double rate;
    std::int64_t expected;
  } cases[] = {{0, 0}, {0.0004, 0}, {0.2, 200}, {0.4, 400}, {0.5, 501}, {0.9999, 1001}, {1, 1001}};
  for (const auto& c : cases) {
    const NoisyDataset noisy = with_label_noise(clean, {.rate = c.rate, .seed = 3});
    CHECK(changed(clean, noisy.set) == c.expected);
    CHECK(static_cast<std::int64_t>(noisy.drawn.size()) == c.expected);
    std::vector<std::int64_t> rebuilt = clean.labels;
    std::int64_t before = -1;
    for (const DrawnLabel& d : noisy.drawn) {
      CHECK(d.index > before);
      before = d.index;
      CHECK(clean.labels[static_cast<std::size_t>(d.index)] == d.clean);
      rebuilt[static_cast<std::size_t>(d.index)] = d.noisy;
    }
    CHECK(rebuilt == noisy.set.labels);
    CHECK(noisy.set.hash == content_hash(noisy.set));
    CHECK((noisy.set.hash == clean.hash) == (c.expected == 0));
    CHECK(noisy.set.images.shares_storage(clean.images));
  }
  CHECK(clean.labels == numbered(1001, 7).labels);
}

TEST_CASE("label noise: fixed by the seed, the same on every machine") {
  const Dataset clean = synthetic({.train = 20, .test = 1}, 1, true);
  const NoisyDataset noisy = with_label_noise(clean, {.rate = 0.25, .seed = 7});
  // Pinned: a change of these changes every result under label noise.
  CHECK(noisy.set.hash == "e7c3c26784095c371e1a484a752312e015f6623843e8cedef82c8d0b97492734");
  CHECK(label_noise_csv(noisy.drawn) == "index,clean,noisy\n2,2,7\n11,1,4\n12,2,5\n15,5,3\n17,7,6\n");
  CHECK(with_label_noise(clean, {.rate = 0.25, .seed = 7}).drawn == noisy.drawn);
  CHECK(with_label_noise(clean, {.rate = 0.25, .seed = 8}).drawn != noisy.drawn);
  CHECK(label_noise_csv({}) == "index,clean,noisy\n");
}

TEST_CASE("label noise: a higher rate keeps the wrong labels of a lower one") {
  const Dataset clean = numbered(500, 5);
  const std::vector<DrawnLabel> low = with_label_noise(clean, {.rate = 0.2, .seed = 1}).drawn;
  const Dataset high = with_label_noise(clean, {.rate = 0.6, .seed = 1}).set;
  for (const DrawnLabel& d : low) CHECK(high.labels[static_cast<std::size_t>(d.index)] == d.noisy);
}

TEST_CASE("label noise: uniform over the images and over the other classes") {
  const std::int64_t n = 20000, k = 5;
  const NoisyDataset noisy = with_label_noise(numbered(n, k), {.rate = 0.5, .seed = 11});
  std::vector<std::int64_t> pairs(static_cast<std::size_t>(k * k), 0);
  std::int64_t early = 0;
  for (const DrawnLabel& d : noisy.drawn) {
    ++pairs[static_cast<std::size_t>(d.clean * k + d.noisy)];
    early += d.index < n / 2;
  }
  // 10,000 drawn: 500 for each pair of classes, half of them among the first images; five deviations.
  for (std::int64_t from = 0; from < k; ++from)
    for (std::int64_t to = 0; to < k; ++to) {
      const std::int64_t count = pairs[static_cast<std::size_t>(from * k + to)];
      if (from == to)
        CHECK(count == 0);
      else
        CHECK(std::abs(count - 500) < 5 * 22);
    }
  CHECK(std::abs(early - 5000) < 5 * 36);
}

TEST_CASE("label noise over all classes leaves one in K as it was, and lists it") {
  const Dataset clean = numbered(20000, 5);
  const NoisyDataset noisy =
      with_label_noise(clean, {.rate = 0.5, .seed = 11, .target = NoiseTarget::all_classes});
  CHECK(noisy.drawn.size() == 10000);
  CHECK(std::abs(changed(clean, noisy.set) - 8000) < 5 * 40);
  std::vector<std::int64_t> targets(5, 0);
  for (const DrawnLabel& d : noisy.drawn) ++targets[static_cast<std::size_t>(d.noisy)];
  for (const std::int64_t count : targets) CHECK(std::abs(count - 2000) < 5 * 40);
}

TEST_CASE("label noise: two classes at rate 1 change places") {
  const NoisyDataset noisy = with_label_noise(numbered(9, 2), {.rate = 1});
  CHECK(noisy.set.labels == std::vector<std::int64_t>{1, 0, 1, 0, 1, 0, 1, 0, 1});
}

TEST_CASE("label noise: what cannot be done is said in words") {
  Dataset set = numbered(10, 2);
  CHECK_THROWS_WITH_AS(with_label_noise(set, {.rate = 20}),
                       "label noise: the rate is a share from 0 to 1 (0.2 for 20 %), got 20", UsageError);
  CHECK_THROWS_AS(with_label_noise(set, {.rate = -0.1}), UsageError);
  CHECK_THROWS_AS(with_label_noise(set, {.rate = std::numeric_limits<double>::quiet_NaN()}), UsageError);
  CHECK_THROWS_WITH_AS(with_label_noise(numbered(10, 1), {.rate = 0.1}),
                       "label noise: numbered (train) has no second class to draw", UsageError);
  set.split = "test";
  CHECK_THROWS_WITH_AS(with_label_noise(set, {.rate = 0.1}),
                       "label noise: numbered (test) stays clean; change training labels only", UsageError);
}
