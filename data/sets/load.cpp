#include "data/sets/load.h"

#include <cstring>
#include <filesystem>
#include <functional>
#include <utility>

#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/utf8.h"
#include "data/formats/cifar.h"
#include "data/formats/file.h"
#include "data/formats/idx.h"
#include "data/sets/class_names.h"

namespace basin::data {
namespace {

constexpr const char* kFashionFolder = "/usr/share/datasets/fashion-mnist";

// One data set: how it is described, and how it is read.
struct Entry {
  DataSetInfo info;
  std::function<LoadedData(const Entry&, const DataRequest&)> load;
  std::vector<std::string> folders;  // where below --data-dir the files may be
  std::string default_dir;
  std::vector<std::string> class_names;
  std::vector<double> mean;
  std::vector<double> deviation;
};

Dataset described(const Entry& entry, const char* split) {
  return {.name = entry.info.name,
          .split = split,
          .class_names = entry.class_names,
          .mean = entry.mean,
          .deviation = entry.deviation};
}

// The first of `names` that exists in one of the entry's folders under the data directory.
std::string find_file(const Entry& entry, const DataRequest& request, const std::vector<std::string>& names) {
  const std::string& dir = request.dir.empty() ? entry.default_dir : request.dir;
  if (dir.empty()) {
    throw DataError(entry.info.name, ": no data directory given (--data-dir DIR); ", entry.info.source);
  }
  std::string searched;
  for (const std::string& folder : entry.folders) {
    for (const std::string& name : names) {
      const std::filesystem::path path = std::filesystem::path(dir) / folder / name;
      if (kind_of_file(path.string()) != FileKind::none) return path.string();
      searched += (searched.empty() ? "" : ", ") + path.string();
    }
  }
  throw DataError(entry.info.name, ": no ", names.front(), " found; looked for ", searched, packed_there(dir),
                  "; ", entry.info.source);
}

Dataset load_idx_split(const Entry& entry, const DataRequest& request, const std::string& prefix,
                       const char* split) {
  const auto find = [&](const std::string& stem, const std::string& rank) {
    return find_file(entry, request,
                     {stem + "-idx" + rank + "-ubyte", stem + "-idx" + rank + "-ubyte.gz",
                      stem + ".idx" + rank + "-ubyte"});
  };
  const std::string image_path = find(prefix + "-images", "3");
  const std::string label_path = find(prefix + "-labels", "1");
  const IdxArray images = read_idx(image_path, 3, request.watch);
  const IdxArray labels = read_idx(label_path, 1, request.watch);
  if (images.extents[0] != labels.extents[0]) {
    throw DataError(label_path, ": ", labels.extents[0], " labels, but ", image_path, " has ",
                    images.extents[0], " images");
  }
  Dataset set = described(entry, split);
  set.images = Tensor::from(images.values, {images.extents[0], images.extents[1], images.extents[2], 1});
  for (const std::uint8_t label : labels.values) {
    if (label >= set.classes()) {
      throw DataError(label_path, ": label ", int{label}, " at position ", set.labels.size(),
                      " is not below ", set.classes());
    }
    set.labels.push_back(label);
  }
  return finished(std::move(set));
}

LoadedData load_idx(const Entry& entry, const DataRequest& request) {
  LoadedData data{.train = load_idx_split(entry, request, "train", "train"),
                  .test = load_idx_split(entry, request, "t10k", "test")};
  if (data.train.height() != data.test.height() || data.train.width() != data.test.width()) {
    throw DataError(entry.info.name, ": training images are ", data.train.height(), 'x', data.train.width(),
                    ", test images ", data.test.height(), 'x', data.test.width());
  }
  return data;
}

Dataset load_cifar_split(const Entry& entry, const DataRequest& request, const CifarLayout& layout,
                         const std::vector<std::string>& files, std::int64_t records_a_file,
                         const char* split) {
  Dataset set = described(entry, split);
  const auto count = static_cast<std::int64_t>(files.size());
  std::vector<std::string> paths;  // all are found before memory is taken
  for (const std::string& file : files) paths.push_back(find_file(entry, request, {file}));
  set.images = Tensor::empty({count * records_a_file, 32, 32, 3}, Dtype::u8);
  std::uint8_t* pixels = set.images.mutable_data<std::uint8_t>();
  for (const std::string& path : paths) {
    read_cifar(path, layout, records_a_file, pixels, set.labels, request.watch);
    pixels += records_a_file * 32 * 32 * 3;
  }
  return finished(std::move(set));
}

LoadedData load_cifar10(const Entry& entry, const DataRequest& request) {
  const std::vector<std::string> train = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                          "data_batch_4.bin", "data_batch_5.bin"};
  return {.train = load_cifar_split(entry, request, kCifar10, train, 10'000, "train"),
          .test = load_cifar_split(entry, request, kCifar10, {"test_batch.bin"}, 10'000, "test")};
}

LoadedData load_cifar100(const Entry& entry, const DataRequest& request) {
  return {.train = load_cifar_split(entry, request, kCifar100, {"train.bin"}, 50'000, "train"),
          .test = load_cifar_split(entry, request, kCifar100, {"test.bin"}, 10'000, "test")};
}

LoadedData load_synthetic(const Entry&, const DataRequest& request) {
  return {.train = synthetic(request.synthetic, request.seed, true),
          .test = synthetic(request.synthetic, request.seed, false)};
}

// Means and deviations are those published with the recipes that users compare with.
const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = {
      {.info = {"fashion-mnist",
                "70,000 grey pictures of clothes, 28x28, 10 classes (IDX)",
                "get it with: basin data get fashion-mnist --data-dir DIR, or apt-get install "
                "dataset-fashion-mnist",
                {28, 28, 1},
                10},
       .load = load_idx,
       .folders = {"", "fashion-mnist", "FashionMNIST/raw"},
       .default_dir = kFashionFolder,
       .class_names = fashion_mnist_classes(),
       .mean = {0.2860},
       .deviation = {0.3530}},
      {.info = {"mnist",
                "70,000 handwritten digits, 28x28, 10 classes (IDX)",
                "get it with: basin data get mnist --data-dir DIR",
                {28, 28, 1},
                10},
       .load = load_idx,
       .folders = {"", "mnist", "MNIST/raw"},
       .default_dir = {},
       .class_names = mnist_classes(),
       .mean = {0.1307},
       .deviation = {0.3081}},
      {.info = {"cifar10",
                "60,000 colour photographs, 32x32, 10 classes (binary version)",
                "get it with: basin data get cifar10 --data-dir DIR",
                {32, 32, 3},
                10},
       .load = load_cifar10,
       .folders = {"", "cifar-10-batches-bin"},
       .default_dir = {},
       .class_names = cifar10_classes(),
       .mean = {0.4914, 0.4822, 0.4465},
       .deviation = {0.2470, 0.2435, 0.2616}},
      {.info = {"cifar100",
                "60,000 colour photographs, 32x32, 100 classes (binary version, fine labels)",
                "get it with: basin data get cifar100 --data-dir DIR",
                {32, 32, 3},
                100},
       .load = load_cifar100,
       .folders = {"", "cifar-100-binary"},
       .default_dir = {},
       .class_names = cifar100_classes(),
       .mean = {0.5071, 0.4865, 0.4409},
       .deviation = {0.2673, 0.2564, 0.2762}},
      {.info = {"synthetic",
                "stripes in noise, drawn from a seed; size and number by options",
                "",
                {32, 32, 3},
                10},
       .load = load_synthetic,
       .folders = {},
       .default_dir = {},
       .class_names = {},
       .mean = {},
       .deviation = {}},
  };
  return all;
}

}  // namespace

const std::vector<DataSetInfo>& known_data_sets() {
  static const std::vector<DataSetInfo> infos = [] {
    std::vector<DataSetInfo> list;
    for (const Entry& entry : entries()) list.push_back(entry.info);
    return list;
  }();
  return infos;
}

LoadedData load_data_set(const DataRequest& request) {
  std::string names;
  for (const Entry& entry : entries()) {
    if (entry.info.name == request.name) {
      LoadedData data = entry.load(entry, request);
      if (request.limit != 0) data.train = first(data.train, request.limit);
      return data;
    }
    names += (names.empty() ? "" : ", ") + entry.info.name;
  }
  throw UsageError("unknown data set ", quote(request.name), "; known are ", names);
}

}  // namespace basin::data
