// Command lines: splitting, the order of sources, TOML files, conditions between options.
#include "apps/cli/parse.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "apps/config/run_length.h"
#include "apps/options/presets.h"
#include "tests/apps/calls.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::apps;
using test::parse_failure;
using test::parsed;
using test::TemporaryDirectory;
using test::train_call;
using test::train_config;
using test::train_failure;
using test::value_of;
using test::Words;

namespace {

std::string write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

/// What `basin train --config` says of a file, its path left out.
std::string config_failure(const std::string& content) {
  const TemporaryDirectory directory;
  const std::string path = write(directory / "c.toml", content);
  std::string what = train_failure({"--config", path});
  const std::size_t at = what.find(path);
  return at == std::string::npos ? what : what.erase(at, path.size() - 6);
}

}  // namespace

TEST_CASE("the defaults are the initial values in apps/config/") {
  const TrainConfig c = train_config({});
  CHECK(c.data.name == "cifar10");
  CHECK(c.optimizer.kind == Optimizer::sgd);
  CHECK(c.optimizer.lr == 0.1);
  CHECK(c.optimizer.momentum == 0.9);
  CHECK(c.optimizer.weight_decay == 5e-4);
  CHECK(c.schedule.batch_size == 128);
  CHECK(c.run.seed == 42);
  CHECK(c.run.checkpoint_every == Period{1, Period::Unit::epochs});
  CHECK_FALSE(c.run.resume);
  CHECK(to_toml(c) == to_toml(TrainConfig{}));
}

TEST_CASE("every spelling of an option") {
  CHECK(train_config({"--lr", "0.2"}).optimizer.lr == 0.2);
  CHECK(train_config({"--lr=0.2"}).optimizer.lr == 0.2);
  CHECK(train_config({"--nesterov"}).optimizer.nesterov);
  CHECK_FALSE(train_config({"--no-nesterov"}).optimizer.nesterov);
  CHECK_FALSE(train_config({"--no-progress"}).output.progress);
  CHECK(train_config({"-v"}).output.verbose);
  CHECK(train_config({"-q"}).output.quiet);
  CHECK(train_config({"--name", ""}).run.name.empty());
}

TEST_CASE("what is not an option is an error with a suggestion") {
  CHECK(train_failure({"--epoch", "3"}) == "2: unknown option '--epoch'; did you mean --epochs?");
  CHECK(train_failure({"--epoch=3"}) == "2: unknown option '--epoch'; did you mean --epochs?");
  CHECK(train_failure({"--wd", "1"}) == "2: unknown option '--wd'; here it is --weight-decay, see --help");
  CHECK(train_failure({"--no-nestrov"}) == "2: unknown option '--no-nestrov'; did you mean --no-nesterov?");
  CHECK(train_failure({"--xyzzy"}) == "2: unknown option '--xyzzy'; --help lists them");
  CHECK(train_failure({"-x"}) == "2: unknown option '-x'; --help lists them");
  CHECK(train_failure({"fast"}) == "2: unexpected argument 'fast'; options begin with --, see --help");
  CHECK(train_failure({"--", "fast"}) == "2: unexpected argument 'fast'; options begin with --, see --help");
  CHECK(train_failure({"--lr"}) == "2: --lr needs a value: a number >= 0");
  CHECK(train_failure({"--lr", "--momentum", "0.5"}) ==
        "2: --lr needs a value: a number >= 0; '--momentum' is an option (a value like it is joined by =)");
  CHECK(train_failure({"--lr="}) == "2: --lr '' is not a number >= 0");
  CHECK(train_failure({"-qv"}) == "2: --quiet and --verbose exclude each other");
}

