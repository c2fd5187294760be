// What a resumed run believes: its checkpoint, and nothing else. Records that are lost, damaged or something
// else altogether cost a warning and no number; a recipe that was edited is refused.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "apps/runs/checkpoint.h"
#include "apps/runs/recipe.h"
#include "apps/runs/records.h"
#include "core/io/files.h"
#include "core/io/hash.h"
#include "tests/apps/training.h"
#include "tests/core/system_faults.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using test::failure, test::lines, test::Said, test::small, test::TemporaryDirectory, test::timeless_records,
    test::train, test::weights, test::Words;
namespace fs = std::filesystem;

namespace {

bool contains(const std::string& all, const std::string& part) { return all.find(part) != std::string::npos; }

const Words kSmall = {"--model", "lenet5", "--epochs", "3"};

/// A run of three epochs, three steps each, stopped after `steps`.
std::string stopped(const std::string& run, const char* steps) {
  Words words = kSmall;
  words.insert(words.end(), {"--stop-after-steps", steps});
  REQUIRE(train(small(run, words)).code == 0);
  return run;
}

Said resume(const std::string& run, const Words& more = {}) {
  Words words = {"--resume", run, "--quiet"};
  words.insert(words.end(), more.begin(), more.end());
  return train(test::train_config(words));
}

void write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

void replace(const std::string& path, const std::string& from, const std::string& to) {
  std::string all = read_file(path);
  const std::size_t at = all.find(from);
  REQUIRE(at != std::string::npos);
  write(path, all.replace(at, from.size(), to));
}

/// Damage by name, of the file at a path.
using Damage = std::pair<const char*, void (*)(const std::string&)>;
void remove(const std::string& path) { fs::remove(path); }
void make_folder(const std::string& path) { fs::remove(path), fs::create_directory(path); }
void make_pipe(const std::string& path) {
  fs::remove(path);
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
}

/// The figures of result.json; seconds apart.
std::string figures(const std::string& run) {
  const Json result = parse_json(read_file(run + "/result.json"));
  std::string all = result.at("weights_sha256").string();
  for (const char* which : {"last", "best"})
    for (const char* key : {"epoch", "train_loss", "test_loss", "test_accuracy"})
      all += " " + result.at(which).at(key).compact();
  return all;
}

/// Makes the checkpoints of a run those of a Basin that kept neither recipe nor records in them.
void make_older(const std::string& run, const std::string& hash = "") {
  for (const apps::CheckpointFile& file : apps::list_checkpoints(run)) {
    std::vector<ArchiveEntry> entries;
    apps::TrainingPosition position;
    {
      const Archive archive(file.path);
      for (const std::string& name : archive.names()) entries.push_back({name, archive.read(name)});
      position = apps::training_position(parse_json(archive.metadata().at(apps::kPositionKey)));
    }
    position.recipe.clear();
    if (!hash.empty()) position.config_hash = hash;
    Json extra = Json::Object{};
    for (const char* key : {"epoch_sums", "skipped_in_row", "skipped"})
      extra.set(key, position.extra.at(key));
    position.extra = extra;
    write_archive(file.path, entries, {{apps::kPositionKey, apps::to_json(position).compact()}});
  }
}

}  // namespace

TEST_CASE("a config.toml that was edited: exit 4 with option and both values, session options may differ") {
  const TemporaryDirectory dir;
  const std::string straight = dir / "straight", run = stopped(dir / "run", "4");
  REQUIRE(train(small(straight, kSmall)).code == 0);
  const std::string config = run + "/config.toml", good = read_file(config);
  const auto refused = [&](const char* from, const char* to) {
    write(config, good);
    replace(config, from, to);
    const std::string said = failure([&] { resume(run); });
    CHECK_MESSAGE(said.starts_with("4: "), said);
    return said;
  };
  for (const bool older : {false, true}) {
    CAPTURE(older);
    if (older) make_older(run);
    const std::string lr = refused("lr = 0.05", "lr = 0.06");
    if (!older) {
      CHECK(contains(lr, "optimizer.lr = '0.05'"));
      CHECK(contains(lr, "config.toml: '0.06'"));
      CHECK(contains(refused("momentum = 0.9", "momentum = 0.8"), "optimizer.momentum"));
    }
    refused("batch_size = 64", "batch_size = 32");
    refused("epochs = 3", "epochs = 4");
    refused("lr = 0.05\n", "");
    refused("clip = 0.0\n", "clip = 1.0\n");
  }
  for (const std::string& empty : {std::string(), std::string("# nothing\n")}) {
    write(config, empty);
    CHECK(contains(failure([&] { resume(run); }), "4: " + config + ": is empty"));
  }
  write(config, good);
  replace(config, "workers = 1", "workers = 2");
  CHECK(resume(run, {"--keep", "3"}).code == 0);
  CHECK(weights(run) == weights(straight));
}

