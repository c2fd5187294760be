// What a run knows of its data: files checked before training, content compared when it is resumed, classes
// and pictures counted.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "apps/cli/signals.h"
#include "apps/evaluation/data_identity.h"
#include "apps/runs/data_files.h"
#include "core/io/files.h"
#include "core/io/json.h"
#include "data/formats/png.h"
#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"
#include "tests/data/crafted.h"
#include "tests/data/golden.h"

using namespace basin;
using test::train, test::Words, test::write_file;
namespace fs = std::filesystem;

namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string png_of(std::size_t shade, std::int64_t height = 20, std::int64_t width = 24) {
  data::Image image = data::Image::black(height, width);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>((i * 7 + shade * 90) % 256);
  return data::encode_png(image);
}

/// A folder with 2 x 4 training and 2 x 2 test pictures, all different.
struct Photos {
  test::TemporaryDirectory dir;
  std::string root = dir / "photos";

  Photos() {
    std::size_t shade = 0;
    for (const auto& [split, count] : {std::pair("train", 4), std::pair("test", 2)})
      for (const char* name : {"cats", "dogs"})
        for (int i = 0; i < count; ++i)
          put(std::string(split) + "/" + name + "/" + std::to_string(i) + ".png", png_of(++shade));
  }
  void put(const std::string& path, const std::string& bytes) const {
    const fs::path file = fs::path(root) / path;
    fs::create_directories(file.parent_path());
    write_file(file.string(), bytes);
  }
  apps::TrainConfig config(const std::string& run, const Words& more = {}, const char* size = "16") const {
    Words words = {"--data",    "folder", "--data-dir", root,           "--model", "lenet5",       "--epochs",
                   "2",         "--lr",   "0.01",       "--run",        dir / run, "--seed",       "3",
                   "--augment", "none",   "--quiet",    "--batch-size", "4",       "--image-size", size};
    words.insert(words.end(), more.begin(), more.end());
    return test::train_config(words);
  }
  test::Said run(const std::string& name, const Words& more = {}, const char* size = "16") const {
    return train(config(name, more, size));
  }
  std::string failure(const std::string& name, const Words& more = {}, const char* size = "16") const {
    return test::failure([&] { run(name, more, size); });
  }
  apps::TrainConfig resumed(const std::string& name, const Words& more = {}) const {
    Words words = {"--resume", dir / name, "--data-dir", root, "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    return test::train_config(words);
  }
  std::string resume_failure(const std::string& name, const Words& more = {}) const {
    return test::failure([&] { train(resumed(name, more)); });
  }
};

test::Said data_tool(const Words& words) {
  test::Said said;
  std::ostringstream out, err;
  const std::string failure = test::failure([&] {
    const apps::Parsed call = test::parsed("data", words);
    apps::Terminal terminal(out, err, {}, call.call->output());
    said.code = static_cast<int>(call.call->run(terminal));
  });
  if (!failure.empty()) said.code = std::stoi(failure);
  said.out = out.str() + failure;
  said.err = err.str();
  return said;
}

/// Changes the last byte but keeps the size.
void change_content(const std::string& path) {
  std::string bytes = read_file(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file(path, bytes);
}

}  // namespace

TEST_CASE("a run is resumed on pictures of the same content only, and says which are others") {
  const Photos photos;
  REQUIRE(photos.run("r", {"--stop-after-steps", "2"}).code == 0);
  CHECK(apps::read_data_files(photos.dir / "r/data-files.tsv").size() == 12);
  fs::copy(photos.dir / "r", photos.dir / "copied");
  fs::copy(photos.dir / "r", photos.dir / "unrecorded");
  fs::remove(photos.dir / "unrecorded/data-files.tsv");

  // Another place and other times, but the same bytes.
  const std::string moved = photos.dir / "moved";
  fs::copy(photos.root, moved, fs::copy_options::recursive);
  CHECK(train(test::train_config({"--resume", photos.dir / "copied", "--data-dir", moved, "--quiet"})).code ==
        0);

  const std::string path = photos.root + "/test/dogs/1.png";
  const fs::file_time_type time = fs::last_write_time(path);
  change_content(path);
  fs::last_write_time(path, time);
  const std::string said = photos.resume_failure("r");
  CHECK_MESSAGE(holds(said,
                      "4: [resume] the data are not those that the run began with: 1 of 12 differ: "
                      "test dogs/1.png has other content; bring them back"),
                said);
  CHECK(holds(photos.resume_failure("unrecorded"),
              "the data are not those that the run began with: their hash"));
  change_content(path);
  CHECK(train(photos.resumed("r")).code == 0);

  photos.put("train/cats/9.png", png_of(77));
  fs::remove(photos.root + "/train/dogs/0.png");
  CHECK_MESSAGE(
      holds(photos.resume_failure("r"), "2 of 12 differ: train cats/9.png is new, train dogs/0.png is gone"),
      photos.resume_failure("r"));
}

TEST_CASE("a checkpoint that knows its pictures by names and sizes alone is taken with a warning") {
  const Photos photos;
  REQUIRE(photos.run("r", {"--stop-after-steps", "2"}).code == 0);
  // As earlier versions wrote it: the hash of names and sizes, no record.
  const auto older = [](apps::TrainingPosition position) {
    position.data_hash = position.extra.at("data_by_sizes").string();
    Json extra = Json::Object{};
    for (const auto& [key, value] : position.extra.object())
      if (key != "data_by_sizes") extra.set(key, value);
    position.extra = extra;
    return position;
  };
  apps::TrainingPosition saved;
  saved.extra.set("data_by_sizes", "s");
  apps::RunData data;
  data.hash = "content";
  data.hash_by_sizes = "s";
  std::ostringstream out, err;
  apps::Terminal terminal(out, err, {}, {});
  apps::TrainingPosition old = older(saved);
  apps::know_data_again(old, data, photos.dir / "none", terminal);
  CHECK(old.data_hash == "content");
  CHECK(holds(err.str(), "by names and sizes alone"));
  data.hash_by_sizes = "t";
  old = older(saved);
  CHECK_THROWS_AS(apps::know_data_again(old, data, photos.dir / "none", terminal), CheckpointError);
  // The content was known, but is not now; or is known, and another.
  saved.data_hash = "other content";
  data.hash = data.hash_by_sizes = "s";
  CHECK_NOTHROW(apps::know_data_again(saved, data, photos.dir / "none", terminal));
  saved.data_hash = "other content";
  data.hash = "content";
  CHECK_THROWS_AS(apps::know_data_again(saved, data, photos.dir / "none", terminal), CheckpointError);
}

TEST_CASE(
    "known sums are taken from the record where the stamp is the same, and --data-check full reads all") {
  const Photos photos;
  apps::LoadPlan plan{.training = true};
  const apps::DataConfig config = photos.config("r").data;
  const apps::RunData data = apps::load_run_data(config, 1, plan);
  write_file(photos.dir / "list", apps::to_text(data.files));
  plan.known = apps::read_data_files(photos.dir / "list");
  REQUIRE(plan.known.size() == data.files.size());
  CHECK(apps::difference(plan.known, data.files).empty());
  for (auto& [key, file] : plan.known) file.sum = std::string(64, 'a');
  CHECK(apps::load_run_data(config, 1, plan).files[0].sum == std::string(64, 'a'));
  for (auto& [key, file] : plan.known) file.stamp.changed += 1;
  CHECK(apps::load_run_data(config, 1, plan).files[0].sum == data.files[0].sum);
  for (auto& [key, file] : plan.known) file.stamp.changed -= 1;
  apps::DataConfig full = config;
  full.check = apps::DataCheck::full;
  CHECK(apps::load_run_data(full, 1, plan).files[0].sum == data.files[0].sum);
  // Odd names travel through the record.
  const std::vector<apps::DataFile> odd = {{.part = "train", .path = "a\\b\nc\td e", .label = 2, .sum = "x"}};
  write_file(photos.dir / "odd", apps::to_text(odd));
  CHECK(apps::difference(apps::read_data_files(photos.dir / "odd"), odd).empty());
  write_file(photos.dir / "odd", std::string("part\tnonsense\n1\n"));
  CHECK(apps::read_data_files(photos.dir / "odd").empty());
}

TEST_CASE("a run on other images in memory says which part is another") {
  test::TemporaryDirectory dir;
  REQUIRE(train(test::small(dir / "r", {"--stop-after-steps", "1"})).code == 0);
  std::string record = read_file(dir / "r/data-files.tsv");
  CHECK(holds(record, "train"));
  apps::DataFiles recorded = apps::read_data_files(dir / "r/data-files.tsv");
  std::vector<apps::DataFile> now;
  for (const auto& [key, file] : recorded) now.push_back(file);
  now[0].sum[0] = now[0].sum[0] == '0' ? '1' : '0';
  CHECK(apps::difference(recorded, now) == "1 of 2 differ: the " + now[0].part + " images are others");
}

TEST_CASE("files that are not there, or no files, end a training before it begins") {
  const Photos photos;
  REQUIRE(::mkfifo((photos.root + "/test/dogs/pipe.png").c_str(), 0600) == 0);
  const std::string said = photos.failure("r");
  CHECK_MESSAGE(holds(said, "3: " + photos.root + "/test/dogs/pipe.png: a device or pipe"), said);
  CHECK(holds(photos.failure("r", {"--dry-run"}), "pipe.png"));
  CHECK_FALSE(fs::exists(photos.dir / "r"));
  const test::Said verified = data_tool({"verify", "--data-dir", photos.root});
  CHECK(verified.code == 7);
  CHECK(holds(verified.out, "pipe.png: is a device or pipe"));
  const test::Said skipped = photos.run("r", {"--bad-image", "skip"});
  CHECK(skipped.code == 0);
  CHECK(holds(skipped.err, "left out: "));

  // A list may name a folder, or nothing.
  const std::string list = photos.dir / "list";
  fs::create_directories(list + "/a.png");
  write_file(list + "/b.png", png_of(1));
  write_file(list + "/train.csv", std::string("file,class\nb.png,x\nb.png,y\n"));
  for (const char* name : {"a.png", "none.png"}) {
    write_file(list + "/test.csv", "file,class\nb.png,x\n" + std::string(name) + ",y\n");
    const Words words = {"--data",   "list",    "--data-dir", list,    "--image-size",
                         "16",       "--model", "lenet5",     "--run", photos.dir / "list-run",
                         "--epochs", "1",       "--quiet"};
    const std::string failed = test::failure([&] { train(test::train_config(words)); });
    CHECK_MESSAGE(failed.starts_with("3: " + list + "/" + name + ": "), failed);
    CHECK(data_tool({"verify", "--data", "list", "--data-dir", list}).code == 7);
  }
}

TEST_CASE("a picture too narrow to be resized is bad for verify and skip, as it is for training") {
  const Photos photos;
  photos.put("test/dogs/line.png", png_of(1, 1, 20000));
  CHECK(holds(photos.failure("r", {}, "64"), "line.png: 20000x1 pixels are too long and narrow"));
  const test::Said verified = data_tool({"verify", "--data-dir", photos.root});
  CHECK(verified.code == 7);
  CHECK(holds(verified.out, "line.png: 20000x1 pixels are too long and narrow"));
  CHECK(photos.run("skips", {"--bad-image", "skip"}, "64").code == 0);
  CHECK(data_tool({"verify", "--data-dir", photos.root, "--image-size", "16"}).code == 0);
}

TEST_CASE("training counts what it passes over, and pictures in train and test alike") {
  const Photos photos;
  photos.put("train/cats/phone.heic", "?");
  photos.put("train/cats/notes.txt", "?");
  photos.put("test/cats/copy.png", png_of(1));
  photos.put("test/cats/stray.jpg", test::picture_bytes("photo.jpg") + "more");
  for (const Words& words : {Words{}, Words{"--dry-run"}}) {
    const test::Said said = photos.run("r", words);
    CHECK(said.code == 0);
    CHECK_MESSAGE(holds(said.err, "train: 1 pictures are passed over: cats/phone.heic: "), said.err);
    CHECK(holds(said.err, "1 of 6 test pictures are training pictures too, byte for byte: " + photos.root +
                              "/test/cats/copy.png is " + photos.root + "/train/cats/0.png"));
  }
  CHECK(holds(read_file(photos.dir / "r/log.txt"), "train: 1 other files are passed over"));
  const test::Said verified = data_tool({"verify", "--data-dir", photos.root});
  CHECK(verified.code == 0);
  CHECK(holds(verified.out, "copy.png: the same bytes as the training picture"));
  CHECK(holds(verified.out, "1 pictures with stray bytes, which cost no pixel, the first " + photos.root +
                                "/test/cats/stray.jpg: 4 bytes after the end marker"));
  CHECK(holds(verified.out, "phone.heic"));
  const Json report = parse_json(data_tool({"verify", "--data-dir", photos.root, "--json"}).out);
  CHECK(report.at("splits").array()[1].at("in_train").array().size() == 1);
  CHECK(report.at("splits").array()[1].at("stray").array().size() == 1);
}

TEST_CASE("classes without an image are warned of, with the counts") {
  const Photos photos;
  const test::Said limited = photos.run("limited", {"--limit", "3"});
  CHECK_MESSAGE(
      holds(limited.err, "warning: 1 of 2 classes have no training image (dogs 0, cats 3); --limit takes"),
      limited.err);
  const test::Said held = photos.run("held", {"--validation", "2", "--validation-from", "end"});
  CHECK(holds(held.err,
              "warning: 1 of 2 classes have no validation image (cats 0, dogs 2); --validation-from end"));
  CHECK_FALSE(holds(photos.run("all").err, "classes have no"));
  fs::remove_all(photos.root + "/test/cats");
  CHECK(holds(photos.run("untested").err, "1 of 2 classes have no test image (cats 0, dogs 2)"));
}

TEST_CASE("every loop over data ends on a signal, with its exit code and how far it came") {
  const Photos photos;
  apps::install_signal_handlers();
  const std::vector<std::pair<Words, std::string>> loops = {
      {{"verify", "--data-dir", photos.root}, "143: listing folder: terminated (SIGTERM) after 0"},
      {{"verify", "--data", "synthetic"}, "143: comparing train: terminated (SIGTERM) after 0 of "},
      {{"show", "--data", "synthetic", "--out", photos.dir / "x.png"}, "143: epoch 0: terminated"},
      {{"show", "--data", "folder", "--data-dir", photos.root, "--out", photos.dir / "x.png"},
       "143: listing"}};
  for (const auto& [words, expected] : loops) {
    std::raise(SIGTERM);
    const test::Said said = data_tool(words);
    apps::clear_interruption();
    CHECK(said.code == 143);
    CHECK_MESSAGE(holds(said.out, expected), said.out);
  }
  std::raise(SIGINT);
  const std::string skip = photos.failure("r", {"--bad-image", "skip"});
  apps::clear_interruption();
  CHECK_MESSAGE(skip.starts_with("130: "), skip);
  CHECK_FALSE(fs::exists(photos.dir / "r"));

  REQUIRE(photos.run("trained").code == 0);
  std::raise(SIGTERM);
  const std::string evaluating = test::failure([&] {
    test::run_command("eval", {"--run", photos.dir / "trained"});
  });
  apps::clear_interruption();
  CHECK_MESSAGE(evaluating.starts_with("143: listing folder: "), evaluating);
}

TEST_CASE("data commands refuse options that they would not use, and use those that they take") {
  const Photos photos;
  CHECK(data_tool({"verify", "--data-dir", photos.root, "--workers", "2"}).code == 2);
  CHECK(data_tool({"show", "--data", "synthetic", "--workers", "2"}).code == 2);
  CHECK(data_tool({"verify", "--data-dir", photos.root, "--bad-image", "skip"}).code == 2);
  CHECK(data_tool({"get", "mnist", "--data-dir", photos.root, "--limit", "2"}).code == 2);
  CHECK(data_tool({"verify", "--data", "synthetic", "--augment", "basic"}).code == 2);
  CHECK(data_tool({"show", "--data", "synthetic", "--count", "4096", "--epochs", "4096", "--enlarge", "32"})
            .code == 2);
  write_file(photos.root + "/train/dogs/3.png", std::string("not a picture"));
  CHECK(data_tool({"verify", "--data-dir", photos.root}).code == 7);
  CHECK(data_tool({"verify", "--data-dir", photos.root, "--limit", "7"}).code == 0);
  CHECK(data_tool({"verify", "--data-dir", photos.root, "--limit", "9"}).code == 2);
  photos.put("train/dogs/3.png", png_of(1, 300, 20000));  // too narrow for large sizes alone
  CHECK(data_tool({"verify", "--data-dir", photos.root, "--image-size", "32", "--augment", "none"}).code ==
        0);
  CHECK(data_tool({"verify", "--data-dir", photos.root, "--image-size", "2000", "--augment", "none"}).code ==
        7);
  CHECK(data_tool({"verify", "--data-dir", photos.root, "--image-size", "2000", "--augment", "basic"}).code ==
        0);
}