TEST_CASE("sources in their order: default, preset, file, environment, flag") {
  const TemporaryDirectory directory;
  const std::string file = write(directory / "c.toml", "[optimizer]\nlr = 0.4\n[schedule]\nepochs = 7\n");
  const Words preset = {"--preset", "sam_torch"};  // lr 0.1, 200 epochs
  CHECK(train_config(preset).schedule.epochs == 200);
  Words words = preset;
  words.insert(words.end(), {"--config", file});
  CHECK(train_config(words).schedule.epochs == 7);
  CHECK(train_config(words).optimizer.lr == 0.4);
  CHECK(train_config(words).loss.label_smoothing == 0.1);
  CHECK(train_config(words, {{"BASIN_LR", "0.3"}}).optimizer.lr == 0.3);
  words.insert(words.end(), {"--lr", "0.2"});
  const test::ReadTraining call = train_call(words, {{"BASIN_LR", "0.3"}, {"BASIN_BATCH_SIZE", "64"}});
  CHECK(call.config.optimizer.lr == 0.2);
  CHECK(call.config.schedule.batch_size == 64);

  const auto origin = [&](const std::string& line) {
    return std::find(call.origins.begin(), call.origins.end(), line) != call.origins.end();
  };
  CHECK(origin("optimizer.lr = 0.2 (--lr)"));
  CHECK(origin("schedule.batch_size = 64 (BASIN_BATCH_SIZE)"));
  CHECK(origin("schedule.epochs = 7 (" + file + ":4:1)"));
  CHECK(std::any_of(call.origins.begin(), call.origins.end(), [](const std::string& line) {
    return line.starts_with("sharpness.rho = 0.05 (preset sam_torch:");
  }));
}

TEST_CASE("the environment is checked like flags, and misspelt variables are warned about") {
  CHECK(train_failure({}, {{"BASIN_LR", "fast"}}) == "2: BASIN_LR 'fast' is not a number >= 0");
  CHECK(train_config({}, {{"BASIN_NESTEROV", "true"}}).optimizer.nesterov);
  CHECK(train_failure({}, {{"BASIN_NESTEROV", "yes"}}) == "2: BASIN_NESTEROV 'yes' is not true or false");
  CHECK(train_call({}, {{"BASIN_EPOHCS", "3"}}).warnings ==
        Words{"the environment variable BASIN_EPOHCS names no option and changes nothing; did you mean "
              "BASIN_EPOCHS?"});
  CHECK(train_call({}, {{"BASIN_ARCH", "avx2"}, {"BASIN_LR", "0.1"}}).warnings.empty());
  // Options of one call have no variable.
  CHECK_FALSE(train_config({}, {{"BASIN_FORCE", "true"}}).run.force);
}

TEST_CASE("TOML errors have a place") {
  CHECK(config_failure("[train\n").starts_with("2: c.toml:1:7: "));
  CHECK(config_failure("[optimizer]\nlr = \n").starts_with("2: c.toml:2:6: "));
  CHECK(config_failure("[optimizr]\nlr = 0.1\n") ==
        "2: c.toml:1:2: unknown section 'optimizr'; did you mean optimizer?");
  CHECK(config_failure("[schedule]\n  epocs = 3\n") ==
        "2: c.toml:2:3: unknown key 'schedule.epocs'; did you mean schedule.epochs?");
  CHECK(config_failure("lr = 0.1\n") == "2: c.toml:1:1: unknown key 'lr'; did you mean optimizer.lr?");
  CHECK(config_failure("[optimizer]\nlr = \"0.1\"\n") ==
        "2: c.toml:2:1: optimizer.lr is a string, not a number >= 0");
  CHECK(config_failure("[schedule]\nepochs = 3.0\n") ==
        "2: c.toml:2:1: schedule.epochs is a float, not a whole number from 1 to 1000000");
  CHECK(config_failure("[schedule]\nepochs = -3\n") ==
        "2: c.toml:2:1: schedule.epochs '-3' is not a whole number from 1 to 1000000");
  CHECK(config_failure("[optimizer]\nlr = nan\n") ==
        "2: c.toml:2:1: optimizer.lr 'nan' is not a number >= 0");
  CHECK(config_failure("[[schedule]]\nepochs = 3\n") ==
        "2: c.toml:1:3: schedule is a value of another kind, not a section");
  CHECK(config_failure("[optimizer.lr]\nx = 1\n") ==
        "2: c.toml:1:12: optimizer.lr is a section, not a number >= 0");
  CHECK(config_failure("[run]\nseed = 1\nseed = 2\n").starts_with("2: c.toml:3:"));
  // Letters behind which toml++ 3.3 has undefined behaviour; tests/torture/fuzz.sh looks for such.
  CHECK(config_failure("[opt\u0266\n").starts_with("2: c.toml:1:5: "));
  CHECK(config_failure("[run]\nseed = 0R'\u033A'\n").starts_with("2: c.toml:2:"));
  CHECK(config_failure("[run]\nname = \"\"\"a\\\n \u03FB\"\"\"\nseed = x\n").starts_with("2: c.toml:4:8: "));
  CHECK(config_failure("[run]\nforce = true\n").find("unknown key 'run.force'") != std::string::npos);
  CHECK(config_failure("[run]\nname = \"\xff\"\n").starts_with("2: c.toml:2:"));
  CHECK(config_failure(std::string(2 << 20, '#')).find("larger than 1 MiB") != std::string::npos);
  CHECK(config_failure(std::string(5000, '[')).starts_with("2: c.toml:1:"));
  CHECK(train_failure({"--config", "/nonexistent.toml"}) ==
        "2: /nonexistent.toml: No such file or directory");
  CHECK(train_failure({"--config", "/"}) == "2: /: is a directory, a TOML file is needed");
}

