// `basin ckpt`: verify, inspect, diff, average and prune on the files of small runs.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "apps/runs/checkpoint.h"
#include "apps/runs/run_directory.h"
#include "core/io/files.h"
#include "core/io/json.h"
#include "tests/apps/streams.h"
#include "tests/apps/training.h"
#include "tests/core/contains.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::apps;
using test::contains;
using test::failure, test::Said, test::small, test::train, test::Words;
namespace fs = std::filesystem;

namespace {

Said ckpt(const Words& words) { return test::run_command("ckpt", words); }

void flip_byte(const std::string& path, std::streamoff from_end) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(-from_end, std::ios::end);
  const auto byte = static_cast<char>(file.get() ^ 1);
  file.seekp(-from_end, std::ios::end);
  file.put(byte);
}

void write_weights(const std::string& path, const std::vector<float>& numbers, const std::string& more = "") {
  std::vector<ArchiveEntry> tensors = {
      {.name = "fc.weight", .tensor = Tensor::from(numbers, {static_cast<Index>(numbers.size())})}};
  if (!more.empty()) tensors.push_back({.name = more, .tensor = Tensor::from<float>({1, 2}, {2})});
  write_archive(path, tensors);
}

}  // namespace

TEST_CASE("ckpt verify, inspect and prune: a run's checkpoints, whole and damaged") {
  test::TemporaryDirectory dir;
  const std::string run = dir / "a";
  REQUIRE(train(small(run, {"--checkpoint-every", "1steps", "--keep", "4", "--average", "ema"})).code == 0);
  const Json whole = parse_json(ckpt({"verify", run, "--json"}).out);
  CHECK(whole.at("damaged").integer() == 0);
  CHECK(whole.at("files").array().size() == 6);  // four checkpoints, final, final-ema

  const std::vector<CheckpointFile> files = list_checkpoints(run);
  const Said inspected = ckpt({"inspect", files[0].path});
  CHECK(inspected.code == 0);
  CHECK(contains(inspected.out, "position  step 6: 2 epochs finished"));
  CHECK(contains(inspected.out, "resnet8, sgd, plain, average ema"));
  const Json parts = parse_json(ckpt({"inspect", files[0].path, "--json"}).out).at("parts");
  std::string names;
  for (const Json& part : parts.array()) names += part.at("name").string() + " ";
  CHECK(names == "average model optimizer ");
  CHECK(contains(ckpt({"inspect", run + "/final.safetensors", "--tensors"}).out, "conv1.weight"));

  flip_byte(files[1].path, 5);
  const Said damaged = ckpt({"verify", run});
  CHECK(damaged.code == 7);
  CHECK(contains(damaged.out, "damaged: "));
  CHECK(contains(damaged.out, "6 files, 1 damaged"));

  // The damaged one counts for none of the two that stay.
  const Said would = ckpt({"prune", run, "--keep", "2", "--dry-run"});
  CHECK(contains(would.out, "2 files, "));
  CHECK(list_checkpoints(run).size() == 4);
  CHECK(ckpt({"prune", run, "--keep", "2"}).code == 0);
  const std::vector<CheckpointFile> left = list_checkpoints(run);
  REQUIRE(left.size() == 2);
  CHECK(left[0].path == files[0].path);
  CHECK(left[1].path == files[2].path);
  {
    test::FakeTerminal terminal;
    TrainConfig config = small(run);
    config.run.resume = true;
    const RunDirectory held(config, terminal.terminal);
    CHECK(contains(failure([&] { ckpt({"prune", run}); }), "in use by another basin process (process "));
  }
  CHECK(list_checkpoints(run).size() == 2);
}

