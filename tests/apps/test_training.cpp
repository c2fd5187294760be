// Training as a whole: the same bits for any number of threads and workers and after any interruption;
// nothing lost and nothing half-written when something fails.
#include <doctest/doctest.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "apps/cli/signals.h"
#include "apps/commands/commands.h"
#include "apps/runs/records.h"
#include "apps/runs/result.h"
#include "apps/runs/run_list.h"
#include "apps/training/experiment.h"
#include "apps/training/training_run.h"
#include "core/io/files.h"
#include "core/io/hash.h"
#include "core/io/json.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "tests/apps/streams.h"
#include "tests/apps/training.h"
#include "tests/core/contains.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using test::lines, test::Said, test::small, test::timeless_records, test::train, test::weights;
namespace fs = std::filesystem;

TEST_CASE("the number of threads does not show in the weights, by either arithmetic of convolutions") {
  test::TemporaryDirectory dir;
  const WithThreads back(thread_count());  // --threads sets it for the process
  std::vector<std::string> hashes;
  for (const char* algorithm : {"winograd4", "direct"}) {
    CAPTURE(algorithm);
    const auto run = [&](const char* threads) {
      const std::string directory = (dir / std::string(algorithm) + threads);
      apps::TrainConfig config = small(directory, {"--conv-algo", algorithm, "--threads", threads});
      config.schedule.epochs = 1;
      CHECK(train(config).code == 0);
      return directory;
    };
    const std::string one = run("1");
    for (const char* threads : {"2", "3", "4"}) {
      CAPTURE(threads);
      const std::string other = run(threads);
      CHECK(weights(other) == weights(one));
      CHECK(timeless_records(other) == timeless_records(one));
    }
    hashes.push_back(weights(one));
  }
  CHECK(hashes[0] != hashes[1]);
}

TEST_CASE("threads and loader workers do not show in the weights under SAM") {
  test::TemporaryDirectory dir;
  const WithThreads back(thread_count());
  const std::string straight = (dir / "straight");
  CHECK(train(small(straight, {"--sharpness", "sam"})).code == 0);
  int n = 0;
  for (const test::Words& words : {test::Words{"--threads", "3"}, {"--workers", "0"}, {"--workers", "4"}}) {
    const std::string other = (dir / "other" + std::to_string(n++));
    test::Words all = {"--sharpness", "sam"};
    all.insert(all.end(), words.begin(), words.end());
    CHECK(train(small(other, all)).code == 0);
    CHECK(weights(other) == weights(straight));
    CHECK(timeless_records(other) == timeless_records(straight));
  }
}

TEST_CASE("a run that was stopped goes on to the same bits, wherever it stopped") {
  struct Recipe {
    const char* name;
    test::Words words;
  };
  const Recipe recipes[] = {{"sgd", {"--nesterov"}},
                            {"adam", {"--optimizer", "adam", "--lr", "0.001"}},
                            {"adamw", {"--optimizer", "adamw", "--lr", "0.001"}},
                            {"sam", {"--sharpness", "sam", "--rho", "0.1"}}};
  for (const Recipe& recipe : recipes) {
    test::TemporaryDirectory dir;
    const std::string straight = (dir / "straight");
    REQUIRE(train(small(straight, recipe.words)).code == 0);
    // Three steps an epoch: in mid-epoch, on its last step (before the evaluation), on the run's last step.
    for (const char* stop : {"1", "3", "5", "6"}) {
      if (std::string(stop) != "5" && std::string(recipe.name) != "sam") continue;  // every place once
      CAPTURE(recipe.name);
      CAPTURE(stop);
      const std::string halved = (dir / std::string("halved") + stop);
      test::Words words = recipe.words;
      words.insert(words.end(), {"--stop-after-steps", stop});
      const Said first = train(small(halved, words));
      CHECK(first.code == 0);
      CHECK_FALSE(fs::exists(halved + "/final.safetensors"));
      const Said second = train(test::train_config({"--resume", halved, "--quiet"}));
      CHECK(second.code == 0);
      CHECK(weights(halved) == weights(straight));
      CHECK(timeless_records(halved) == timeless_records(straight));
    }
  }
}

TEST_CASE("SIGTERM or SIGHUP saves after the step and exits with 143 or 129, resuming loses nothing") {
  test::TemporaryDirectory dir;
  const std::string straight = (dir / "straight");
  REQUIRE(train(small(straight)).code == 0);
  apps::install_signal_handlers();
  for (const int signal_number : {SIGTERM, SIGHUP}) {
    CAPTURE(signal_number);
    const std::string broken = dir / "broken" + std::to_string(signal_number);
    std::raise(signal_number);
    const Said first = train(small(broken));
    apps::clear_interruption();
    CHECK(first.code == 128 + signal_number);
    CHECK(lines(broken + "/steps.jsonl").size() == 1);
    CHECK(train(test::train_config({"--resume", broken, "--quiet"})).code == 0);
    CHECK(weights(broken) == weights(straight));
  }
}

