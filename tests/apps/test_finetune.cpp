// Fine-tuning: frozen parameters, frozen statistics, runs counted in steps; each keeps the promises of a run.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "apps/options/presets.h"
#include "apps/training/experiment.h"
#include "apps/weights/weights.h"
#include "autograd/gradients.h"
#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"
#include "tests/core/tensor_testing.h"

using namespace basin;
using namespace basin::apps;
using tensor_testing::same_bits;
using test::failure, test::small, test::TemporaryDirectory, test::timeless_records, test::train,
    test::weights;

namespace {

test::Words joined(test::Words words, const test::Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// Names of the tensors that differ between two files of weights.
std::vector<std::string> changed(const std::string& a, const std::string& b) {
  const Archive x(a), y(b);
  std::vector<std::string> names;
  for (const std::string& name : x.names())
    if (!same_bits(x.read(name), y.read(name))) names.push_back(name);
  return names;
}

/// A run's weights before its first step.
void save_start(const TrainConfig& config, const std::string& path) {
  save_weights(path, *build_model(config.model, {32, 32, 3}, 10, config.run.seed, Dtype::f32));
}

bool begins_with_any(const std::string& name, const std::vector<std::string>& beginnings) {
  for (const std::string& beginning : beginnings)
    if (name.starts_with(beginning)) return true;
  return false;
}

}  // namespace

TEST_CASE("freeze: what is frozen keeps its bits under decay, momentum, perturbation and averages") {
  TemporaryDirectory dir;
  const std::vector<test::Words> recipes = {
      {"--sharpness", "sam", "--rho", "0.5", "--average", "swa", "--average-start", "1"},
      {"--optimizer", "adamw", "--lr", "0.001", "--sharpness", "asam", "--average", "ema"}};
  int number = 0;
  for (const test::Words& recipe : recipes) {
    const std::string run = dir / "run" + std::to_string(number++);
    const TrainConfig config = small(run, joined(recipe, {"--freeze", "conv1.*,layer1.*,*.bn1.weight"}));
    save_start(config, dir / "start");
    const test::Said said = train(config);
    REQUIRE(said.code == 0);
    for (const std::string file :
         {"/final.safetensors",
          config.average.kind == Average::swa ? "/final-swa.safetensors" : "/final-ema.safetensors"}) {
      const std::vector<std::string> names = changed(dir / "start", run + file);
      for (const std::string& name : names) {
        CAPTURE(name);
        const bool frozen = begins_with_any(name, {"conv1.", "layer1."}) || name.ends_with(".bn1.weight");
        const bool statistic = name.find("running_") != std::string::npos || name.ends_with("tracked");
        CHECK((!frozen || statistic));
      }
      CHECK(std::find(names.begin(), names.end(), "fc.weight") != names.end());
      CHECK(std::find(names.begin(), names.end(), "layer2.0.conv1.weight") != names.end());
    }
    // Stopped and resumed: the same bits. The first file is not needed again.
    const std::string halved = run + "-halved";
    TrainConfig first = config;
    first.run.dir = halved;
    first.run.stop_after_steps = 4;
    REQUIRE(train(first).code == 0);
    REQUIRE(train(test::train_config({"--resume", halved, "--quiet"})).code == 0);
    CHECK(weights(halved) == weights(run));
    CHECK(timeless_records(halved) == timeless_records(run));
  }
}

TEST_CASE("freeze: gradients of the others are the same bits") {
  const auto gradient_of = [](const std::vector<std::string>& patterns) {
    const auto model = nn::make_model({.name = "resnet8", .shortcut = nn::Shortcut::b});
    const Entries entries = entries_of(*model);
    const Frozen frozen = freeze(entries.parameters, patterns);
    const optim::ParameterVector w(frozen.trained);
    nn::Context ctx;
    const Variable x(tensor_testing::random({4, 32, 32, 3}, Dtype::f32, 5));
    const Variable logits = (*model)(x, ctx);
    const Tensors parts = gradients(mean(square(logits)), w.variables());
    std::vector<std::pair<std::string, Tensor>> named;
    for (std::size_t i = 0; i < parts.size(); ++i) named.emplace_back(w.segments()[i].name, parts[i]);
    return named;
  };
  const auto all = gradient_of({});
  for (const std::vector<std::string>& patterns : {std::vector<std::string>{"conv1.*", "layer1.*"},
                                                   {"*bn*"},
                                                   {"*conv*"},
                                                   {"*downsample*", "fc.*", "bn1.bias"}}) {
    CAPTURE(patterns.front());
    const auto some = gradient_of(patterns);
    CHECK(some.size() < all.size());
    for (const auto& part : some) {
      CAPTURE(part.first);
      const auto same =
          std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.first == part.first; });
      REQUIRE(same != all.end());
      CHECK(same_bits(part.second, same->second));
    }
  }
}

