// Training runs on a device, which is asked for steps while the reports of earlier ones are still under way:
// all that is written is what the CPU writes, which reads each report before the next step.
#include <doctest/doctest.h>

#include <fstream>

#include "apps/runs/checkpoint.h"
#include "core/io/archive.h"
#include "core/io/files.h"
#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"
#include "tests/device/test_device.h"
#include "tests/optim/problems.h"

using namespace basin;
using basin::testing::test_device;
using test::failure, test::small, test::TemporaryDirectory, test::timeless_records, test::train,
    test::weights, test::Words;

namespace {

apps::TrainConfig config(Device device, const std::string& run, const Words& more) {
  Words words = {"--model", "lenet5", "--epochs", "2", "--limit", "184", "--batch-size", "16"};
  words.insert(words.end(), more.begin(), more.end());
  apps::TrainConfig all = small(run, words);
  all.device.device = device;
  return all;
}

/// No file names the test device.
apps::TrainConfig resumed(Device device, const std::string& run) {
  std::string recipe = read_file(run + "/config.toml");
  recipe.replace(recipe.find("\"test:0\""), 8, "\"cpu\"");
  std::ofstream(run + "/config.toml") << recipe;
  apps::TrainConfig all = test::train_config({"--resume", run, "--quiet"});
  all.device.device = device;
  return all;
}

/// The tensors of a run's checkpoints, newest first, by the names of the files.
void expect_same_checkpoints(const std::string& a, const std::string& b) {
  const auto x = apps::list_checkpoints(a), y = apps::list_checkpoints(b);
  REQUIRE(x.size() == y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    CAPTURE(x[i].path);
    REQUIRE(x[i].step == y[i].step);
    const Archive left(x[i].path), right(y[i].path);
    REQUIRE(left.names() == right.names());
    for (const std::string& name : left.names())
      CHECK_MESSAGE(optim::testing::same_bits(left.read(name), right.read(name)), name);
  }
}

void expect_same_runs(const std::string& a, const std::string& b) {
  CHECK(timeless_records(a) == timeless_records(b));
  expect_same_checkpoints(a, b);
}

}  // namespace

TEST_CASE("steps ahead: records, checkpoints and weights of a run on a device are the CPU's") {
  for (const Words& words :
       {Words{"--checkpoint-every", "5steps", "--keep", "4"},
        Words{"--sharpness", "looksam", "--every", "3", "--optimizer", "adamw", "--average", "ema"},
        Words{"--sharpness", "sam", "--average", "swa", "--average-start", "1", "--augment",
              "basic,mixup=0.4"}}) {
    CAPTURE(words.at(1));
    const TemporaryDirectory dir;
    CHECK(train(config({}, dir / "here", words)).code == 0);
    CHECK(train(config(test_device(), dir / "there", words)).code == 0);
    expect_same_runs(dir / "there", dir / "here");
    CHECK(weights(dir / "there") == weights(dir / "here"));
  }
}

TEST_CASE("steps ahead: a run that stops in the middle has made as many steps as it was told, and goes on") {
  const TemporaryDirectory dir;
  const Words words = {"--sharpness", "fsam", "--optimizer", "adam"};
  CHECK(train(config(test_device(), dir / "straight", words)).code == 0);
  for (const char* steps : {"1", "6", "13"}) {
    CAPTURE(steps);
    const std::string run = dir / steps;
    Words stopped = words;
    stopped.insert(stopped.end(), {"--stop-after-steps", steps});
    CHECK(train(config(test_device(), run, stopped)).code == 0);
    CHECK(apps::list_checkpoints(run).front().step == std::stoll(steps));
    CHECK(test::lines(run + "/steps.jsonl").size() == static_cast<std::size_t>(std::stoll(steps)));
    CHECK(train(resumed(test_device(), run)).code == 0);
    CHECK(timeless_records(run) == timeless_records(dir / "straight"));
    CHECK(weights(run) == weights(dir / "straight"));
  }
}

TEST_CASE(
    "steps ahead: at the limit of skipped steps the saved state is the one before them, as on the CPU") {
  const TemporaryDirectory dir;
  const Words words = {"--lr", "1e30", "--skip-limit", "4", "--optimizer", "adamw", "--average", "ema"};
  const auto run = [&](Device device, const char* name) {
    return failure([&] { train(config(device, dir / name, words)); });
  };
  const std::string here = run({}, "here"), there = run(test_device(), "there");
  CHECK(here.starts_with("5: step "));
  CHECK(here.substr(0, here.find("):")) == there.substr(0, there.find("):")));
  CHECK(here.find("nothing of this step was applied, the state before it is in") != std::string::npos);
  CHECK(there.find("nothing of this step was applied, the state before it is in") != std::string::npos);
  expect_same_runs(dir / "there", dir / "here");
}
