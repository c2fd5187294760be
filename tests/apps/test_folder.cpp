// Pictures in folders through the commands: train, resume, data verify, show, split and subset.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "apps/commands/commands.h"
#include "core/io/files.h"
#include "core/io/json.h"
#include "data/formats/png.h"
#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"
#include "tests/data/golden.h"

using namespace basin;
using test::small, test::train, test::Words;
namespace fs = std::filesystem;

TEST_CASE("a folder of pictures trains, resumes and is evaluated, and broken files do what was asked") {
  test::TemporaryDirectory dir;
  const auto picture = [](std::int64_t height, std::int64_t width, int shade) {
    data::Image image = data::Image::black(height, width);
    for (std::size_t i = 0; i < image.pixels.size(); ++i)
      image.pixels[i] = static_cast<std::uint8_t>((i * 7 + static_cast<std::size_t>(shade) * 90) % 256);
    return image;
  };
  const std::string photos = dir / "photos";
  for (const char* split : {"train", "val"})
    for (int k = 0; k < 2; ++k) {
      const std::string folder = photos + "/" + split + "/" + (k == 0 ? "cats" : "dogs");
      fs::create_directories(folder);
      for (int i = 0; i < 6; ++i)
        data::write_png(folder + "/" + std::to_string(i) + ".png", picture(20 + 3 * i, 24, k));
    }
  const auto of = [&](const std::string& run, const Words& more) {
    Words words = {"--data",   "folder", "--data-dir",   photos, "--image-size", "16", "--model", "resnet8",
                   "--epochs", "2",      "--batch-size", "4",    "--run",        run,  "--quiet", "--seed",
                   "3"};
    words.insert(words.end(), more.begin(), more.end());
    return test::train_config(words);
  };
  REQUIRE(train(of(dir / "straight", {"--validation", "2", "--label-noise", "0.3"})).code == 0);
  CHECK(parse_json(read_file((dir / "straight") + "/result.json")).find("test_accuracy") != nullptr);
  CHECK(test::lines((dir / "straight") + "/label_noise.csv").size() == 4);
  REQUIRE(train(of(dir / "halved", {"--validation", "2", "--label-noise", "0.3", "--stop-after-steps", "4"}))
              .code == 0);
  REQUIRE(train(test::train_config(
                    {"--resume", dir / "halved", "--data-dir", photos, "--workers", "0", "--quiet"}))
              .code == 0);
  CHECK(test::weights(dir / "halved") == test::weights(dir / "straight"));

  std::ofstream(photos + "/train/dogs/broken.jpg") << "no picture";
  const std::string said = test::failure([&] { train(of(dir / "fails", {})); });
  CHECK(said.starts_with("3: "));
  CHECK(said.find("broken.jpg") != std::string::npos);
  const test::Said skipped = train(of(dir / "skips", {"--bad-image", "skip"}));
  CHECK(skipped.code == 0);

  const auto refused = [&](const Words& words, const char* why) {
    const std::string reason = test::failure([&] { train(of(dir / "refused", words)); });
    CHECK_MESSAGE((reason.starts_with("2: ") && reason.find(why) != std::string::npos), reason);
  };
  refused({"--augment", "cutout"}, "cutout");
  refused({"--limit", "99"}, "pictures");
  CHECK(test::failure([&] {
          train(small(dir / "refused", {"--image-size", "32"}));
        }).find("--data folder") != std::string::npos);

  // Looked at before: each bad file by name, and a sheet of what the network would see.
  const auto look = [&](const Words& words) {
    const test::Said looked = test::run_command("data", words);
    return std::pair(looked.code, looked.out);
  };
  const auto [bad, listed] = look({"verify", "--data-dir", photos});
  CHECK(bad == 7);
  CHECK(listed.find("broken.jpg") != std::string::npos);
  fs::remove(photos + "/train/dogs/broken.jpg");
  CHECK(look({"verify", "--data-dir", photos}).first == 0);
  const auto [shown, where] =
      look({"show", "--data", "folder", "--data-dir", photos, "--image-size", "16", "--augment",
            "basic,autoaugment", "--count", "5", "--out", dir / "sheet.png"});
  CHECK(shown == 0);
  CHECK(where.find("5 training images") != std::string::npos);
  CHECK(test::picture_at(dir / "sheet.png").width == 5 * 32 + 6 * 2);

  // The lists of a split and a subset are what runs with these options train on: the same weights come of
  // them.
  const auto same_from_list = [&](const std::string& lists, const std::string& run) {
    const std::string other = lists + "-run";
    REQUIRE(train(test::train_config({"--data", "list", "--data-dir", lists, "--image-size", "16", "--model",
                                      "resnet8", "--epochs", "2", "--batch-size", "4", "--run", other,
                                      "--quiet", "--seed", "3"}))
                .code == 0);
    const Words both = {"diff", run + "/final.safetensors", other + "/final.safetensors"};
    return test::run_command("ckpt", both).code == 0;
  };
  REQUIRE(train(of(dir / "held", {"--validation", "3", "--data-seed", "5"})).code == 0);
  const auto [cut, lists] =
      look({"split", "--data-dir", photos, "--validation", "3", "--data-seed", "5", "-o", dir / "split"});
  CHECK(cut == 0);
  CHECK(lists.find("train.csv: 9 pictures\n") != std::string::npos);
  CHECK(lists.find("val.csv: 3 pictures\n") != std::string::npos);
  CHECK(test::lines(dir / "split/val.csv").size() == 4);
  CHECK(read_file(dir / "split/classes.txt") == "cats\ndogs\n");
  CHECK(same_from_list(dir / "split", dir / "held"));
  REQUIRE(train(of(dir / "few", {"--subset", "4"})).code == 0);
  CHECK(look({"subset", "--data-dir", photos, "--subset", "4", "-o", dir / "subset"}).first == 0);
  CHECK(test::lines(dir / "subset/test.csv").size() == 13);
  CHECK(same_from_list(dir / "subset", dir / "few"));
  CHECK(test::failure([&] {
          look({"split", "--data-dir", photos, "-o", dir / "no"});
        }).find("--validation N") != std::string::npos);
  CHECK(test::failure([&] {
          look({"split", "--data-dir", photos, "--validation", "12", "-o", dir / "no"});
        }).starts_with("2: "));
  CHECK_FALSE(fs::exists(dir / "no"));
  CHECK(test::failure([&] {
          look({"subset", "--data", "cifar10", "--subset", "4", "-o", dir / "no"});
        }).find("lists pictures in files") != std::string::npos);
  CHECK(test::failure([&] { look({"paint"}); }) ==
        "2: data: say what to do, verify, show, get, split or subset, not 'paint'");
  CHECK(test::failure([&] {
          look({"show", "--augment", "basic,mirror"});
        }).find("mirror") != std::string::npos);
}