TEST_CASE("config.toml as an older Basin wrote it: fewer options, and some that count no more") {
  const apps::TrainConfig config = small("unused");
  CHECK(apps::recipe_lines(apps::to_toml(config)) == apps::recipe_toml(config));

  const TemporaryDirectory dir;
  const std::string straight = dir / "straight", run = stopped(dir / "run", "4");
  REQUIRE(train(small(straight, kSmall)).code == 0);
  std::string older = read_file(run + "/config.toml");
  const std::size_t loss = older.find("[loss]\n"), end = older.find("\n[", loss);
  REQUIRE(loss != std::string::npos);
  older.erase(loss, end == std::string::npos ? end : end + 1 - loss);
  older.insert(older.find("[sharpness]\n") + 12, "rho = 0.05\n");  // counts for nothing without SAM
  write(run + "/config.toml", older);
  make_older(run, sha256_text(apps::recipe_lines(older)));
  replace(run + "/config.toml", "lr = 0.05", "lr = 0.06");
  CHECK(contains(failure([&] { resume(run); }), "it was edited"));
  write(run + "/config.toml", older);
  CHECK(resume(run).code == 0);
  CHECK(weights(run) == weights(straight));
}

TEST_CASE("metrics.csv lost, emptied, zeroed or written into: the rows come back from the checkpoint") {
  const TemporaryDirectory dir;
  const std::string straight = dir / "straight", begun = stopped(dir / "begun", "7");
  REQUIRE(train(small(straight, kSmall)).code == 0);
  const Damage damages[] = {
      {"missing", remove},
      {"empty", [](const std::string& path) { write(path, ""); }},
      {"zeros", [](const std::string& path) { write(path, std::string(300, '\0')); }},
      {"zeros at the end",
       [](const std::string& path) { write(path, read_file(path) + std::string("\0\0\n", 3)); }},
      {"foreign line", [](const std::string& path) { replace(path, "\n2,", "\n\"hello\n2,"); }},
      {"a row less",
       [](const std::string& path) {
         replace(path, read_file(path).substr(read_file(path).find("\n1,"), 40), "\n");
       }},
      {"other columns", [](const std::string& path) { write(path, "epoch,other\n1,2\n2,3\n"); }}};
  for (const Damage& damage : damages) {
    CAPTURE(damage.first);
    const std::string run = dir / "run";
    fs::remove_all(run);
    fs::copy(begun, run, fs::copy_options::recursive);
    damage.second(run + "/metrics.csv");
    const Said said = resume(run);
    CHECK(said.code == 0);
    CHECK(contains(said.err, "warning: " + run + "/metrics.csv: "));
    CHECK(weights(run) == weights(straight));
    CHECK(timeless_records(run) == timeless_records(straight));
    CHECK(figures(run) == figures(straight));
  }
}

TEST_CASE("metrics.csv lost beside an older checkpoint: the run goes on without the rows, and says so") {
  const TemporaryDirectory dir;
  const std::string straight = dir / "straight", run = stopped(dir / "run", "7");
  REQUIRE(train(small(straight, kSmall)).code == 0);
  make_older(run);
  const std::string copy = dir / "copy";
  fs::copy(run, copy, fs::copy_options::recursive);
  fs::remove(run + "/metrics.csv");
  const Said said = resume(run);
  CHECK(said.code == 0);
  CHECK(contains(said.err, "has lost the rows of 2 of 2 epochs"));
  CHECK(weights(run) == weights(straight));
  CHECK(lines(run + "/metrics.csv").size() == 2);
  CHECK(resume(copy).code == 0);
  CHECK(figures(copy) == figures(straight));
  CHECK(timeless_records(copy) == timeless_records(straight));
}

