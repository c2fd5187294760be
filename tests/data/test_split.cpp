// Splits and subsets: nothing lost, nothing twice, equal shares, and fixed by the seed.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/error.h"
#include "data/loading/split.h"
#include "data/sets/synthetic.h"
#include "tests/data/numbered.h"

using namespace basin;
using namespace basin::data;
using test::numbered;
using test::numbers_of;

namespace {

using Indices = std::vector<std::int64_t>;

Indices joined(const Indices& a, const Indices& b) {
  Indices all = a;
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());
  return all;
}

Indices counting(std::int64_t begin, std::int64_t end) {
  Indices all;
  for (std::int64_t i = begin; i < end; ++i) all.push_back(i);
  return all;
}

Indices class_counts(const Dataset& set) {
  Indices counts(static_cast<std::size_t>(set.classes()), 0);
  for (const std::int64_t label : set.labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

bool contains(const Indices& large, const Indices& small) {
  return std::includes(large.begin(), large.end(), small.begin(), small.end());
}

}  // namespace

TEST_CASE("split: two disjoint parts in the order of the whole, images with their labels") {
  const Dataset whole = numbered(1000, 7);
  for (const std::int64_t n : {1, 100, 999}) {
    const HeldOut parts = split(whole, n, 4);
    CHECK(parts.validation.size() == n);
    CHECK(parts.train.size() == 1000 - n);
    CHECK(parts.train.split == "train");
    CHECK(parts.validation.split == "validation");
    CHECK(numbers_of(parts.train) == parts.train_indices);
    CHECK(numbers_of(parts.validation) == parts.validation_indices);
    CHECK(std::is_sorted(parts.train_indices.begin(), parts.train_indices.end()));
    CHECK(std::is_sorted(parts.validation_indices.begin(), parts.validation_indices.end()));
    CHECK(joined(parts.train_indices, parts.validation_indices) == counting(0, 1000));
    for (std::size_t i = 0; i < parts.validation.labels.size(); ++i)
      CHECK(parts.validation.labels[i] == parts.validation_indices[i] % 7);
    CHECK(parts.train.hash == content_hash(parts.train));
    CHECK(parts.validation.hash == content_hash(parts.validation));
  }
}

TEST_CASE("split: fixed by the seed, the same on every machine") {
  const Dataset whole = synthetic({.train = 20, .test = 1}, 1, true);
  const HeldOut parts = split(whole, 5, 7);
  // Pinned: a change of these changes every result with a validation split.
  CHECK(parts.validation_indices == Indices{7, 10, 16, 17, 19});
  CHECK(parts.train.hash == "4d1e8ed44dd53451fdce25f5f458e3476455cf80761d104224aaf0967828f5a0");
  CHECK(parts.validation.hash == "b7a6026e616208945322ee724da0fd36b58dba272649d3448ae3d0b14178e50f");
  CHECK(split(whole, 5, 7).train.hash == parts.train.hash);
  CHECK(split(whole, 5, 8).validation_indices != parts.validation_indices);
  CHECK(contains(split(whole, 9, 7).validation_indices, parts.validation_indices));
}

TEST_CASE("split: every image is as likely as another to be held out") {
  // 400 seeds, 1 of 5 held out: 80 times each, deviation 8.
  std::vector<int> times(25, 0);
  const Dataset whole = numbered(25, 2);
  for (std::uint64_t seed = 0; seed < 400; ++seed)
    for (const std::int64_t i : split(whole, 5, seed).validation_indices)
      ++times[static_cast<std::size_t>(i)];
  for (const int count : times) CHECK(std::abs(count - 80) < 40);
}

TEST_CASE("split_last: the end of the set, sharing the pixels") {
  const Dataset whole = numbered(50, 3);
  const HeldOut parts = split_last(whole, 5);
  CHECK(parts.train_indices == counting(0, 45));
  CHECK(parts.validation_indices == counting(45, 50));
  CHECK(numbers_of(parts.train) == parts.train_indices);
  CHECK(numbers_of(parts.validation) == parts.validation_indices);
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(parts.validation.labels[i] == static_cast<std::int64_t>(45 + i) % 3);
  CHECK(parts.train.hash == first(whole, 45).hash);
  CHECK(parts.train.images.shares_storage(whole.images));
  CHECK(parts.validation.images.shares_storage(whole.images));
  CHECK(parts.train.split == "train");
  CHECK(parts.validation.split == "validation");
}

TEST_CASE("subset: equal shares of the classes, in the order of the set") {
  const Dataset whole = numbered(1000, 7);
  for (const std::int64_t n : {1, 6, 7, 100, 700, 1000}) {
    const Dataset part = subset(whole, n, 2);
    CHECK(part.size() == n);
    for (const std::int64_t count : class_counts(part)) {
      CHECK(count >= std::min<std::int64_t>(n / 7, 142));
      CHECK(count <= (n + 6) / 7);
    }
    const Indices kept = numbers_of(part);
    CHECK(std::is_sorted(kept.begin(), kept.end()));
    CHECK(std::adjacent_find(kept.begin(), kept.end()) == kept.end());
    for (std::size_t i = 0; i < kept.size(); ++i) CHECK(part.labels[i] == kept[i] % 7);
    CHECK(part.split == "train");
  }
  CHECK(subset(whole, 1000, 2).hash == whole.hash);
  CHECK(contains(numbers_of(subset(whole, 200, 2)), numbers_of(subset(whole, 90, 2))));
}

TEST_CASE("subset: a class that runs out leaves its share to the others") {
  std::vector<std::int64_t> labels(50, 0);
  for (const std::size_t place : {3, 20, 47}) labels[place] = 1;
  labels[10] = 2;
  CHECK(class_counts(subset(numbered(labels, 4), 20, 5)) == Indices{16, 3, 1, 0});
}

TEST_CASE("subset: fixed by the seed, the same on every machine") {
  const Dataset whole = synthetic({.train = 40, .test = 1}, 1, true);
  // Pinned: a change of these changes every result on a subset.
  CHECK(numbers_of(subset(numbered(40, 10), 15, 7)) ==
        Indices{1, 3, 4, 7, 8, 9, 20, 22, 26, 27, 30, 33, 34, 35, 36});
  CHECK(subset(whole, 15, 7).hash == "3a4762b7009ea93266375d2879234237e88f03dcb8cae8d3f92d1771d5e9894d");
  CHECK(subset(whole, 15, 8).hash != subset(whole, 15, 7).hash);
  // A subset is no copy of what split() holds out with the same seed.
  const Dataset plain = numbered(200, 1);
  CHECK(numbers_of(subset(plain, 20, 7)) != split(plain, 20, 7).validation_indices);
}

TEST_CASE("select: images in the order asked for") {
  const Dataset whole = numbered(300, 4);
  const Dataset part = select(whole, {299, 0, 7, 7});
  CHECK(numbers_of(part) == Indices{299, 0, 7, 7});
  CHECK(part.labels == Indices{3, 0, 3, 3});
  CHECK_FALSE(part.images.shares_storage(whole.images));
  CHECK_THROWS_WITH_AS(select(whole, {0, 300}), "[select] no image 300 in numbered (train), which has 300",
                       ArgumentError);
  CHECK_THROWS_AS(select(whole, {-1}), ArgumentError);
  CHECK_THROWS_AS(select(whole, {}), ArgumentError);
}

TEST_CASE("split and subset: impossible sizes name the numbers") {
  const Dataset whole = numbered(10, 2);
  for (const std::int64_t n : {-1, 0, 10, 11}) {
    CHECK_THROWS_AS(split(whole, n, 0), UsageError);
    CHECK_THROWS_AS(split_last(whole, n), UsageError);
  }
  CHECK_THROWS_WITH_AS(
      split(whole, 10, 0),
      "numbered (train) has 10 images; cannot hold 10 of them out for validation (1 to 9 can "
      "be)",
      UsageError);
  CHECK_THROWS_WITH_AS(subset(whole, 11, 0), "numbered (train) has 10 images; cannot draw a subset of 11",
                       UsageError);
  CHECK_THROWS_AS(subset(whole, 0, 0), UsageError);
}
