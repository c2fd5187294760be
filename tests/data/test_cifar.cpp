// The CIFAR reader on small files: planes to channels, sizes, labels, damage.
#include <doctest/doctest.h>

#include <string>

#include "core/error.h"
#include "core/random.h"
#include "data/formats/cifar.h"
#include "tests/core/temporary_directory.h"
#include "tests/data/crafted.h"

using namespace basin;
using namespace basin::test;
using namespace basin::data;

namespace {

constexpr std::size_t kPixels = 3072;

// A record: its label bytes, then pixels that tell plane and place apart.
Bytes record(const Bytes& labels, std::uint8_t first) {
  Bytes bytes = labels;
  for (std::size_t i = 0; i < kPixels; ++i)
    bytes.push_back(static_cast<std::uint8_t>(first + i / 1024 * 80 + i % 79));
  return bytes;
}

struct Read {
  Bytes pixels;
  std::vector<std::int64_t> labels;
};

Read read(const std::string& path, const CifarLayout& layout, std::int64_t records) {
  Read result{.pixels = Bytes(static_cast<std::size_t>(records) * kPixels), .labels = {}};
  read_cifar(path, layout, records, result.pixels.data(), result.labels);
  return result;
}

}  // namespace

TEST_CASE("cifar: planes become channels, the last label byte is the label") {
  const TemporaryDirectory dir;
  write_file(dir / "ten", record({3}, 0) + record({9}, 5));
  write_file(dir / "hundred", record({11, 99}, 0) + record({19, 42}, 5));
  const Read ten = read(dir / "ten", kCifar10, 2);
  const Read hundred = read(dir / "hundred", kCifar100, 2);
  CHECK(ten.labels == std::vector<std::int64_t>{3, 9});
  CHECK(hundred.labels == std::vector<std::int64_t>{99, 42});
  CHECK(ten.pixels == hundred.pixels);
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t place = 0; place < 1024; ++place) {
      for (std::size_t c = 0; c < 3; ++c) {
        const std::size_t expected = n * 5 + c * 80 + (c * 1024 + place) % 79;
        REQUIRE(ten.pixels[n * kPixels + place * 3 + c] == expected);
      }
    }
  }
}

TEST_CASE("cifar: files of another size, labels out of range") {
  const TemporaryDirectory dir;
  const std::string path = dir / "file";
  const auto refused = [&](const Bytes& bytes, const CifarLayout& layout, const std::string& reason) {
    write_file(path, bytes);
    CHECK_THROWS_WITH_AS(read(path, layout, 2), (path + ": " + reason).c_str(), DataError);
  };
  Bytes file = record({3}, 0) + record({9}, 5);
  file.pop_back();
  refused(file, kCifar10, "6145 bytes, expected 6146 (2 records of 3073 bytes); the file is cut off");
  refused({}, kCifar10, "0 bytes, expected 6146 (2 records of 3073 bytes); the file is cut off");
  file.resize(6147);
  refused(file, kCifar10, "6147 bytes, expected 6146 (2 records of 3073 bytes); this is another file");
  refused(record({3}, 0) + record({10}, 5), kCifar10, "label 10 at record 1 is not below 10");
  refused(record({0, 255}, 0) + record({0, 1}, 5), kCifar100, "label 255 at record 0 is not below 100");
  CHECK_THROWS_WITH_AS(read(dir / "none", kCifar10, 2), (dir / "none: No such file or directory").c_str(),
                       DataError);
}

TEST_CASE("cifar: truncations and bit flips give a DataError or valid labels") {
  const TemporaryDirectory dir;
  const std::string path = dir / "file";
  const Bytes good = record({3}, 0) + record({9}, 5);
  int refused = 0;
  int valid = 0;
  for (std::uint64_t trial = 0; trial < 600; ++trial) {
    Random random(trial, Stream::user);
    Bytes bad = good;
    if (random.below(3) == 0) bad.resize(random.below(bad.size() + 1));
    for (std::uint64_t flips = random.below(4); flips > 0 && !bad.empty(); --flips) {
      const std::size_t at =
          random.below(2) == 0 ? 0 : random.below(bad.size());  // the label every other time
      bad[at] ^= static_cast<std::uint8_t>(1u << random.below(8));
    }
    write_file(path, bad);
    try {
      for (const std::int64_t label : read(path, kCifar10, 2).labels) REQUIRE(label < 10);
      ++valid;
    } catch (const DataError&) {
      ++refused;
    }
  }
  CHECK(refused > 200);
  CHECK(valid > 50);
}
