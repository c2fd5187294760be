// Data sets by name: folders, mismatched files, limits, and the real Fashion-MNIST where it is installed.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/error.h"
#include "data/sets/load.h"
#include "tests/core/contains.h"
#include "tests/core/temporary_directory.h"
#include "tests/data/crafted.h"

using namespace basin;
using namespace basin::test;
using namespace basin::data;
namespace fs = std::filesystem;

namespace {

// What loading throws, as text; "" if it loads.
std::string refusal(const DataRequest& request) {
  try {
    load_data_set(request);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

// A data set of 4x3 pictures in MNIST's files, `zipped` or plain.
void write_mnist(const std::string& dir, bool zipped, std::uint32_t train = 6, std::uint32_t test = 2) {
  fs::create_directories(dir);
  const auto write = [&](const std::string& name, const Bytes& bytes) {
    write_file(dir + "/" + name + (zipped ? ".gz" : ""), zipped ? gzip(bytes) : bytes);
  };
  write("train-images-idx3-ubyte", idx_header({train, 4, 3}) + counting(train * 12));
  write("train-labels-idx1-ubyte", idx_header({train}) + counting(train, 10));
  write("t10k-images-idx3-ubyte", idx_header({test, 4, 3}) + counting(test * 12));
  write("t10k-labels-idx1-ubyte", idx_header({test}) + counting(test, 10));
}

}  // namespace

TEST_CASE("load: an MNIST folder, plain or gzip, itself or a parent") {
  const TemporaryDirectory dir;
  write_mnist(dir / "plain", false);
  write_mnist(dir / "zipped", true);
  write_mnist(dir / "torchvision/MNIST/raw", false);
  const LoadedData plain = load_data_set({.name = "mnist", .dir = dir / "plain"});
  CHECK(plain.train.name == "mnist");
  CHECK(plain.train.split == "train");
  CHECK(plain.test.split == "test");
  CHECK(plain.train.images.shape() == Shape{6, 4, 3, 1});
  CHECK(plain.train.images.to_vector<std::uint8_t>() == counting(72));
  CHECK(plain.train.labels == std::vector<std::int64_t>{0, 7, 4, 1, 8, 5});
  CHECK(plain.test.size() == 2);
  CHECK(plain.train.classes() == 10);
  CHECK(plain.train.hash.size() == 64);
  CHECK(plain.train.hash != plain.test.hash);
  for (const char* other : {"zipped", "torchvision"}) {
    const LoadedData same = load_data_set({.name = "mnist", .dir = dir / other});
    CHECK(same.train.hash == plain.train.hash);
    CHECK(same.test.hash == plain.test.hash);
  }
}

TEST_CASE("load: missing files are listed, with the way to get them") {
  const TemporaryDirectory dir;
  const std::string fashion = refusal({.name = "fashion-mnist", .dir = dir.path()});
  CHECK(contains(fashion, "fashion-mnist: no train-images-idx3-ubyte found; looked for " +
                              (dir / "train-images-idx3-ubyte")));
  CHECK(contains(fashion, dir / "FashionMNIST/raw/train-images-idx3-ubyte.gz"));
  CHECK(contains(fashion, "apt-get install dataset-fashion-mnist"));
  CHECK(contains(refusal({.name = "cifar10"}),
                 "cifar10: no data directory given (--data-dir DIR); get it with: basin data get cifar10"));
  CHECK(contains(refusal({.name = "cifar10", .dir = dir.path()}), "no data_batch_1.bin found"));
  CHECK(contains(refusal({.name = "cifar100", .dir = dir.path()}), dir / "cifar-100-binary/train.bin"));
  CHECK(contains(refusal({.name = "mnist", .dir = dir / "nowhere"}), "no train-images-idx3-ubyte found"));
}

TEST_CASE("load: IDX files that do not belong together") {
  const TemporaryDirectory dir;
  write_mnist(dir.path(), false);
  const std::string labels = dir / "train-labels-idx1-ubyte";
  write_file(labels, idx_header({5}) + counting(5, 10));
  CHECK(refusal({.name = "mnist", .dir = dir.path()}) ==
        labels + ": 5 labels, but " + (dir / "train-images-idx3-ubyte") + " has 6 images");
  write_file(labels, idx_header({6}) + Bytes{0, 1, 2, 255, 4, 5});
  CHECK(refusal({.name = "mnist", .dir = dir.path()}) ==
        labels + ": label 255 at position 3 is not below 10");
  write_mnist(dir.path(), false);
  write_file(dir / "t10k-images-idx3-ubyte", idx_header({2, 3, 4}) + counting(24));
  CHECK(refusal({.name = "mnist", .dir = dir.path()}) == "mnist: training images are 4x3, test images 3x4");
  write_mnist(dir.path(), false);
  fs::remove(dir / "train-images-idx3-ubyte");
  write_file(dir / "train-images-idx3-ubyte.gz", "<!DOCTYPE html><title>404 Not Found</title>");
  CHECK(
      contains(refusal({.name = "mnist", .dir = dir.path()}), "train-images-idx3-ubyte.gz: not an IDX file"));
}

TEST_CASE("load: names and limits") {
  CHECK_THROWS_WITH_AS(
      load_data_set({.name = "cifar"}),
      "unknown data set 'cifar'; known are fashion-mnist, mnist, cifar10, cifar100, synthetic", UsageError);
  CHECK(known_data_sets().size() == 5);
  const SyntheticOptions small{.size = 8, .train = 30, .test = 10};
  const LoadedData all = load_data_set({.name = "synthetic", .synthetic = small});
  const LoadedData limited = load_data_set({.name = "synthetic", .limit = 7, .synthetic = small});
  CHECK(limited.train.size() == 7);
  CHECK(limited.train.images.shape() == Shape{7, 8, 8, 3});
  CHECK(limited.train.hash != all.train.hash);
  CHECK(limited.test.hash == all.test.hash);
  CHECK(limited.train.hash == first(all.train, 7).hash);
  CHECK_THROWS_WITH_AS(load_data_set({.name = "synthetic", .limit = 31, .synthetic = small}),
                       "synthetic (train) has 30 images; cannot take the first 31", UsageError);
  CHECK_THROWS_AS(load_data_set({.name = "synthetic", .limit = -1, .synthetic = small}), UsageError);
}

TEST_CASE("finished: fields that contradict each other") {
  const auto refused = [](auto&& change) {
    Dataset set = synthetic({.size = 8, .train = 3, .test = 1}, 0, true);
    change(set);
    CHECK_THROWS_AS(finished(set), DataError);
  };
  refused([](Dataset& set) { set.labels[2] = 10; });
  refused([](Dataset& set) { set.labels[0] = -1; });
  refused([](Dataset& set) { set.labels.pop_back(); });
  refused([](Dataset& set) { set.mean.pop_back(); });
  refused([](Dataset& set) { set.deviation[1] = 0; });
  refused([](Dataset& set) { set.images = {}; });
  refused([](Dataset& set) { set.images = set.images.reshape(Shape{3, 8, 24}); });
  refused([](Dataset& set) { set.images = set.images.to(Dtype::f32); });
}

TEST_CASE("content_hash: sees every label and pixel, and no name") {
  Dataset set = synthetic({.size = 8, .train = 3, .test = 1}, 0, true);
  const std::string hash = content_hash(set);
  set.name = "other";
  CHECK(content_hash(set) == hash);
  set.labels[1] ^= 1;
  CHECK(content_hash(set) != hash);
  set.labels[1] ^= 1;
  set.images = set.images.clone();
  set.images.mutable_data<std::uint8_t>()[100] ^= 1;
  CHECK(content_hash(set) != hash);
}

TEST_CASE("slow: load: CIFAR-10 and CIFAR-100 at full size from sparse files") {
  const TemporaryDirectory dir;
  const auto sparse = [&](const std::string& name, std::uintmax_t bytes) {
    fs::create_directories(fs::path(dir / name).parent_path());
    write_file(dir / name, Bytes{7, 9});  // CIFAR-10: label 7, first red value 9; CIFAR-100: fine label 9
    fs::resize_file(dir / name, bytes);
  };
  for (int i = 1; i <= 5; ++i)
    sparse("cifar-10-batches-bin/data_batch_" + std::to_string(i) + ".bin", 30'730'000);
  sparse("cifar-10-batches-bin/test_batch.bin", 30'730'000);
  for (const char* folder : {"", "cifar-10-batches-bin"}) {
    const LoadedData data = load_data_set({.name = "cifar10", .dir = dir / folder});
    CHECK(data.train.images.shape() == Shape{50'000, 32, 32, 3});
    CHECK(data.test.images.shape() == Shape{10'000, 32, 32, 3});
    for (std::size_t file = 0; file < 5; ++file) {
      CHECK(data.train.labels[file * 10'000] == 7);
      CHECK(data.train.images.data<std::uint8_t>()[file * 10'000 * 3072] == 9);
    }
  }
  fs::resize_file(dir / "cifar-10-batches-bin/data_batch_4.bin", 30'729'999);
  CHECK(refusal({.name = "cifar10", .dir = dir.path()}) ==
        (dir / "cifar-10-batches-bin/data_batch_4.bin") +
            ": 30729999 bytes, expected 30730000 (10000 records of 3073 bytes); the file is cut off");
  sparse("cifar-100-binary/train.bin", 153'700'000);
  sparse("cifar-100-binary/test.bin", 30'740'000);
  const LoadedData hundred = load_data_set({.name = "cifar100", .dir = dir.path(), .limit = 10});
  CHECK(hundred.train.labels[0] == 9);
  CHECK(hundred.train.size() == 10);
  CHECK(hundred.train.classes() == 100);
}

TEST_CASE("slow: load: Debian's Fashion-MNIST") {
  if (!fs::exists("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz")) {
    MESSAGE("SKIPPED: package dataset-fashion-mnist is not installed");
    return;
  }
  const LoadedData data = load_data_set({.name = "fashion-mnist"});
  CHECK(data.train.images.shape() == Shape{60'000, 28, 28, 1});
  CHECK(data.test.images.shape() == Shape{10'000, 28, 28, 1});
  std::vector<int> counts(10, 0);
  for (const std::int64_t label : data.train.labels) ++counts[static_cast<std::size_t>(label)];
  for (const int count : counts) CHECK(count == 6000);
  double sum = 0;
  double squares = 0;
  const std::uint8_t* pixels = data.train.images.data<std::uint8_t>();
  const auto n = static_cast<double>(data.train.images.elements());
  for (std::int64_t i = 0; i < data.train.images.elements(); ++i) {
    sum += pixels[i] / 255.0;
    squares += pixels[i] / 255.0 * (pixels[i] / 255.0);
  }
  CHECK(std::abs(sum / n - data.train.mean[0]) < 1e-4);
  CHECK(std::abs(std::sqrt(squares / n - sum / n * (sum / n)) - data.train.deviation[0]) < 1e-4);
  CHECK(data.train.class_names[static_cast<std::size_t>(data.train.labels[0])] == "Ankle boot");
}