TEST_CASE("freeze: mistakes are named, with names near to them") {
  const auto model = nn::make_model({.name = "resnet8"});
  const Entries entries = entries_of(*model);
  CHECK(failure([&] { freeze(entries.parameters, {"conv1.wieght"}); }) ==
        "2: --freeze: no parameter is called 'conv1.wieght'; did you mean conv1.weight?; this model has "
        "conv1.*, "
        "bn1.*, layer1.*, layer2.*, layer3.*, fc.*");
  CHECK(failure([&] { freeze(entries.parameters, {"*"}); }) == "2: --freeze leaves no parameter to train");
  for (const NamedParameter& p : entries.parameters) CHECK(p.parameter->tracked());
  TemporaryDirectory dir;
  CHECK(failure([&] {
          train(small(dir / "run", {"--freeze", "stem.*"}));
        }).starts_with("2: --freeze: no param"));
}

TEST_CASE("frozen statistics: train mode computes what eval mode does, and moves nothing") {
  TemporaryDirectory dir;
  const std::string pretrained = dir / "pretrained", run = dir / "run";
  REQUIRE(train(small(pretrained)).code == 0);
  const std::string file = pretrained + "/final.safetensors";
  {
    const auto model = nn::make_model({.name = "resnet8", .blank = true});
    load_weights(file, *model);
    const Variable x(tensor_testing::random({3, 32, 32, 3}, Dtype::f32, 6));
    nn::Context train_mode{.statistics = nn::Statistics::running}, eval_mode = nn::Context::evaluation();
    CHECK(same_bits((*model)(x, train_mode).value(), (*model)(x, eval_mode).value()));
  }
  for (const test::Words& recipe :
       {test::Words{"--sharpness", "sam", "--average", "swa", "--average-start", "1"},
        {"--sharpness", "sam", "--micro", "own", "--micro-size", "16"},
        {"--sharpness", "gam", "--gam-form", "exact", "--recalibrate-last"}}) {
    const std::string fresh = run + recipe.back();
    REQUIRE(train(small(fresh, joined(recipe, {"--init", file, "--norm-statistics", "frozen", "--lr", "0.01",
                                               "--epochs", "1"})))
                .code == 0);
    const bool averaged = std::filesystem::exists(fresh + "/final-swa.safetensors");
    for (const std::string which : {"/final.safetensors", "/final-swa.safetensors"}) {
      if (which == "/final-swa.safetensors" && !averaged) continue;
      const std::vector<std::string> names = changed(file, fresh + which);
      CHECK(std::find(names.begin(), names.end(), "layer1.0.bn1.weight") != names.end());
      for (const std::string& name : names) CHECK(name.find("running_") == std::string::npos);
      for (const std::string& name : names) CHECK_FALSE(name.ends_with("num_batches_tracked"));
    }
  }
}