TEST_CASE("TOML values as options read them") {
  const TemporaryDirectory directory;
  const std::string file =
      write(directory / "c.toml",
            "run.name = \"a # b\"\n[optimizer]\nlr = 1\nnesterov = true\n[schedule]\n"
            "name = 'step'\nepochs = 10\nmilestones = [5, 7.5]\n[data]\nlimit = 1_000\n");
  const TrainConfig c = train_config({"--config", file});
  CHECK(c.run.name == "a # b");
  CHECK(c.optimizer.lr == 1);
  CHECK(c.optimizer.nesterov);
  CHECK(c.schedule.milestones == std::vector<double>{5, 7.5});
  CHECK(c.data.limit == 1000);
}

TEST_CASE("--print-config round-trips byte for byte") {
  const TemporaryDirectory directory;
  for (const Words& words : std::vector<Words>{
           {},
           {"--preset", "sam_torch"},
           {"--preset", "resnet_cifar", "--model", "lenet5", "--name", "quote \" back \\ slash # \xc3\xa9"},
           {"--optimizer", "adamw", "--beta1", "0.95", "--adam-eps", "1e-12", "--lr", "0.29999999999999999"},
           {"--schedule", "step", "--epochs", "20", "--milestones", "5,10,15.5", "--seed",
            "9223372036854775807"},
           {"--sharpness", "sam", "--rho", "1e-30", "--checkpoint-every", "90s", "--max-time", "1.5h"},
           {"--augment", "none", "--dtype", "f64", "--no-progress", "--log-every", "never", "--limit",
            "17"}}) {
    Words first = words;
    first.push_back("--print-config");
    const std::string printed = train_call(first).print;
    const std::string file = write(directory / "c.toml", printed);
    CHECK(train_call({"--config", file, "--print-config"}).print == printed);
    CHECK(to_toml(train_config({"--config", file})) == printed);
  }
}

TEST_CASE("options that do not apply are errors, unless a stronger source made the choice") {
  CHECK(train_failure({"--rho", "0.1"}) ==
        "2: --rho counts only with --sharpness other than none (here it is none)");
  CHECK(train_failure({"--beta1", "0.5"}) ==
        "2: --beta1 counts only with --optimizer adam, adamw, lion, muon or schedule-free-adamw (here it is "
        "sgd)");
  CHECK(
      train_failure({"--optimizer", "adam", "--momentum", "0.5"}) ==
      "2: --momentum counts only with --optimizer sgd, rmsprop, muon or schedule-free-sgd (here it is adam)");
  CHECK(train_failure({"--model", "lenet5", "--shortcut", "B"}) ==
        "2: --shortcut counts only with --model resnet8, resnet14, resnet20, resnet32, resnet44, resnet56 or "
        "resnet110 "
        "(here it is "
        "lenet5)");
  CHECK(train_failure({"--gamma", "0.2"}) ==
        "2: --gamma counts only with --schedule step (here it is cosine)");
  CHECK(train_failure({}, {{"BASIN_RHO", "0.1"}}) ==
        "2: BASIN_RHO counts only with --sharpness other than none (here it is none)");
  CHECK(config_failure("[sharpness]\nrho = 0.1\n") ==
        "2: c.toml:2:1: sharpness.rho counts only with --sharpness other than none (here it is none)");
  // The preset's rho is not in vain: the flag says otherwise for this run.
  const TrainConfig plain = train_config({"--preset", "sam_torch", "--sharpness", "none"});
  CHECK(plain.sharpness.kind == Sharpness::none);
  CHECK(plain.sharpness.rho == SharpnessConfig{}.rho);
  CHECK(to_toml(plain).find("rho") == std::string::npos);
  CHECK(train_config({"--sharpness", "none"}, {{"BASIN_RHO", "0.1"}}).sharpness.rho == SharpnessConfig{}.rho);
}

