// Runs and weights that are not finite: exit code 5, nothing of them saved as if it were good, no undefined
// mean written as a number.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "apps/bench/bench.h"
#include "apps/evaluation/ensemble.h"
#include "apps/report/tables.h"
#include "apps/training/experiment.h"
#include "apps/training/outcome.h"
#include "apps/training/training_run.h"
#include "apps/weights/weights.h"
#include "core/io/files.h"
#include "core/ops.h"
#include "tests/apps/streams.h"
#include "tests/apps/training.h"
#include "tests/core/contains.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using test::contains;
using test::FakeTerminal, test::small, test::TemporaryDirectory, test::train, test::Words;
namespace fs = std::filesystem;

namespace {

Words plus(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

const Words kMlp = {"--model", "mlp", "--limit", "64", "--batch-size", "16"};

apps::TrainConfig mlp(const std::string& run, const Words& more) { return small(run, plus(kMlp, more)); }

/// All numbers of the file are finite.
void expect_sound(const Archive& file) {
  for (const std::string& name : file.names()) {
    const Tensor t = file.read(name);
    if (is_floating(t.dtype())) CHECK_MESSAGE(all_finite(t), file.path(), ": ", name);
  }
}

/// The steps of a run's checkpoints, newest first; each holds finite numbers alone.
std::vector<std::int64_t> sound_checkpoints(const std::string& run) {
  std::vector<std::int64_t> steps;
  for (const apps::CheckpointFile& file : apps::list_checkpoints(run)) {
    expect_sound(apps::load_checkpoint(file.path).archive);
    steps.push_back(file.step);
  }
  return steps;
}

/// Weights of a new mlp, each times `scale`, the last one `last`.
std::string write_weights(const std::string& path, double scale, double last) {
  const apps::TrainConfig config = mlp("unused", {});
  const apps::RunData data = apps::load_run_data(config.data, 1);
  const auto model = apps::build_model(config.model, data.set.image, data.set.classes(), 1, Dtype::f32);
  std::vector<ArchiveEntry> tensors = apps::weight_entries(entries_of(*model));
  for (ArchiveEntry& entry : tensors) {
    entry.tensor = unary(UnaryOp::mul_scalar, entry.tensor, scale);
    if (entry.name == "5.weight") entry.tensor.mutable_data<float>()[7] = static_cast<float>(last);
  }
  write_archive(path, tensors);
  return path;
}

struct Called {
  std::string failure, out;
};
Called eval(const Words& words) {
  const apps::Parsed call = test::parsed("eval", plus({"--data", "synthetic", "-q"}, words));
  FakeTerminal t(call.call->output());
  const std::string failure = test::failure([&] { call.call->run(t.terminal); });
  return {failure, t.out.str()};
}

}  // namespace

TEST_CASE("a run that ends without a finite loss shows what there is, saves no weights and is exit 5") {
  const TemporaryDirectory dir;
  const std::string run = dir / "run";
  // One step an epoch: the first is finite and makes weights for which nothing is.
  const std::string said = test::failure([&] {
    train(small(run, {"--model", "lenet5", "--limit", "64", "--schedule", "constant", "--lr", "1e12",
                      "--epochs", "4", "--augment", "none"}));
  });
  CHECK(contains(said, "5: the run has ended, but not all of it is numbers; last: the test loss is nan"));
  CHECK(contains(said, "ckpt-000000004.safetensors"));
  const std::vector<apps::EpochRecord> epochs = apps::read_metrics(run + "/metrics.csv");
  REQUIRE(epochs.size() == 4);
  CHECK(std::isfinite(epochs[0].train_loss));
  for (std::size_t i = 1; i < 4; ++i)
    for (const double mean : {epochs[i].train_loss, epochs[i].train_accuracy, epochs[i].gradient_norm,
                              epochs[i].test_loss.value()})
      CHECK(std::isnan(mean));
  const Json result = parse_json(read_file(run + "/result.json"));
  CHECK(result.at("best").is_null());
  CHECK(result.at("weights").is_null());
  CHECK(result.at("test_loss").string() == "nan");
  CHECK_FALSE(fs::exists(run + "/final.safetensors"));
  CHECK(fs::exists(run + "/report.html"));
  CHECK_FALSE(sound_checkpoints(run).empty());
  const Json session = parse_json(read_file(run + "/run.json")).at("sessions").array().back();
  CHECK(session.at("exit_code").integer() == 5);
}

TEST_CASE("a run whose last epoch skipped every step is exit 5, with the weights that it still had") {
  const TemporaryDirectory dir;
  const std::string run = dir / "run";
  const std::string said = test::failure([&] {
    train(mlp(run, {"--sharpness", "sam", "--rho", "1e38", "--skip-limit", "100", "--epochs", "1"}));
  });
  CHECK(said.starts_with("5: the run has ended, but not all of it is numbers; the last epoch: every step"));
  CHECK(std::isnan(apps::read_metrics(run + "/metrics.csv").at(0).train_loss));
  CHECK(fs::exists(run + "/final.safetensors"));
}

TEST_CASE("no checkpoint and no final file of a run holds a number that is not finite") {
  for (const Words& words : {Words{"--lr", "1e308"},
                             {"--lr", "1e38", "--nesterov"},
                             {"--optimizer", "adam", "--lr", "1e37"},
                             {"--optimizer", "rmsprop", "--lr", "1e38"},
                             {"--lr", "1e308", "--average", "ema", "--average-start", "0"}}) {
    CAPTURE(words[1]);
    const TemporaryDirectory dir;
    const std::string run = dir / "run";
    const std::string said = test::failure([&] {
      train(mlp(run, plus({"--checkpoint-every", "1steps"}, words)));
    });
    CHECK(said.substr(0, 3) == "5: ");
    sound_checkpoints(run);
    for (const char* name : {"/final.safetensors", "/final-ema.safetensors"})
      if (fs::exists(run + name)) expect_sound(Archive(run + name));
  }
}

TEST_CASE("while steps are skipped the checkpoint that was good stays, and exit 5 names it") {
  const TemporaryDirectory dir;
  const std::string run = dir / "run";
  // The second step is 1e26 times as long as the first and leaves weights for which no loss is finite.
  const std::string said = test::failure([&] {
    train(mlp(run, {"--schedule", "one-cycle", "--lr", "1e27", "--div-factor", "1e28", "--pct-start", "0.5",
                    "--epochs", "8", "--checkpoint-every", "1steps", "--skip-limit", "5"}));
  });
  CAPTURE(said);
  CHECK(said.starts_with("5: step 7 "));
  CHECK(sound_checkpoints(run) == std::vector<std::int64_t>{6, 2, 1});
  CHECK(contains(said, "the last one that a finite step followed in " + run + "/ckpt-000000001.safetensors"));
  const Called good = eval({"--weights", run + "/ckpt-000000001.safetensors", "--model", "mlp"});
  CHECK(good.failure.empty());
}

TEST_CASE("weights that are not finite are refused wherever they are read, and their tensor is named") {
  const TemporaryDirectory dir;
  const std::string nan = write_weights(dir / "nan.safetensors", 1, std::numeric_limits<double>::quiet_NaN());
  const std::string infinite = write_weights(dir / "inf.safetensors", 1, -1 / 0.0);
  const auto named = [](const std::string& file) { return "'5.weight' in " + file + " is not finite"; };
  for (const std::string& file : {nan, infinite}) {
    const std::string started = test::failure([&] {
      train(mlp(dir / (file == nan ? "a" : "b"), {"--init", file}));
    });
    CHECK(started.starts_with("5: [load] "));
    CHECK(contains(started, named(file)));
    const Called evaluated = eval({"--weights", file, "--model", "mlp"});
    CHECK(evaluated.failure.starts_with("5: [load] "));
    CHECK(contains(evaluated.failure, named(file)));
    CHECK(evaluated.out.empty());
    const Words words = {"--weights", file, "--model", "mlp", "--data", "synthetic", "-o", dir / "out.npz"};
    CHECK(contains(test::failure([&] { test::run_command("export", words); }), named(file)));
    CHECK_FALSE(fs::exists(dir / "out.npz"));
  }
  // The head that is drawn anew is not looked at.
  CHECK(test::failure([&] {
          train(mlp(dir / "other", {"--init", nan, "--ignore-head", "--epochs", "1"}));
        }).empty());
}

TEST_CASE("eval of finite weights that give no finite loss prints what it found and is exit 5") {
  const TemporaryDirectory dir;
  const std::string file = write_weights(dir / "huge.safetensors", 1e30, 1e30);
  const Called table = eval({"--weights", file, "--model", "mlp"});
  CHECK(table.failure.starts_with("5: [eval] the loss of " + file + " is nan"));
  CHECK(contains(table.out, "loss nan, top-1 0.00 %"));
  const Called json = eval({"--weights", file, "--model", "mlp", "--json"});
  CHECK(parse_json(json.out).at("loss").string() == "nan");
}

TEST_CASE("an average without finite numbers is a row of its own, and the last weights are kept beside it") {
  for (const char* network : {"mlp", "resnet8"}) {
    CAPTURE(network);
    const TemporaryDirectory dir;
    const apps::TrainConfig config =
        small(dir / "run", {"--limit", "64", "--batch-size", "16", "--model", network, "--average", "swa"});
    const apps::RunData data = apps::load_run_data(config.data, config.run.seed);
    apps::Experiment experiment(config, data.set, apps::run_length(config.schedule, data.train->size()));
    const Tensor own = experiment.weights().values().clone();
    experiment.weights().values().copy_from(unary(UnaryOp::mul_scalar, own, 1e30));
    experiment.averaging()->average.collect(experiment.weights());
    experiment.weights().values().copy_from(own);
    FakeTerminal t;
    apps::RunDirectory run(config, t.terminal);
    run.begin(config);
    const apps::Outcome outcome = apps::evaluate_outcome(
        config, data, apps::run_length(config.schedule, data.train->size()), experiment,
        {.test_loss = 2, .test_accuracy = 0.5}, run, apps::LongWork(t.terminal).parts());
    REQUIRE(outcome.variants.back().name == "swa");
    CHECK(outcome.variants[0].failure.empty());
    CHECK(fs::exists(run.file("final.safetensors")));
    CHECK_FALSE(outcome.variants.back().failure.empty());
    CHECK(std::isnan(outcome.variants.back().test_loss));
    CHECK_FALSE(fs::exists(run.file("final-swa.safetensors")));
    CHECK(contains(apps::table_of(outcome.variants).text(false), "nan"));
  }
}

TEST_CASE("an average that nothing entered is a row without numbers, not the end of the results") {
  const TemporaryDirectory dir;
  const apps::TrainConfig config = mlp(dir / "run", {"--average", "ema"});
  const apps::RunData data = apps::load_run_data(config.data, config.run.seed);
  apps::Experiment experiment(config, data.set, apps::run_length(config.schedule, data.train->size()));
  FakeTerminal t;
  apps::RunDirectory run(config, t.terminal);
  run.begin(config);
  const apps::Outcome outcome =
      apps::evaluate_outcome(config, data, apps::run_length(config.schedule, data.train->size()), experiment,
                             {.test_loss = 2, .test_accuracy = 0.5}, run, apps::LongWork(t.terminal).parts());
  CHECK(contains(outcome.variants.back().failure, "no weights entered it"));
  CHECK(fs::exists(run.file("final.safetensors")));
}

TEST_CASE("a tally of no images has no mean") {
  const apps::Tally none;
  for (const double mean : {none.loss(), none.accuracy(), none.accuracy5()}) CHECK(std::isnan(mean));
}

TEST_CASE("a step that is not finite leaves weights, statistics and the state of every rule alone") {
  for (const apps::Contender& rule : apps::contenders()) {
    CAPTURE(rule.name);
    apps::TrainConfig config =
        small("unused", {"--limit", "128", "--batch-size", "64", "--model", "resnet8"});
    config.sharpness = rule.config.sharpness;
    config.optimizer = rule.config.optimizer;
    const apps::RunData data = apps::load_run_data(config.data, config.run.seed);
    apps::Experiment experiment(config, data.set, apps::run_length(config.schedule, data.train->size()));
    const auto everything = [&] {
      std::vector<double> all = experiment.weights().values().to_vector<double>();
      for (const Entries& e : {experiment.entries(), entries_of(experiment.update_rule()),
                               entries_of(experiment.gradient_rule())})
        for (const NamedBuffer& b : e.buffers)
          if (b.buffer->defined())
            for (const double v : b.buffer->to_vector<double>()) all.push_back(v);
      return all;
    };
    data::Loader loader(data.train, apps::training_batches(config, 0, 0));
    data::Batch batch;
    REQUIRE(loader.next(batch));
    REQUIRE(experiment.step(batch, 0).finite);
    REQUIRE(experiment.step(batch, 1).finite);
    const std::vector<double> before = everything();
    batch.images.mutable_data<float>()[17] = std::numeric_limits<float>::infinity();
    CHECK_FALSE(experiment.step(batch, 2).finite);
    CHECK(everything() == before);
  }
}