TEST_CASE("a step that is not finite ends the run with exit 5, and no saved number is broken") {
  test::TemporaryDirectory dir;
  const std::string run = (dir / "run");
  const std::string said = test::failure([&] { train(small(run, {"--lr", "1e30", "--skip-limit", "1"})); });
  CHECK(said.substr(0, 8) == "5: step ");
  CHECK(said.find("nothing of this step was applied") != std::string::npos);
  CHECK_FALSE(fs::exists(run + "/final.safetensors"));
  int checkpoints = 0;
  for (const apps::CheckpointFile& file : apps::list_checkpoints(run)) {
    const apps::LoadedCheckpoint saved = apps::load_checkpoint(file.path);
    for (const std::string& name : saved.archive.names()) {
      const Tensor t = saved.archive.read(name);
      if (is_floating(t.dtype())) CHECK_MESSAGE(all_finite(t), name);
    }
    ++checkpoints;
  }
  CHECK(checkpoints > 0);
}

TEST_CASE("a finite direction that the update rule refuses is a skipped step: nothing has changed") {
  const apps::TrainConfig config = small("unused", {"--sharpness", "fsam", "--lr", "1e308"});
  const apps::RunData data = apps::load_run_data(config.data, config.run.seed);
  apps::Experiment experiment(config, data.set, apps::run_length(config.schedule, data.train->size()));
  data::Loader loader(data.train, apps::training_batches(config, 0, 0));
  data::Batch batch;
  REQUIRE(loader.next(batch));
  const auto everything = [&] {
    std::string all;
    const auto add = [&](const Tensor& t) {
      if (t.defined()) all.append(reinterpret_cast<const char*>(t.raw()), t.bytes());
    };
    add(experiment.weights().values());
    for (Entries e :
         {experiment.entries(), entries_of(experiment.update_rule()), entries_of(experiment.gradient_rule())})
      for (const NamedBuffer& b : e.buffers) add(*b.buffer);
    return all;
  };
  const std::string before = everything();
  const optim::StepReport report = experiment.step(batch, 0);
  CHECK_FALSE(report.finite);
  CHECK(std::isfinite(report.direction_norm));
  CHECK(experiment.failure().refused.find("the step is refused: 'w' would not be finite") !=
        std::string::npos);
  CHECK(everything() == before);
}

TEST_CASE("a non-finite step changes no weight, no state and no running statistic") {
  const apps::TrainConfig config = small("unused", {"--sharpness", "sam"});
  const apps::RunData data = apps::load_run_data(config.data, config.run.seed);
  apps::Experiment experiment(config, data.set, apps::run_length(config.schedule, data.train->size()));
  data::Loader loader(data.train, apps::training_batches(config, 0, 0));
  data::Batch batch;
  REQUIRE(loader.next(batch));
  REQUIRE(experiment.step(batch, 0).finite);

  const auto everything = [&] {
    std::vector<double> all = experiment.weights().values().to_vector<double>();
    for (Entries e : {experiment.entries(), entries_of(experiment.update_rule())})
      for (const NamedBuffer& b : e.buffers)
        for (double v : b.buffer->to_vector<double>()) all.push_back(v);
    return all;
  };
  const std::vector<double> before = everything();
  batch.images.mutable_data<float>()[17] = std::numeric_limits<float>::infinity();
  const optim::StepReport report = experiment.step(batch, 1);
  CHECK_FALSE(report.finite);
  CHECK(report.failed_pass == 0);
  CHECK(everything() == before);
}

TEST_CASE("eval repeats the end of training to the last bit, for any batch size, workers and threads") {
  test::TemporaryDirectory dir;
  const std::string run = (dir / "run");
  REQUIRE(train(small(run)).code == 0);
  std::ifstream in(run + "/result.json");
  std::stringstream text;
  text << in.rdbuf();
  const Json last = parse_json(text.str()).at("last");
  for (const test::Words& words : {test::Words{},
                                   {"--batch-size", "7"},
                                   {"--batch-size", "512", "--workers", "0"},
                                   {"--threads", "1"}}) {
    test::Words all = {"--run", run, "--json", "--quiet"};
    all.insert(all.end(), words.begin(), words.end());
    const test::Said evaluated = test::run_command("eval", all);
    CHECK(evaluated.code == 0);
    const Json said = parse_json(evaluated.out);
    CHECK(said.at("loss").number() == last.at("test_loss").number());
    CHECK(said.at("accuracy").number() == last.at("test_accuracy").number());
  }
}

