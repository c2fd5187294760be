// Sets of pictures through the commands: lists and tar shards train alike, `data get`, and a folder with
// every kind of broken file.
#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "apps/commands/commands.h"
#include "core/io/archive.h"
#include "core/io/files.h"
#include "core/io/json.h"
#include "data/formats/png.h"
#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"
#include "tests/core/tensor_testing.h"
#include "tests/data/crafted.h"
#include "tests/data/golden.h"
#include "tests/data/tars.h"

using namespace basin;
using test::picture_bytes, test::train, test::Words, test::write_file;
namespace fs = std::filesystem;

namespace {

struct Answer {
  int code = -1;
  std::string out;
};

/// `basin data` in this process; an error as its code and message.
Answer data_says(const Words& words) {
  Answer answer;
  std::ostringstream out, err;
  const std::string failure = test::failure([&] {
    const apps::Parsed call = test::parsed("data", words);
    apps::Terminal terminal(out, err, {}, call.call->output());
    answer.code = static_cast<int>(call.call->run(terminal));
  });
  if (!failure.empty()) answer.code = std::stoi(failure);
  answer.out = out.str() + failure;
  return answer;
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string png_of(std::int64_t height, std::int64_t width, std::size_t shade) {
  data::Image image = data::Image::black(height, width);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>((i * 7 + shade * 90) % 256);
  return data::encode_png(image);
}

/// A PNG whose header claims another size, its checksum right.
std::string claiming(std::string png, std::uint32_t width, std::uint32_t height) {
  const auto put = [&png](std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) png[at + i] = static_cast<char>(value >> (24 - 8 * i));
  };
  put(16, width);
  put(20, height);
  put(29, static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const unsigned char*>(png.data()) + 12, 17)));
  return png;
}

apps::TrainConfig tiny(const std::string& run, const Words& more) {
  Words words = {"--image-size", "16", "--model", "lenet5", "--epochs", "2", "--batch-size", "4",
                 "--run",        run,  "--quiet", "--seed", "3"};
  words.insert(words.end(), more.begin(), more.end());
  return test::train_config(words);
}

}  // namespace

TEST_CASE("a list and tar shards of the same pictures train to the same bits, and resume") {
  test::TemporaryDirectory dir;
  std::string csv = "file,class\n", members;
  for (std::size_t i = 0; i < 10; ++i) {
    const std::string name = std::to_string(i), png = png_of(20 + static_cast<std::int64_t>(i), 24, i);
    write_file(dir / (name + ".png"), png);
    csv += name + ".png," + (i % 3 == 0 ? "cat" : "dog") + "\n";
    members += test::tar_member({.name = name + ".png", .content = png}) +
               test::tar_member({.name = name + ".cls", .content = i % 3 == 0 ? "0" : "1"});
  }
  for (const char* split : {"train", "test"}) {
    write_file(dir / (std::string(split) + ".csv"), csv);
    write_file(dir / (std::string(split) + "-0.tar"), members + test::tar_end());
  }
  const Words list = {"--data", "list", "--data-dir", dir.path(), "--augment", "basic,mixup=0.5"};
  Words shards = list;
  shards[1] = "webdataset";
  REQUIRE(train(tiny(dir / "list", list)).code == 0);
  Words stopped = shards;
  stopped.insert(stopped.end(), {"--stop-after-steps", "4", "--train-shards", "train-{0..0}.tar"});
  REQUIRE(train(tiny(dir / "shards", stopped)).code == 0);
  REQUIRE(train(test::train_config({"--resume", dir / "shards", "--data-dir", dir.path(), "--quiet"})).code ==
          0);
  // Beside the numbers the files name their data sets, and the classes of shards have no names.
  const Archive of_shards(dir / "shards" + "/final.safetensors"),
      of_list(dir / "list" + "/final.safetensors");
  REQUIRE(of_shards.names() == of_list.names());
  for (const std::string& name : of_list.names())
    CHECK(tensor_testing::same_bits(of_shards.read(name), of_list.read(name)));
  CHECK(of_shards.metadata().count("class_names") == 0);
  CHECK(of_list.metadata().at("class_names") == "[\"cat\",\"dog\"]");

  const Answer verified = data_says({"verify", "--data", "webdataset", "--data-dir", dir.path()});
  CHECK(verified.code == 0);
  CHECK(data_says({"verify", "--data", "list", "--data-dir", dir.path(), "--json"}).code == 0);
  CHECK(data_says({"verify", "--data", "webdataset"}).code == 2);
  CHECK(holds(data_says({"show", "--data", "list", "--data-dir", dir.path(), "--train-shards", "x"}).out,
              "--data webdataset"));
  CHECK(data_says({"verify", "--data", "synthetic"}).code == 0);
}