TEST_CASE("ckpt diff: the largest difference of each tensor, and exit 7") {
  test::TemporaryDirectory dir;
  write_weights(dir / "a", {1, 2, 3});
  write_weights(dir / "b", {1, 2.5, 3.25});
  write_weights(dir / "c", {1, 2, 3}, "bias");
  CHECK(ckpt({"diff", dir / "a", dir / "a"}).code == 0);
  const Said said = ckpt({"diff", dir / "a", dir / "b", "--json"});
  CHECK(said.code == 7);
  const Json json = parse_json(said.out);
  CHECK(json.at("largest").number() == 0.5);
  const Json& row = json.at("different").array()[0];
  CHECK(row.at("at").integer() == 1);
  CHECK(row.at("numbers").integer() == 2);
  CHECK(ckpt({"diff", dir / "a", dir / "b", "--tolerance", "0.5"}).code == 0);
  CHECK(ckpt({"diff", dir / "a", dir / "b", "--tolerance", "0.4"}).code == 7);
  const Said other = ckpt({"diff", dir / "a", dir / "c", "--tolerance", "9"});
  CHECK(other.code == 7);
  CHECK(contains(other.out, "only in the second: bias"));
  // Equal numbers, other bits.
  write_weights(dir / "zero", {0});
  write_weights(dir / "minus", {-0.0f});
  CHECK(ckpt({"diff", dir / "zero", dir / "minus"}).code == 7);
}

TEST_CASE("ckpt average: the mean, and statistics that belong to it") {
  test::TemporaryDirectory dir;
  write_weights(dir / "a", {1, 2, 3});
  write_weights(dir / "b", {2, 4, 3.5});
  CHECK(ckpt({"average", dir / "a", dir / "b", "-o", dir / "mean"}).code == 0);
  const Tensor mean = Archive(dir / "mean").read("fc.weight");
  CHECK(mean.to_vector<float>() == std::vector<float>{1.5f, 3.0f, 3.25f});
  write_weights(dir / "c", {1, 2});
  CHECK(contains(failure([&] {
                   ckpt({"average", dir / "a", dir / "c", "-o", dir / "no"});
                 }),
                 "weights of another network"));
  CHECK_FALSE(fs::exists(dir / "no"));

  // Of a checkpoint the model; with the run, statistics of the mean's own: those of a network that is
  // averaged with itself at the end of training are those that recalibration gives it.
  const std::string run = dir / "run";
  REQUIRE(train(small(run, {"--keep", "1"})).code == 0);
  const std::string last = run + "/final.safetensors", checkpoint = list_checkpoints(run)[0].path;
  const Said plain = ckpt({"average", last, checkpoint, "-o", dir / "plain.safetensors"});
  CHECK(contains(plain.err, "belongs to no one network's weights"));
  CHECK(ckpt({"diff", dir / "plain.safetensors", last}).code == 0);
  const Said own = ckpt({"average", last, checkpoint, "--run", run, "-o", dir / "own.safetensors", "--json"});
  CHECK(parse_json(own.out).at("recalibrated_on").integer() == 160);
  const Said apart = ckpt({"diff", dir / "own.safetensors", last, "--json"});
  const Json differences = parse_json(apart.out);
  for (const Json& row : differences.at("different").array())
    CHECK(contains(row.at("tensor").string(), ".running_"));
  CHECK(test::run_command("eval", {"--run", run, "--weights", dir / "own.safetensors"}).code == 0);
}

TEST_CASE("ckpt: what is asked for wrongly is said in one line") {
  CHECK(contains(test::parse_failure("ckpt", {}), "2: ckpt: nothing to do; say verify, "));
  CHECK(contains(test::parse_failure("ckpt", {"mend", "a"}), "'mend' is nothing that it does"));
  CHECK(contains(test::parse_failure("ckpt", {"diff", "a"}), "two files or runs"));
  CHECK(contains(test::parse_failure("ckpt", {"average", "a", "b"}), "needs a file to write"));
  CHECK(contains(test::parse_failure("ckpt", {"verify", "a", "--keep", "2"}), "--keep counts only for"));
  CHECK(contains(failure([&] { ckpt({"verify", "/nowhere"}); }), "4: [ckpt] /nowhere is not there"));
}