TEST_CASE("defaults that depend on the optimizer give way to any value") {
  CHECK(train_config({"--optimizer", "adam"}).optimizer.lr == 0.001);
  CHECK(train_config({"--optimizer", "adam"}).optimizer.weight_decay == 0);
  CHECK(train_config({"--optimizer", "adamw"}).optimizer.weight_decay == 0.01);
  CHECK(train_config({"--optimizer", "adamw", "--lr", "0.1"}).optimizer.lr == 0.1);
}

TEST_CASE("relations between options") {
  CHECK(train_failure({"--nesterov", "--momentum", "0"}) == "2: --nesterov needs --momentum > 0");
  CHECK(train_failure({"--nesterov", "--dampening", "0.1"}) == "2: --nesterov needs --dampening 0");
  CHECK(train_failure({"--epochs", "3", "--warmup-epochs", "4"}) ==
        "2: --warmup-epochs 4 is longer than the run (--epochs 3)");
  CHECK(train_failure({"--min-lr", "1"}) == "2: --min-lr 1 is above --lr 0.1");
  const auto milestones = [](const char* list) {
    return train_failure({"--schedule", "step", "--epochs", "10", "--milestones", list});
  };
  CHECK(milestones("0.5,2").find("either all fractions") != std::string::npos);
  CHECK(milestones("0.5,0.5") == "2: --milestones must rise: 0.5 does not");
  CHECK(milestones("5,10") == "2: --milestones 10 is not before the end of the run (--epochs 10)");
  CHECK(milestones("5,7").empty());
  CHECK(RunLength{.epochs = 10}.milestone_epochs({0.3, 0.75}) == std::vector<double>{3, 7.5});
  CHECK(train_failure({"--name", "a/b"}).find("no name for a directory") != std::string::npos);
  CHECK(train_failure({"--name", ".."}).find("no name for a directory") != std::string::npos);
}

TEST_CASE("--resume takes the run's configuration and refuses another recipe") {
  const TemporaryDirectory directory;
  const TrainConfig before = train_config({"--preset", "sam_torch", "--epochs", "9", "--threads", "1"});
  write(directory / "config.toml", to_toml(before));
  const std::string run = directory.path();

  const test::ReadTraining call = train_call({"--resume", run});
  CHECK(call.config.run.resume);
  CHECK(call.config.run.dir == run);
  CHECK(to_toml(call.config) == to_toml(before));
  CHECK(train_config({"--resume", run, "--threads", "2", "--keep", "5"}).device.threads == 2);
  CHECK(train_config({"--resume", run, "--epochs", "9"}).schedule.epochs == 9);
  CHECK(train_failure({"--resume", run, "--epochs", "10"}).find("a resumed run keeps its numbers") !=
        std::string::npos);
  CHECK(train_failure({"--resume", run, "--sharpness", "none"}).find("keeps its numbers") !=
        std::string::npos);
  for (const Words& extra :
       std::vector<Words>{{"--config", "x"}, {"--preset", "sam_torch"}, {"--run", "y"}, {"--force"}}) {
    Words words = {"--resume", run};
    words.insert(words.end(), extra.begin(), extra.end());
    CHECK(train_failure(words).find("and --resume exclude each other") != std::string::npos);
  }
  // The environment may change how it is run, not what is computed.
  const TrainConfig resumed = train_config({"--resume", run}, {{"BASIN_LR", "0.7"}, {"BASIN_WORKERS", "0"}});
  CHECK(resumed.optimizer.lr == before.optimizer.lr);
  CHECK(resumed.data.workers == 0);

  CHECK(train_failure({"--resume", run + "/none"}).starts_with("4: "));
  write(directory / "config.toml", "[optimizer]\nlr = 0.1\nlr = 0.2\n");
  CHECK(train_failure({"--resume", run}).find("config.toml:3:") != std::string::npos);
  std::filesystem::remove(directory / "config.toml");
  CHECK(train_failure({"--resume", run}) ==
        "4: '" + run +
            "' is no run directory: it has no config.toml and nothing else; start the run by --run");
}

TEST_CASE("the recipe is what decides the numbers") {
  const TrainConfig a = train_config({"--threads", "1", "--run", "x", "--workers", "0", "--data-dir", "d"});
  CHECK(recipe_toml(a) == recipe_toml(TrainConfig{}));
  CHECK(to_toml(a) != to_toml(TrainConfig{}));
  CHECK(recipe_toml(train_config({"--seed", "1"})) != recipe_toml(TrainConfig{}));
}