TEST_CASE("data show: batches as training has them, an epoch below the other") {
  test::TemporaryDirectory dir;
  const auto show = [&](const std::string& name, const Words& more) {
    Words words = {"show", "--data",    "synthetic", "--count", "6",       "--columns",
                   "6",    "--enlarge", "1",         "--out",   dir / name};
    words.insert(words.end(), more.begin(), more.end());
    const Answer answer = data_says(words);
    CHECK_MESSAGE(answer.code == 0, answer.out);
    return test::picture_at(dir / name);
  };
  const data::Image plain = show("plain.png", {"--augment", "none"});
  CHECK(plain.height == 32 + 2 * 2);
  const data::Image twice = show("twice.png", {"--augment", "none", "--epochs", "2"});
  CHECK(twice.height == 2 * 32 + 3 * 2);
  for (const char* augment : {"mixup=1", "cutmix=1", "batch-cutout=12"}) {
    CAPTURE(augment);
    const data::Image mixed = show("mixed.png", {"--augment", augment, "--epoch", "1"});
    CHECK(mixed.pixels != plain.pixels);
    CHECK(show("again.png", {"--augment", augment, "--epoch", "1"}) == mixed);
    CHECK(show("later.png", {"--augment", augment, "--epoch", "2"}).pixels != mixed.pixels);
  }
}