TEST_CASE("what cannot start leaves nothing behind, and an existing run is not touched") {
  test::TemporaryDirectory dir;
  const std::string run = (dir / "run");
  apps::TrainConfig config = small(run);
  config.data.name = "cifar10";
  config.data.dir = (dir / "nowhere");
  CHECK(test::failure([&] { train(config); }).substr(0, 3) == "3: ");
  CHECK_FALSE(fs::exists(run));

  CHECK(train(small(run, {"--dry-run"})).out.find("nothing written") != std::string::npos);
  CHECK_FALSE(fs::exists(run));

  REQUIRE(train(small(run, {"--epochs", "1"})).code == 0);
  const std::string before = weights(run);
  const std::string said = test::failure([&] { train(small(run)); });
  CHECK(said.substr(0, 3) == "2: ");
  CHECK(said.find("--resume") != std::string::npos);
  CHECK(weights(run) == before);
  // Resuming a finished run repeats its result and changes no weight.
  CHECK(train(test::train_config({"--resume", run, "--quiet"})).code == 0);
  CHECK(weights(run) == before);
}

TEST_CASE("f64 training runs the same recipe") {
  test::TemporaryDirectory dir;
  const std::string wide = (dir / "wide"), narrow = (dir / "narrow");
  const test::Words words = {"--model", "mlp", "--lr", "0.01", "--epochs", "1"};
  test::Words f64 = words;
  f64.insert(f64.end(), {"--dtype", "f64"});
  REQUIRE(train(small(narrow, words)).code == 0);
  REQUIRE(train(small(wide, f64)).code == 0);
  const auto loss = [](const std::string& run) {
    return recorded_number(parse_json(lines(run + "/steps.jsonl").back()).at("loss"));
  };
  CHECK(loss(wide) == doctest::Approx(loss(narrow)).epsilon(1e-4));
  CHECK(loss(wide) != loss(narrow));
}

TEST_CASE("--eval-every leaves evaluations out, not the last, and changes no weight, and resumes") {
  test::TemporaryDirectory dir;
  const test::Words more = {"--epochs", "4", "--model", "mlp", "--validation", "32"};
  const auto seldom = [&](const std::string& run) {
    test::Words words = more;
    words.insert(words.end(), {"--eval-every", "3"});
    return small(dir / run, words);
  };
  REQUIRE(train(small(dir / "always", more)).code == 0);
  REQUIRE(train(seldom("seldom")).code == 0);
  CHECK(weights(dir / "seldom") == weights(dir / "always"));

  const std::vector<apps::EpochRecord> all = apps::read_metrics(dir / "always/metrics.csv"),
                                       some = apps::read_metrics(dir / "seldom/metrics.csv");
  REQUIRE(some.size() == 4);
  for (const std::size_t i : {0, 1}) {
    CHECK_FALSE(some[i].test_loss);
    CHECK_FALSE(some[i].test_accuracy);
    CHECK_FALSE(some[i].validation_accuracy);
  }
  for (const std::size_t i : {2, 3}) {
    CHECK(some[i].test_loss == all[i].test_loss);
    CHECK(some[i].test_accuracy == all[i].test_accuracy);
    CHECK(some[i].validation_accuracy == all[i].validation_accuracy);
  }
  CHECK(apps::last_evaluated({some[0], some[1]}) == std::nullopt);
  CHECK(apps::last_evaluated({some[2], some[0]})->epoch == 3);
  CHECK(apps::best_of({some[0], some[1]}) == std::nullopt);
  const Json result = parse_json(read_file(dir / "seldom/result.json"));
  CHECK(result.at("test_accuracy").number() == all[3].test_accuracy);
  CHECK(result.at("best").at("epoch").integer() >= 3);

  // A run that stops before its first evaluation has a page and a row, and goes on to the same records.
  apps::TrainConfig cut = seldom("cut");
  cut.run.stop_after_steps = 5;  // in its second epoch
  REQUIRE(train(cut).code == 0);
  const Said page = test::run_command("report", {dir / "cut", "-o", dir / "page.html"});
  CHECK(page.code == 0);
  CHECK(test::contains(read_file(dir / "page.html"), "not evaluated yet"));
  CHECK(apps::list_runs(dir / "cut")[0].accuracy == std::nullopt);
  REQUIRE(train(test::train_config({"--quiet", "--resume", dir / "cut"})).code == 0);
  CHECK(weights(dir / "cut") == weights(dir / "always"));
  CHECK(timeless_records(dir / "cut") == timeless_records(dir / "seldom"));
}