TEST_CASE("steps.jsonl lost, or with lines that no run wrote: what there is stays, what is lost is said") {
  const TemporaryDirectory dir;
  const std::string straight = dir / "straight", begun = stopped(dir / "begun", "5");
  REQUIRE(train(small(straight, kSmall)).code == 0);
  const std::string run = dir / "run";
  fs::copy(begun, run, fs::copy_options::recursive);
  replace(run + "/steps.jsonl", "{\"step\":3,", "hello\n{\"step\":3,");
  Said said = resume(run);
  CHECK(said.code == 0);
  CHECK(contains(said.err, "steps.jsonl: 1 lines that are no records"));
  CHECK(timeless_records(run) == timeless_records(straight));

  fs::remove_all(run);
  fs::copy(begun, run, fs::copy_options::recursive);
  fs::remove(run + "/steps.jsonl");
  said = resume(run);
  CHECK(said.code == 0);
  CHECK(contains(said.err, "steps.jsonl: 5 records of steps before the checkpoint are lost"));
  CHECK(lines(run + "/steps.jsonl").size() == 4);
  CHECK(weights(run) == weights(straight));
}

TEST_CASE("an odd run.json is begun anew") {
  const TemporaryDirectory dir;
  const std::string straight = dir / "straight", begun = stopped(dir / "begun", "5"), run = dir / "run";
  REQUIRE(train(small(straight, kSmall)).code == 0);
  for (const char* odd :
       {"", "[]", "{}", "{\"sessions\":[]}", "{\"facts\":[],\"sessions\":[]}",
        "{\"name\":\"a\",\"recipe_sha256\":\"b\",\"facts\":{},\"sessions\":[1]}",
        "{\"name\":\"a\",\"recipe_sha256\":\"b\",\"facts\":{},\"sessions\":[{\"seconds\":{}}]}"}) {
    CAPTURE(odd);
    fs::remove_all(run);
    fs::copy(begun, run, fs::copy_options::recursive);
    write(run + "/run.json", odd);
    const Said said = resume(run);
    CHECK(said.code == 0);
    CHECK(contains(said.err, "run.json is not readable and is begun anew"));
    CHECK(figures(run) == figures(straight));
    CHECK(fs::exists(run + "/report.html"));
  }
}

TEST_CASE("a folder or a pipe in the place of a record: training ends with its weights and exit 8") {
  const TemporaryDirectory dir;
  const std::string straight = dir / "straight", begun = stopped(dir / "begun", "5"), run = dir / "run";
  REQUIRE(train(small(straight, kSmall)).code == 0);
  for (const char* name : {"metrics.csv", "steps.jsonl", "run.json", "log.txt"}) {
    for (const auto damage : {make_folder, make_pipe}) {
      CAPTURE(name);
      fs::remove_all(run);
      fs::copy(begun, run, fs::copy_options::recursive);
      damage(run + "/" + name);
      const Said said = resume(run);
      CHECK(said.code == 8);
      CHECK(contains(said.err, run + "/" + name));
      CHECK(weights(run) == weights(straight));
      CHECK(figures(run) == figures(straight));
      // Moved away, the run is repeated with all its files.
      fs::remove(run + "/" + name);
      CHECK(resume(run).code == 0);
    }
  }
  for (const char* name : {"final.safetensors", "result.json", "config.toml"}) {
    fs::remove_all(run);
    fs::copy(begun, run, fs::copy_options::recursive);
    make_folder(run + "/" + name);
    CHECK(contains(failure([&] { resume(run); }), std::string(name) + " is a directory"));
  }
}

