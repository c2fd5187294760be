// An option that could change nothing is refused, where the command line or the environment gives it; where a
// stronger source made it so (a flag over a file), it gives way.
#include <doctest/doctest.h>

#include <fstream>

#include "apps/cli/format.h"
#include "apps/options/presets.h"
#include "apps/training/axes.h"
#include "apps/training/parameter_names.h"
#include "nn/models/registry.h"
#include "optim/parameter_vector.h"
#include "tests/apps/calls.h"
#include "tests/apps/training.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::apps;
using test::failure;
using test::train_config;
using test::train_failure;
using test::Words;

namespace {

std::string written(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

/// What is wrong with a run of so many steps an epoch.
std::string rules_failure(const Words& words, std::int64_t steps_per_epoch) {
  return failure([&] {
    const TrainConfig config = train_config(words);
    check_axes(config, run_length(config.schedule, steps_per_epoch * config.schedule.batch_size));
  });
}

}  // namespace

TEST_CASE("options that a setting makes void are refused, and taken where it does not") {
  struct Row {
    Words given;    // an option
    Words in_vain;  // where it could change nothing
    Words to_good;  // where it acts
  };
  const std::vector<Row> rows = {
      {{"--data-seed", "3"}, {}, {"--subset", "100"}},
      {{"--data-seed", "3"}, {"--validation", "10", "--validation-from", "end"}, {"--validation", "10"}},
      {{"--data-seed", "3"}, {"--label-noise", "0"}, {"--label-noise", "0.2"}},
      {{"--smoothing-form", "others"}, {"--label-smoothing", "0"}, {"--label-smoothing", "0.1"}},
      {{"--decay", "weights"}, {"--weight-decay", "0"}, {}},
      {{"--decay-in", "loss"}, {"--optimizer", "adam"}, {"--optimizer", "adamw"}},
      {{"--crop-padding", "reflect"}, {"--augment", "flip"}, {"--augment", "flip,crop=2"}},
      {{"--crop-padding", "zero"}, {"--augment", "batch-cutout=4"}, {"--augment", "cutout"}},
      {{"--crop-padding", "reflect"}, {"--data", "folder"}, {"--data", "cifar10"}},
      {{"--norm-statistics", "frozen"}, {"--model", "mlp"}, {"--model", "resnet20"}},
      {{"--recalibrate-last"}, {"--model", "vit-cifar"}, {"--model", "vgg16-bn"}},
      {{"--bn-recalibration", "pooled"},
       {"--average", "swa", "--model", "vgg16"},
       {"--average", "swa", "--model", "vgg16-bn"}},
      {{"--micro-norm", "batch"},
       {"--sharpness", "sam", "--micro", "own", "--model", "lenet5"},
       {"--sharpness", "sam", "--micro", "own"}},
      {{"--data-dir", "d"}, {"--data", "synthetic"}, {"--data", "cifar10"}},
      {{"--conv-algo", "direct"}, {"--dtype", "f64"}, {"--dtype", "f32"}},
      {{"--conv-algo", "direct"}, {"--model", "mlp"}, {"--model", "vgg16"}},
      {{"--shortcut", "B"}, {"--model", "wrn-16-4"}, {"--model", "resnet14"}},
      {{"--force"}, {}, {"--run", "r"}},
      {{"--rho-prime", "0.1"},
       {"--sharpness", "gam", "--gam-form", "exact"},
       {"--sharpness", "gam", "--gam-form", "exact", "--gam-with-sam"}},
      {{"--min-lr", "0.01"},
       {"--schedule", "swa", "--average", "swa"},
       {"--schedule", "swa", "--average", "swa", "--swa-lr", "0"}},
      {{"--swa-anneal-epochs", "2"}, {"--schedule", "swa", "--average", "swa"}, {"--average", "swa"}},
  };
  for (const Row& row : rows) {
    const auto joined = [&](const Words& where) {
      Words words = where;
      words.insert(words.end(), row.given.begin(), row.given.end());
      return words;
    };
    CAPTURE(row.given[0]);
    CHECK(train_failure(joined(row.in_vain)).starts_with("2: " + row.given[0] + " counts only with --"));
    CHECK(train_failure(joined(row.to_good)) == "");
  }
  CHECK(train_failure({"--print-config", "--json"}).starts_with("2: --print-config prints TOML"));
  CHECK(train_failure({"--sharpness", "sam", "--micro", "own", "--micro-size", "200"}) ==
        "2: --micro-size 200 is above --batch-size 128");
  CHECK(train_failure({"--dampening", "0.1", "--momentum", "0"}) == "2: --dampening needs --momentum > 0");
  CHECK(train_failure({"--dry-run", "--stop-after-steps", "1"}).starts_with("2: --dry-run tries one step"));
}

TEST_CASE("options that a setting makes void: the other commands") {
  const auto info = [](const Words& words) { return test::parse_failure("info", words); };
  CHECK(info({"lenet5", "--shortcut", "B"}) ==
        "2: --shortcut counts only for the ResNets of CIFAR, not for lenet5");
  CHECK(info({"resnet14", "--shortcut", "B"}).empty());
  CHECK(info({"w.safetensors", "--data", "mnist"}).find("counts only for a model") != std::string::npos);
  const auto bench = [](const Words& words) { return test::parse_failure("bench", words); };
  CHECK(bench({"step", "--workers", "1"}).starts_with("2: --workers counts only with --augment other than"));
  CHECK(bench({"step", "--workers", "1", "--augment", "flip"}).empty());
  CHECK(bench({"step", "--model", "mlp", "--conv-algo", "direct"}).starts_with("2: --conv-algo counts only"));
  CHECK(bench({"step", "--rules", "plain,nope"}).starts_with("2: --rules: unknown rule 'nope'"));
  CHECK(bench({"rules", "--rules", "sam,gam,sam"}) == "2: --rules: 'sam' is there twice");
  const auto data = [](const Words& words) { return test::parse_failure("data", words); };
  CHECK(data({"show", "--data", "cifar10", "--augment", "none", "--seed", "3"})
            .starts_with("2: --seed counts only with --augment"));
  CHECK(data({"show", "--data", "cifar10", "--seed", "3"}).empty());
  CHECK(data({"show", "--label-noise", "0.1"}).starts_with("2: unknown option '--label-noise'"));
  const auto eval = [](const Words& words) { return test::parse_failure("eval", words); };
  CHECK(eval({"--weights", "w", "--model", "mlp", "--data", "synthetic", "--data-dir", "d"})
            .starts_with("2: --data-dir counts only with --data other than synthetic"));
}

TEST_CASE("what a stronger source makes void gives way, whole chains of it") {
  const test::TemporaryDirectory dir;
  const std::string file =
      written(dir / "c.toml",
              "[model]\nname = \"resnet20\"\nnorm_statistics = \"frozen\"\n"
              "[data]\ncrop_padding = \"reflect\"\ndir = \"d\"\n"
              "[optimizer]\nname = \"sgd\"\ndecay = \"weights\"\n"
              "[sharpness]\nname = \"sam\"\nrho_schedule = \"linear\"\nrho_end = 0.01\n");
  CHECK(train_config({"--config", file}).model.norm_statistics == NormStatistics::frozen);
  CHECK(train_config({"--config", file, "--model", "mlp"}).model.norm_statistics == NormStatistics::batch);
  CHECK(train_config({"--config", file, "--augment", "flip"}).data.crop_padding == CropPadding::zero);
  CHECK(train_config({"--config", file, "--data", "synthetic"}).data.dir.empty());
  // adam's default weight decay is 0: the flag's doing.
  CHECK(train_config({"--config", file, "--optimizer", "adam"}).optimizer.decay == Decay::all);
  CHECK(train_config({"--config", file, "--sharpness", "none"}).sharpness.rho_end == 0);
  CHECK(train_failure({}, {{"BASIN_DATA_SEED", "3"}}).starts_with("2: BASIN_DATA_SEED counts only with"));
  CHECK(train_failure({"--validation", "0"}, {{"BASIN_DATA_SEED", "3"}}).empty());
}

TEST_CASE("every preset with every kind of model prints a configuration that loads as it is") {
  const test::TemporaryDirectory dir;
  for (const Preset& preset : presets())
    for (const char* model : {"resnet20", "mlp", "vit-cifar", "vgg16"})
      for (const char* data : {"cifar10", "synthetic", "folder"}) {
        CAPTURE(preset.name);
        CAPTURE(model);
        CAPTURE(data);
        const TrainConfig config = train_config({"--preset", preset.name, "--model", model, "--data", data});
        const std::string file = written(dir / "c.toml", to_toml(config));
        CHECK(to_toml(train_config({"--config", file})) == to_toml(config));
      }
}

TEST_CASE("what the registry says of batch norm and 3x3 convolutions is what the networks hold") {
  for (const nn::ModelInfo& info : nn::models()) {
    if (info.name.find("270") != std::string::npos || info.name.find("-200") != std::string::npos) continue;
    CAPTURE(info.name);
    const auto model = nn::make_model({.name = info.name, .blank = true});
    const Entries entries = entries_of(*model);
    const bool batch_norm =
        std::any_of(entries.buffers.begin(), entries.buffers.end(),
                    [](const NamedBuffer& b) { return b.name.ends_with("running_mean"); });
    const bool convolves =
        std::any_of(entries.parameters.begin(), entries.parameters.end(), [](const NamedParameter& p) {
          const Shape& s = p.parameter->shape();
          return p.layout == ParameterLayout::convolution && s[0] == 3 && s[1] == 3;
        });
    CHECK(info.batch_norm == batch_norm);
    CHECK(info.convolves_3x3 == convolves);
  }
}

TEST_CASE("times that come to no step of the run are refused, by the length that was given") {
  const Words sawtooth = {"--schedule", "sawtooth", "--cycle-epochs"};
  const auto with = [](Words words, const char* more) {
    words.push_back(more);
    return words;
  };
  CHECK(rules_failure(with(sawtooth, "1e-300"), 100) ==
        "2: --cycle-epochs 1e-300 is less than 1 step (an epoch has 100)");
  CHECK(rules_failure(with(sawtooth, "0.01"), 100).empty());
  CHECK(rules_failure({"--schedule", "triangle", "--cycle-epochs", "0.01"}, 100) ==
        "2: --cycle-epochs 0.01 is less than 2 steps (an epoch has 100)");
  CHECK(rules_failure({"--warmup-epochs", "1e-9"}, 100).starts_with("2: --warmup-epochs 1e-09 is less than"));
  CHECK(rules_failure({"--ensemble", "fge", "--fge-cycle-epochs", "1e-300"}, 100)
            .starts_with("2: --fge-cycle-epochs"));
  CHECK(rules_failure({"--average", "swa", "--swa-cycle-epochs", "1e-300"}, 100)
            .starts_with("2: --swa-cycle-epochs"));
  CHECK(rules_failure({"--average", "swa", "--swa-anneal-epochs", "1e-300"}, 100)
            .starts_with("2: --swa-anneal-epochs"));
  CHECK(rules_failure({"--sharpness", "sam", "--rho-warmup-epochs", "1e-300"}, 100)
            .starts_with("2: --rho-warmup-epochs"));
  CHECK(rules_failure({"--sharpness", "sam", "--sharpness-start", "0.9999"}, 10)
            .starts_with("2: --sharpness-start"));
  CHECK(rules_failure({"--sharpness", "sam", "--sharpness-start", "0.6", "--sharpness-end", "0.4"}, 10) ==
        "2: --sharpness-end 0.4 is not after --sharpness-start 0.6: no step would look uphill");

  CHECK(train_failure({"--sharpness", "sam", "--epochs", "3", "--rho-warmup-epochs", "4"}) ==
        "2: --rho-warmup-epochs 4 is longer than the run (--epochs 3)");
  CHECK(train_failure({"--sharpness", "sam", "--epochs", "3", "--sharpness-start", "3"}) ==
        "2: --sharpness-start 3 is not within the run (--epochs 3)");
  CHECK(train_failure({"--sharpness", "sam", "--epochs", "3", "--sharpness-end", "3"}) ==
        "2: --sharpness-end 3 is not within the run (--epochs 3)");
  CHECK(rules_failure({"--steps", "150", "--warmup-epochs", "3"}, 100) ==
        "2: --warmup-epochs 3 is longer than the run (--steps 150, 2 epochs)");
  CHECK(rules_failure({"--steps", "50", "--schedule", "step", "--milestones", "1"}, 100) ==
        "2: --milestones 1 is not before the end of the run (--steps 50, 1 epoch)");
  CHECK(rules_failure({"--steps", "50", "--average", "ema", "--average-start", "2"}, 100) ==
        "2: --average-start 2 is not within the run (--steps 50, 1 epoch)");
}

TEST_CASE("what --perturb moves is held against the network's parameters") {
  const auto said = [](const Words& words, const char* name) {
    const auto model = nn::make_model({.name = name, .blank = true});
    const auto w = optim::ParameterVector::of(*model);
    return failure([&] { expect_perturbed(train_config(words).sharpness, w); });
  };
  const Words norms = {"--sharpness", "sam", "--perturb", "norms"};
  CHECK(said(norms, "lenet5").starts_with("2: --perturb norms: this model has no normalisation layer"));
  CHECK(said(norms, "resnet8").empty());
  CHECK(said({"--sharpness", "sam", "--perturb", "named", "--perturb-names", "conv1.*,nope"}, "resnet8")
            .starts_with("2: --perturb-names: no parameter is called 'nope'"));
  CHECK(said({"--sharpness", "sam", "--perturb", "named", "--perturb-names", "conv1.*"}, "resnet8").empty());
}

TEST_CASE("a variable that is no option's is named, with what it may have been meant for") {
  const auto warnings = [](const Environment& environment) {
    return test::parsed("gradcheck", {}, environment).warnings;
  };
  const auto warning = [&](const char* name) -> std::string {
    const std::vector<std::string> all = warnings({{name, "1"}});
    return all.size() == 1 ? all[0] : "";
  };
  CHECK(warning("BASIN_LEARNING_RATE") ==
        "the environment variable BASIN_LEARNING_RATE names no option and changes nothing; here it is "
        "BASIN_LR");
  CHECK(warning("BASIN_EPOCH").ends_with("; did you mean BASIN_EPOCHS?"));
  CHECK(warning("BASIN_JSON").ends_with("; --json is given with each call"));
  CHECK(warning("BASIN_OUT").ends_with("; --out is given with each call"));
  CHECK(warning("BASIN_FOO_QUUX").ends_with("names no option and changes nothing"));
  CHECK(warnings({{"BASIN_ARCH", "avx2"}, {"BASIN_LR", "0.1"}, {"BASIN_WORKERS", "2"}}).empty());
}

TEST_CASE("a variable that a run's own numbers overrule is named") {
  const test::TemporaryDirectory dir;
  written(dir / "config.toml", to_toml(train_config({"--lr", "0.2", "--data", "synthetic"})));
  const Environment environment = {{"BASIN_LR", "0.7"},
                                   {"BASIN_EPOCHS", "30"},
                                   {"BASIN_MOMENTUM", "0.90"},
                                   {"BASIN_RHO", "0.1"},
                                   {"BASIN_WORKERS", "0"}};
  const std::string run = dir.path();
  const std::vector<std::string> expected = {
      "BASIN_LR=0.7 changes nothing: the run in " + run + " keeps optimizer.lr '0.2'",
      "BASIN_RHO changes nothing: --rho counts only with --sharpness other than none (here it is none)"};
  const auto call = test::train_call({"--resume", run}, environment);
  CHECK(call.warnings == expected);
  CHECK(call.config.optimizer.lr == 0.2);
  CHECK(call.config.data.workers == 0);
  CHECK(test::parsed("eval", {"--run", run}, {{"BASIN_MODEL", "mlp"}, {"BASIN_LR", "9"}}).warnings.size() ==
        1);
  CHECK(test::parsed("export", {"--run", run, "-o", "f.npz"}, {{"BASIN_MODEL", "mlp"}}).warnings.size() == 1);
}

TEST_CASE("a run that stops early says so in the one document of --json") {
  const test::TemporaryDirectory dir;
  const std::string run = dir / "my run";
  const test::Said said =
      test::train(test::small(run, {"--model", "mlp", "--json", "--stop-after-steps", "1"}));
  CHECK(said.code == 0);
  const Json document = parse_json(said.out);
  CHECK(document.at("run").string() == run);
  CHECK(document.at("step").integer() == 1);
  CHECK(document.at("stopped").string() == "stopped after 1 steps");
  std::string log;
  for (const std::string& line : test::lines(run + "/log.txt")) log += line + "\n";
  CHECK(log.find("go on with: basin train --resume '" + run + "'") != std::string::npos);
}

TEST_CASE("words and paths for a shell") {
  CHECK(shell_word("runs/a-1_b.c") == "runs/a-1_b.c");
  CHECK(shell_word("my run") == "'my run'");
  CHECK(shell_word("it's") == "'it'\\''s'");
  CHECK(shell_word("$(x)") == "'$(x)'");
  CHECK(shell_word("") == "''");
  CHECK(shell_path("--run") == "./--run");
  CHECK(shell_path("-a b") == "'./-a b'");
}