TEST_CASE("data get: what cannot be fetched is said with everything needed to do it by hand") {
  test::TemporaryDirectory dir;
  const std::string path = ::getenv("PATH") ? ::getenv("PATH") : "";
  ::setenv("PATH", dir.path().c_str(), 1);  // no curl there
  const Answer offline = data_says({"get", "mnist", "--data-dir", dir / "data"});
  ::setenv("PATH", path.c_str(), 1);
  CHECK(offline.code == 3);
  CHECK(holds(offline.out, "3: the program curl cannot be started"));
  for (const char* part :
       {"https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz", "4,542 bytes",
        "sha256 f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "data/mnist/train-images-idx3-ubyte.gz"})
    CHECK_MESSAGE(holds(offline.out, part), part);
  fs::create_directories(dir / "data/cifar-10-batches-bin");
  const Answer there = data_says({"get", "cifar10", "--data-dir", dir / "data"});
  CHECK(there.code == 0);
  CHECK(holds(there.out, "there already"));
  const Answer cars = data_says({"get", "cars", "--data-dir", dir / "data"});
  CHECK(cars.code == 3);
  CHECK(holds(cars.out, "data/tools/cars_to_csv.py"));
  CHECK(holds(data_says({"get", "cifar11", "--data-dir", "x"}).out, "did you mean cifar10"));
  for (const Words& words : {Words{"get"},
                             {"get", "mnist"},
                             {"get", "--data", "mnist", "--data-dir", "x"},
                             {"get", "mnist", "--data", "mnist", "--data-dir", "x"},
                             {"show", "mnist"}})
    CHECK(data_says(words).code == 2);
}

TEST_CASE("a folder with every kind of broken file: fail names one, skip lists all, verify lists all") {
  test::TemporaryDirectory dir;
  const std::string photos = dir / "photos", folder = photos + "/train/cats/";
  const std::string png = png_of(24, 24, 1), jpeg = picture_bytes("photo.jpg");
  for (const char* name : {"/train/cats", "/train/dogs", "/val/cats", "/val/dogs"}) {
    fs::create_directories(photos + name);
    for (const char* picture : {"1.png", "2.png", "3.png"})
      write_file(photos + name + "/" + picture, png_of(20, 24, static_cast<std::size_t>(picture[0])));
  }
  std::string flipped = png;
  flipped[png.size() - 20] = static_cast<char>(flipped[png.size() - 20] ^ 4);
  const std::vector<std::pair<std::string, std::string>> broken = {
      {"a-empty.jpg", ""},
      {"b-cut.jpg", jpeg.substr(0, jpeg.size() / 2)},
      {"c-cut.png", png.substr(0, png.size() / 2)},
      {"d-text.jpg", "This is no picture.\n"},
      {"e-page.png", "<!DOCTYPE html><html></html>"},
      {"f-other-format.jpg", "GIF89a"},
      {"g-no-width.png", claiming(png, 0, 24)},
      {"h-huge.png", claiming(png, 1u << 30, 1u << 30)},
      {"i-sum.png", flipped},
      {"j-header-alone.jpg", jpeg.substr(0, 20)},
  };
  // Each has its reason and its place.
  std::vector<std::string> bad;
  for (const auto& [name, bytes] : broken) {
    write_file(folder + name, bytes);
    bad.push_back(name);
  }
  fs::create_symlink("nowhere.jpg", folder + "k-dangling.jpg");
  bad.push_back("k-dangling.jpg");
  if (::geteuid() != 0) {  // root reads everything
    write_file(folder + "l-secret.png", png);
    fs::permissions(folder + "l-secret.png", fs::perms::none);
    bad.push_back("l-secret.png");
  }
  // Odd, and fine: CMYK, a wrong ending, a folder called a picture.
  write_file(folder + "ok-cmyk.jpg", picture_bytes("cmyk.jpg"));
  write_file(folder + "ok-ending.png", jpeg);
  fs::create_directories(folder + "ok-folder.jpg");

  const Answer verified = data_says({"verify", "--data-dir", photos});
  CHECK(verified.code == 7);
  for (const std::string& name : bad) CHECK_MESSAGE(holds(verified.out, folder + name + ": "), name);
  CHECK_FALSE(holds(verified.out, "/ok-"));
  const Json report = parse_json(data_says({"verify", "--data-dir", photos, "--json"}).out);
  CHECK(report.at("splits").array()[0].at("bad").array().size() == bad.size());

  const Words data = {"--data", "folder", "--data-dir", photos};
  // A file that is not there shows before anything is trained, damage when it is met.
  const std::string gone = test::failure([&] { train(tiny(dir / "fails", data)); });
  CHECK_MESSAGE(gone.starts_with("3: " + folder + "k-dangling.jpg: No such file"), gone);
  CHECK_FALSE(fs::exists(dir / "fails"));
  fs::remove(folder + "k-dangling.jpg");
  const std::string failed = test::failure([&] { train(tiny(dir / "fails", data)); });
  fs::create_symlink("nowhere.jpg", folder + "k-dangling.jpg");
  CHECK_MESSAGE(failed.starts_with("3: example "), failed);
  CHECK_MESSAGE(
      std::any_of(bad.begin(), bad.end(), [&](const std::string& name) { return holds(failed, name); }),
      failed);
  Words skip = data;
  skip.insert(skip.end(), {"--bad-image", "skip"});
  const test::Said skipped = train(tiny(dir / "skips", skip));
  CHECK(skipped.code == 0);
  for (const std::string& name : bad) CHECK_MESSAGE(holds(skipped.err, folder + name + ": "), name);
  CHECK_FALSE(holds(skipped.err, "/ok-"));
}