TEST_CASE("a folder or a pipe with the name of a checkpoint is passed over and left alone") {
  const TemporaryDirectory dir;
  const std::string straight = dir / "straight", begun = stopped(dir / "begun", "5"), run = dir / "run";
  REQUIRE(train(small(straight, kSmall)).code == 0);
  for (const auto damage : {make_folder, make_pipe}) {
    fs::remove_all(run);
    fs::copy(begun, run, fs::copy_options::recursive);
    damage(run + "/ckpt-000000001.safetensors");
    damage(run + "/ckpt-000000007.safetensors");
    Said said = resume(run);
    CHECK(said.code == 0);
    CHECK(contains(said.err, "ckpt-000000007.safetensors is a "));
    CHECK(weights(run) == weights(straight));
    CHECK(fs::exists(run + "/ckpt-000000001.safetensors"));

    // In the place of the last checkpoint: all but that one file is there.
    fs::remove_all(run);
    fs::copy(begun, run, fs::copy_options::recursive);
    damage(run + "/ckpt-000000009.safetensors");
    said = resume(run);
    CHECK(said.code == 8);
    CHECK(contains(said.err, "ckpt-000000009.safetensors is a "));
    CHECK(figures(run) == figures(straight));
    fs::remove(run + "/ckpt-000000009.safetensors");
    CHECK(resume(run).code == 0);
    CHECK(figures(run) == figures(straight));
  }
}

TEST_CASE("what goes wrong behind a durable checkpoint is a warning, said once") {
  const TemporaryDirectory dir;
  const std::string straight = dir / "straight", run = dir / "run";
  Words words = kSmall;
  words.insert(words.end(), {"--checkpoint-every", "1steps"});
  REQUIRE(train(small(straight, words)).code == 0);
  for (const auto& call_and_fault :
       {std::pair<const char*, SystemFault>{
            "unlink", [](const char* c) { return std::string(c) == "unlink" ? EPERM : 0; }},
        {"readdir", [](const char* c) { return std::string(c) == "readdir" ? EIO : 0; }},
        {"opendir", [](const char* c) { return std::string(c) == "opendir" ? EMFILE : 0; }}}) {
    CAPTURE(call_and_fault.first);
    fs::remove_all(run);
    Said said;
    {
      const test::WithFault failing(call_and_fault.second);
      said = train(small(run, words));
    }
    CHECK(said.code == 0);
    CHECK(contains(said.err, "stay"));
    CHECK(weights(run) == weights(straight));
    CHECK(resume(run).code == 0);
  }
}

TEST_CASE(
    "the checkpoint of step 0: before the first step, unless none are asked for; a full disk shows there") {
  const TemporaryDirectory dir;
  const std::string straight = dir / "straight", never = dir / "never", full = dir / "full";
  Words words = kSmall;
  words.insert(words.end(), {"--keep", "9"});
  REQUIRE(train(small(straight, words)).code == 0);
  CHECK(apps::list_checkpoints(straight).back().step == 0);
  words.insert(words.end(), {"--checkpoint-every", "never"});
  REQUIRE(train(small(never, words)).code == 0);
  CHECK(apps::list_checkpoints(never).size() == 1);
  CHECK(weights(never) == weights(straight));

  std::string said;
  {
    const test::WithFault failing(
        [](const char* call) { return std::string(call) == "fallocate" ? ENOSPC : 0; });
    said = failure([&] { train(small(full, kSmall)); });
  }
  CHECK(said.starts_with("8: "));
  CHECK(contains(said, "No space left"));
  CHECK(lines(full + "/steps.jsonl").empty());
  CHECK(resume(full).code == 0);
  CHECK(weights(full) == weights(straight));
}

TEST_CASE(
    "config.toml has whole paths, so that a run goes on from another folder; --print-config is as given") {
  const TemporaryDirectory dir;
  REQUIRE(train(small(dir / "first", kSmall)).code == 0);
  const fs::path old = fs::current_path();
  fs::current_path(dir.path());
  Words words = kSmall;
  words.insert(words.end(), {"--init", "first/final.safetensors", "--stop-after-steps", "1"});
  const apps::TrainConfig config = small("run", words);
  const Said said = train(config);
  fs::current_path(old);
  CHECK(said.code == 0);
  CHECK(contains(apps::to_toml(config), "init = \"first/final.safetensors\""));
  const std::string toml = read_file(dir / "run/config.toml");
  CHECK(contains(toml, "init = \"" + fs::canonical(dir.path()).string() + "/first/final.safetensors\""));
  CHECK(resume(dir / "run").code == 0);

  apps::TrainConfig relative = small("run");
  relative.data.dir = "pictures";
  CHECK(apps::with_whole_paths(relative).data.dir == (fs::current_path() / "pictures").string());
  CHECK(apps::with_whole_paths(small("run")).data.dir.empty());
}
