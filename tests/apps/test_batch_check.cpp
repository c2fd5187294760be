// A single image behind a global pooling has one value a channel: a batch norm there cannot train on it, and
// a run that would meet one is refused before it has a folder.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"

namespace {

using namespace basin;

std::string refusal(const std::string& run, test::Words more,
                    const std::string& model = "resnet18-imagenet") {
  test::Words words = {"--data", "synthetic", "--model", model, "--epochs", "1", "--run", run, "--quiet"};
  words.insert(words.end(), more.begin(), more.end());
  return test::failure([&] { test::train(test::train_config(words)); });
}

TEST_CASE(
    "a last batch or micro-batch of one image is found before the run, if a batch norm cannot take it") {
  test::TemporaryDirectory dir;
  const std::string run = dir / "run";
  const auto refused = [&](const test::Words& more, const std::string& what) {
    const std::string said = refusal(run, more);
    CHECK_MESSAGE(said.starts_with("2: [batches] " + what + " is a single image, of which 'layer4"), said);
    CHECK_FALSE(std::filesystem::exists(run));
  };
  refused({"--limit", "5", "--batch-size", "4"}, "the last batch of an epoch");
  refused({"--limit", "5", "--batch-size", "4", "--dry-run"}, "the last batch of an epoch");
  refused({"--limit", "5", "--batch-size", "4", "--average", "swa", "--average-start", "1",
           "--bn-recalibration", "equal-batches"},
          "the last batch of an epoch");
  refused({"--limit", "4", "--batch-size", "1"}, "every batch");
  refused({"--limit", "6", "--batch-size", "3", "--sharpness", "sam", "--micro", "own", "--micro-size", "2"},
          "a micro-batch");
  refused(
      {"--limit", "6", "--batch-size", "6", "--sharpness", "sam", "--micro", "shared", "--micro-size", "5"},
      "a micro-batch");
}

TEST_CASE("a last batch of one image is none of the check's business where nothing normalises it alone") {
  test::TemporaryDirectory dir;
  const test::Words one = {"--limit", "5", "--batch-size", "4"};
  CHECK(refusal(dir / "resnet8", one, "resnet8").empty());  // its last norm sees 8 x 8 values
  CHECK(refusal(dir / "mlp", one, "mlp").empty());
  test::Words frozen = one;
  frozen.insert(frozen.end(), {"--norm-statistics", "frozen", "--dry-run"});
  CHECK(refusal(dir / "frozen", frozen).empty());
}

}  // namespace
