// How a run begins: nothing is made or removed before all that can fail is done, and a process killed at any
// moment of it leaves a folder that can be started, resumed or replaced.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "apps/runs/checkpoint.h"
#include "core/io/files.h"
#include "tests/apps/training.h"
#include "tests/core/system_faults.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using test::failure, test::Said, test::small, test::TemporaryDirectory, test::train, test::weights;
namespace fs = std::filesystem;

namespace {

/// Every file below a folder, with its bytes.
std::map<std::string, std::string> content(const std::string& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) all[entry.path().string()] = read_file(entry.path().string());
  return all;
}

apps::TrainConfig resumed(const std::string& run) { return test::train_config({"--resume", run, "--quiet"}); }

/// The options of `words` with those of `more`, which take the place of some.
test::Words joined(const test::Words& words, const test::Words& more) {
  test::Words all = more;
  for (std::size_t i = 0; i + 1 < words.size(); i += 2)
    if (std::find(more.begin(), more.end(), words[i]) == more.end())
      all.insert(all.end(), {words[i], words[i + 1]});
  return all;
}

test::Words with(test::Words words, const char* flag) {
  words.push_back(flag);
  return words;
}

const test::Words kFirst = {"--model", "lenet5", "--epochs", "1"};  // has no normalisation layer

}  // namespace

TEST_CASE("a mistake that only the built model shows: --force leaves the old run, a new one no folder") {
  const TemporaryDirectory dir;
  const std::string run = dir / "run", none = dir / "none";
  REQUIRE(train(small(run, kFirst)).code == 0);
  const auto before = content(run);
  const test::Words mistakes[] = {
      {"--sharpness", "sam", "--perturb", "named", "--perturb-names", "nope"},
      {"--sharpness", "sam", "--perturb", "norms"},
      {"--sharpness", "sam", "--perturb", "norms", "--micro", "own", "--micro-size", "32"},
      {"--init", dir / "missing.safetensors"},
      {"--freeze", "nope"},
      {"--data-dir", dir / "nowhere", "--data", "cifar10"},
      {"--average", "swa", "--recalibrate-last", "--bn-recalibration", "equal-batches", "--model",
       "resnet18-imagenet", "--limit", "65"}};
  for (const test::Words& mistake : mistakes) {
    CAPTURE(mistake.back());
    const std::string said = failure([&] { train(small(run, with(joined(kFirst, mistake), "--force"))); });
    CHECK(said.size() > 3);
    CHECK(content(run) == before);
    CHECK(failure([&] { train(small(none, joined(kFirst, mistake))); }) == said);
    CHECK_FALSE(fs::exists(none));
    CHECK(failure([&] { train(small(none, with(joined(kFirst, mistake), "--dry-run"))); }) == said);
  }
}

TEST_CASE("--force --init of the weights of the run that it replaces") {
  const TemporaryDirectory dir;
  const std::string run = dir / "run", other = dir / "other";
  REQUIRE(train(small(run, kFirst)).code == 0);
  fs::copy_file(run + "/final.safetensors", dir / "start.safetensors");
  REQUIRE(train(small(other, joined(kFirst, {"--init", dir / "start.safetensors"}))).code == 0);
  const Said said =
      train(small(run, with(joined(kFirst, {"--init", run + "/final.safetensors"}), "--force")));
  CHECK(said.code == 0);
  CHECK(weights(run) == weights(other));
}

TEST_CASE("killed while config.toml is written: what the writer left is no obstacle") {
  const TemporaryDirectory dir;
  for (const bool force : {false, true}) {
    const std::string run = dir / ("run" + std::to_string(force));
    fs::create_directory(run);
    std::ofstream(run + "/.basin-999999-0.tmp") << "[data]\nna";
    CHECK(failure([&] { test::train_config({"--resume", run}); }).starts_with("4: "));
    CHECK(train(small(run, force ? with(kFirst, "--force") : kFirst)).code == 0);
    CHECK_FALSE(fs::exists(run + "/.basin-999999-0.tmp"));
  }
}

TEST_CASE("killed amid --force: whatever is left of the old run can be resumed and replaced") {
  const TemporaryDirectory dir;
  const std::string whole = dir / "whole";
  const test::Words words = {"--model", "lenet5", "--epochs", "2", "--ensemble", "snapshot", "--cycles", "2"};
  REQUIRE(train(small(whole, words)).code == 0);
  // Each unlink in turn is the one at which the process ends.
  static int left = 0;
  const auto faulty = [](const char* call) { return std::string(call) == "unlink" && left-- <= 0 ? EIO : 0; };
  for (int unlinks = 0;; ++unlinks) {
    CAPTURE(unlinks);
    const std::string run = dir / ("run" + std::to_string(unlinks));
    fs::copy(whole, run, fs::copy_options::recursive);
    left = unlinks;
    {
      const test::WithFault failing(faulty);
      failure([&] { train(small(run, with(words, "--force"))); });
    }
    if (left > 0) break;
    const std::string copy = run + "-copy";
    fs::copy(run, copy, fs::copy_options::recursive);
    CHECK(failure([&] { train(small(run, words)); }).find("--force") != std::string::npos);
    CHECK(train(resumed(run)).code == 0);
    CHECK(weights(run) == weights(whole));
    CHECK(train(small(copy, with(words, "--force"))).code == 0);
    CHECK(weights(copy) == weights(whole));
    REQUIRE(unlinks < 40);
  }
}

TEST_CASE("killed before the first checkpoint: --resume starts over, from --init too") {
  const TemporaryDirectory dir;
  const std::string straight = dir / "straight", killed = dir / "killed";
  REQUIRE(train(small(dir / "start", kFirst)).code == 0);
  const test::Words words = joined(kFirst, {"--init", dir / "start/final.safetensors", "--lr", "0.01"});
  REQUIRE(train(small(straight, words)).code == 0);
  REQUIRE(train(small(killed, words)).code == 0);
  for (const auto& file : apps::list_checkpoints(killed)) fs::remove(file.path);
  CHECK(train(resumed(killed)).code == 0);
  CHECK(weights(killed) == weights(straight));
  CHECK(test::timeless_records(killed) == test::timeless_records(straight));
}