TEST_CASE("a new head: 100 classes become 10, and a resumed run no longer needs the file") {
  TemporaryDirectory dir;
  const std::string straight = dir / "straight", halved = dir / "halved", file = dir / "file";
  save_weights(file, *nn::make_model({.name = "resnet8", .classes = 100, .seed = 3}));
  CHECK(failure([&] {
          train(small(straight, {"--init", file}));
        }).find("--ignore-head") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(straight));
  const test::Words words = {"--init", file, "--ignore-head"};
  TrainConfig config = small(straight, words);
  config.output.quiet = false;
  const test::Said said = train(config);
  REQUIRE(said.code == 0);
  CHECK(said.err.find("the head fc is freshly drawn, 2 tensors of the file left out") != std::string::npos);
  REQUIRE(train(small(halved, joined(words, {"--stop-after-steps", "2"}))).code == 0);
  std::filesystem::remove(file);
  REQUIRE(train(test::train_config({"--resume", halved, "--quiet"})).code == 0);
  CHECK(weights(halved) == weights(straight));
  CHECK(test::train_failure({"--ignore-head"}) == "2: --ignore-head counts only with --init");
}

TEST_CASE("steps: a run ends in mid-epoch, and a run of whole epochs is the same as ever") {
  TemporaryDirectory dir;
  const auto run = [&](const std::string& name, const test::Words& more) {
    test::Words words = {"--data",       "synthetic", "--limit", "160", "--model",   "resnet8",
                         "--batch-size", "64",        "--seed",  "7",   "--workers", "1",
                         "--quiet",      "--run",     dir / name};
    const test::Said said = train(test::train_config(joined(words, more)));
    CHECK(said.code == 0);
    return std::string(dir / name);
  };
  // Three steps an epoch.
  CHECK(weights(run("steps6", {"--steps", "6"})) == weights(run("epochs2", {"--epochs", "2"})));
  const std::string straight = run("steps4", {"--steps", "4"});
  CHECK(test::lines(straight + "/steps.jsonl").size() == 4);
  CHECK(test::lines(straight + "/metrics.csv").size() == 1 + 2);
  CHECK(std::filesystem::exists(straight + "/ckpt-000000004.safetensors"));
  for (const char* stop : {"2", "3"}) {
    const std::string halved =
        run(std::string("halved") + stop, {"--steps", "4", "--stop-after-steps", stop});
    REQUIRE(train(test::train_config({"--resume", halved, "--quiet"})).code == 0);
    CHECK(weights(halved) == weights(straight));
    CHECK(timeless_records(halved) == timeless_records(straight));
  }
  // The cosine ends where the run does: the last of four steps has cos(3 pi / 4).
  const Json last = parse_json(test::lines(straight + "/steps.jsonl").back());
  CHECK(last.at("lr").number() == doctest::Approx(0.1 * (1 - std::sqrt(0.5)) / 2));
  CHECK(test::train_failure({"--steps", "5", "--epochs", "2"}) ==
        "2: --epochs counts only with --steps 0 (here it is 5)");
  CHECK(to_toml(test::train_config({"--steps", "5"})).find("epochs = 30") == std::string::npos);
  CHECK(failure([&] {
          run("warm", {"--steps", "4", "--warmup-epochs", "3"});
        }).starts_with("2: --warmup-epochs"));
}

TEST_CASE("steps: fractions of the run are of its steps") {
  const TrainConfig config =
      test::train_config({"--steps", "10", "--schedule", "step", "--milestones", "0.3,0.8"});
  const RunLength length = run_length(config.schedule, 4 * config.schedule.batch_size);
  CHECK(length.epochs == 3);
  CHECK(length.steps == 10);
  CHECK(length.batches(1) == 4);
  CHECK(length.batches(2) == 2);
  CHECK(length.batches(3) == 0);
  const optim::ScheduleOptions o = schedule_options(config, length);
  CHECK(o.total_steps == 10);
  CHECK(o.milestones == std::vector<std::int64_t>{3, 8});
}

TEST_CASE("the fine-tuning recipe is SAM's paper's") {
  const TrainConfig config = test::train_config({"--preset", "sam_finetune"});
  CHECK(config.schedule.steps == 5000);
  CHECK(config.schedule.batch_size == 1024);
  CHECK(config.optimizer.lr == 0.016);
  CHECK(config.optimizer.weight_decay == 1e-5);
  CHECK(config.sharpness.kind == Sharpness::sam);
  CHECK(config.model.norm_statistics == NormStatistics::frozen);
  CHECK(config.data.augment == "none");
}