TEST_CASE("eval takes the run's data, model and device") {
  const TemporaryDirectory directory;
  const std::string run = directory.path();
  const auto eval_failure = [](const Words& words) { return parse_failure("eval", words); };
  write(directory / "config.toml", to_toml(train_config({"--data", "synthetic", "--model", "resnet8",
                                                         "--shortcut", "B", "--dtype", "f64"})));
  const Parsed c = parsed("eval", {"--run", run, "--batch-size", "7", "--json"}, {{"BASIN_MODEL", "mlp"}});
  CHECK(value_of(c, "data") == "synthetic");
  CHECK(value_of(c, "model") == "resnet8");
  CHECK(value_of(c, "shortcut") == "B");
  CHECK(value_of(c, "dtype") == "f64");
  CHECK(value_of(c, "batch-size") == "7");
  CHECK(c.call->output().json);

  CHECK(eval_failure({}).find("nothing to evaluate") != std::string::npos);
  CHECK(eval_failure({"--run", run, "--weights", "swa,f"}).empty());
  for (const char* flag : {"--run", "--weights"})
    CHECK(eval_failure({"--ensemble", run, flag, run}) ==
          "2: --ensemble excludes --run and --weights: its members are the weights");
  CHECK(eval_failure({"--weights", "f"}) == "2: --weights needs --model NAME too");
  CHECK(eval_failure({"--weights", "f", "--model", "mlp"}) == "2: --weights needs --data NAME too");
  CHECK(eval_failure({"--weights", "f", "--model", "mlp", "--data", "mnist"}).empty());
  CHECK(eval_failure({"--run", run + "/none"}).starts_with("4: "));
}

TEST_CASE("bench names what it measures") {
  CHECK(value_of(parsed("bench", {"rules", "--rounds", "3", "--rules", "sam,gam"}), "rounds") == "3");
  const auto bench_failure = [](const Words& words) { return parse_failure("bench", words); };
  CHECK(bench_failure({}) ==
        "2: bench measures something: say rules, step, memory, scaling, conv or ops (basin bench rules)");
  CHECK(bench_failure({"rule"}).starts_with("2: bench: unknown subject 'rule'"));
  CHECK(bench_failure({"rule"}).ends_with("did you mean rules?"));
  CHECK(bench_failure({"ops", "--model", "mlp"}) ==
        "2: --model counts only for bench rules, step, memory, scaling or conv, not for ops");
  CHECK(bench_failure({"memory", "--rounds", "2"}).find("--rounds counts only for") != std::string::npos);
  CHECK_FALSE(parsed("bench", {"rules", "--no-progress"}).call->output().progress);
  for (const char* subject : {"rules", "step", "memory", "scaling", "conv", "ops"})
    CHECK(bench_failure({subject}).empty());
}

TEST_CASE("data takes the options of what it is asked to do") {
  const auto data_failure = [](const Words& words) { return parse_failure("data", words); };
  CHECK(data_failure({"get", "mnist", "--data-dir", "d"}).empty());
  CHECK(data_failure({"get", "mnist", "--limit", "3"}) ==
        "2: --limit counts only for data verify or show, not for get");
  CHECK(data_failure({"verify", "--data-dir", "d", "--count", "5"}) ==
        "2: --count counts only for data show, not for verify");
  CHECK(data_failure({"show", "--data", "cifar10", "--augment", "flip", "--limit", "3"}).empty());
}

TEST_CASE("info and gradcheck") {
  const auto info_failure = [](const Words& words) { return parse_failure("info", words); };
  CHECK(parsed("info", {}).words == Words{""});
  CHECK(parsed("info", {"resnet20", "--data", "mnist"}).words == Words{"resnet20"});
  CHECK(value_of(parsed("info", {"--models"}), "models") == "true");
  CHECK(info_failure({"a", "b"}).find("unexpected argument 'b'") != std::string::npos);
  CHECK(info_failure({"--data", "mnist"}).find("counts only for a model") != std::string::npos);
  CHECK(info_failure({"a", "--models"}).find("stands alone") != std::string::npos);
  CHECK(value_of(parsed("gradcheck", {"--order", "2"}), "order") == "2");
  CHECK(parse_failure("gradcheck", {"--order", "3"}) == "2: --order '3' is not a whole number from 1 to 2");
}

TEST_CASE("every preset is valid and says what it is") {
  CHECK(presets().size() >= 3);
  for (const Preset& preset : presets()) {
    CAPTURE(preset.name);
    CHECK_FALSE(preset.help.empty());
    CHECK(train_failure({"--preset", preset.name}).empty());
  }
}
