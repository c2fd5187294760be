// Values of options: what is taken, what is refused, and that printing and reading are inverse.
#include <doctest/doctest.h>

#include <cmath>

#include "apps/options/bindings.h"
#include "apps/training/axes.h"
#include "tests/apps/calls.h"

using namespace basin;
using namespace basin::apps;
using test::train_config;
using test::train_failure;

TEST_CASE("numbers are read whole or not at all, and the error names option, value and range") {
  CHECK(train_failure({"--lr", "nan"}) == "2: --lr 'nan' is not a number >= 0");
  CHECK(train_failure({"--lr", "inf"}) == "2: --lr 'inf' is not a number >= 0");
  CHECK(train_failure({"--lr", "-1"}) == "2: --lr '-1' is not a number >= 0");
  CHECK(train_failure({"--lr", "1e400"}) == "2: --lr '1e400' is not a number >= 0");
  CHECK(train_failure({"--lr", "0x1"}) == "2: --lr '0x1' is not a number >= 0");
  CHECK(train_failure({"--lr", " 1"}) == "2: --lr ' 1' is not a number >= 0");
  CHECK(train_failure({"--epochs", "-1"}) == "2: --epochs '-1' is not a whole number from 1 to 1000000");
  CHECK(train_failure({"--epochs", "1e3"}) == "2: --epochs '1e3' is not a whole number from 1 to 1000000");
  CHECK(train_failure({"--epochs", "0"}) == "2: --epochs '0' is not a whole number from 1 to 1000000");
  CHECK(train_failure({"--epochs", ""}) == "2: --epochs '' is not a whole number from 1 to 1000000");
  CHECK(train_failure({"--seed", "99999999999999999999"}) ==
        "2: --seed '99999999999999999999' is not a whole number from 0 to 9223372036854775807");
  CHECK(train_failure({"--seed", "-1"}) ==
        "2: --seed '-1' is not a whole number from 0 to 9223372036854775807");
  CHECK(train_failure({"--sharpness", "sam", "--rho", "0.05x"}) == "2: --rho '0.05x' is not a number >= 0");
  CHECK(train_failure({"--momentum", "1"}) == "2: --momentum '1' is not a number in [0, 1)");
  CHECK(train_failure({"--label-smoothing", "-0.1"}) ==
        "2: --label-smoothing '-0.1' is not a number in [0, 1)");
  CHECK(train_failure({"--optimizer", "adam", "--adam-eps", "0"}) == "2: --adam-eps '0' is not a number > 0");

  CHECK(train_config({"--seed", "9223372036854775807"}).run.seed == 9223372036854775807u);
  CHECK(train_config({"--lr", "1e30"}).optimizer.lr == 1e30);
  CHECK(train_config({"--lr", "0"}).optimizer.lr == 0);
}

TEST_CASE("a value in an error is short and free of control characters") {
  CHECK(train_failure({"--lr", "\x1b[31m1\n"}) == "2: --lr '?[31m1?' is not a number >= 0");
  CHECK(train_failure({"--lr", std::string(100000, '9') + "x"}).size() < 200);
  CHECK(train_failure({"--lr", "\xff"}) == "2: --lr '?' is not a number >= 0");
}

TEST_CASE("real numbers are printed shortly and read back to the same bits") {
  for (const double x : {0.0, 0.1, 0.29999999999999999, 5e-4, 1.0, 30.0, 1e-8, 1e30, 1.0 / 3, 123456789.125,
                         5e-324, 1.7976931348623157e308, 1e15, 99999.0}) {
    double field = -1;
    const Binding binding = real(field, {});
    binding.assign(print_real(x));
    CHECK(field == x);
    CHECK(binding.print() == print_real(x));
    CHECK(print_real(x).find_first_of(".e") != std::string::npos);
  }
  CHECK(print_real(0.0005) == "0.0005");
  CHECK(print_real(1) == "1.0");
  CHECK(print_real(0.3) == "0.3");
}

TEST_CASE("periods") {
  Period p;
  const Binding binding = period(p);
  const auto read = [&](const char* text) {
    binding.assign(text);
    return p;
  };
  CHECK(read("5steps") == Period{5, Period::Unit::steps});
  CHECK(read("1step") == Period{1, Period::Unit::steps});
  CHECK(read("2epochs") == Period{2, Period::Unit::epochs});
  CHECK(read("0.25epochs") == Period{0.25, Period::Unit::epochs});
  CHECK(read("90s") == Period{90, Period::Unit::seconds});
  CHECK(read("10m") == Period{600, Period::Unit::seconds});
  CHECK(read("1.5h") == Period{5400, Period::Unit::seconds});
  CHECK(read("never").never());
  for (const char* bad :
       {"", "5", "steps", "0steps", "-1steps", "1.5steps", "0epochs", "5 steps", "5ste", "1e3steps",
        "nanepochs", "infs", "0.1s", "1d", "99999999999999999999steps", "5stepsx"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(binding.assign(bad), ValueError);
  }
  for (const char* text : {"5steps", "0.25epochs", "1epochs", "90s", "10m", "2h", "never"}) {
    CHECK(print_period(read(text)) == text);
  }
  CHECK(print_period(read("1.5h")) == "90m");
}

TEST_CASE("durations") {
  std::int64_t seconds = 0;
  const Binding binding = duration(seconds);
  for (const auto& [text, expected] : {std::pair{"90s", 90}, {"10m", 600}, {"1.5h", 5400}, {"none", 0}}) {
    binding.assign(text);
    CHECK(seconds == expected);
  }
  for (const char* bad : {"", "10", "m", "-1m", "0s", "1.5s", "never", "10m "}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(binding.assign(bad), ValueError);
  }
  CHECK(print_duration(0) == "none");
  CHECK(print_duration(61) == "61s");
  CHECK(print_duration(7200) == "2h");
}

TEST_CASE("lists of numbers") {
  CHECK(train_config({"--schedule", "step", "--milestones", "0.3,0.6,0.8"}).schedule.milestones ==
        std::vector<double>{0.3, 0.6, 0.8});
  for (const char* bad : {"", "0.5,", ",0.5", "0.5,,0.6", "0.5;0.6", "0", "-0.5", "0.5,nan"}) {
    CAPTURE(bad);
    CHECK(train_failure({"--schedule", "step", "--milestones", bad}).find("is not a list like") !=
          std::string::npos);
  }
}

TEST_CASE("names: only known ones, with a suggestion") {
  CHECK(train_failure({"--optimizer", "sdg"}) ==
        "2: --optimizer 'sdg' is not one of sgd, adam, adamw, rmsprop, lion, muon, "
        "schedule-free-sgd, schedule-free-adamw; did you mean sgd?");
  CHECK(train_failure({"--data", "cifar"}).find("; did you mean cifar10?") != std::string::npos);
  CHECK(train_failure({"--model", "resnet21"}).find("; did you mean resnet20") != std::string::npos);
  CHECK(train_failure({"--preset", "sam_trch"}).find("; did you mean sam_torch") != std::string::npos);
  CHECK(train_failure({"--device", "tpu:0"}) ==
        "2: --device 'tpu:0' is not cpu, cuda or cuda:N with N from 0 to 15");
}

TEST_CASE("names: of many, the nearest few, and who lists them") {
  const std::string said = train_failure({"--model", "resnet21"});
  CHECK(said.starts_with("2: --model 'resnet21' is not one of the models; did you mean resnet20"));
  CHECK(said.ends_with("`basin info --models` lists them"));
  CHECK(said.size() < 200);
  CHECK(train_failure({"--model", "xyzzy"}) ==
        "2: --model 'xyzzy' is not one of the models; `basin info --models` lists them");
  CHECK(train_failure({"--model"}).size() < 200);
  CHECK(train_failure({"--preset", "xyzzy"}) ==
        "2: --preset 'xyzzy' is not one of the presets; `basin train --help` lists them");
}

TEST_CASE("texts that say nothing are refused") {
  for (const char* flag : {"--config", "--run", "--resume", "--preset"})
    CHECK_MESSAGE(train_failure({flag, ""}).starts_with(std::string("2: ") + flag + " '' is not "), flag);
  CHECK(test::parse_failure("gradcheck", {"--op", ""}) == "2: --op '' is not a name");
  CHECK(test::parse_failure("bench", {"rules", "--rules", ""}) == "2: --rules '' is not names");
  CHECK(test::parse_failure("eval", {"--run", ""}) == "2: --run '' is not a directory");
  CHECK(train_failure({"--name", "  "}) == "2: --name '  ' is blank");
  CHECK(train_failure({"--data", "webdataset", "--train-shards", ""}) ==
        "2: --train-shards '' is not a pattern");
  CHECK(train_config({"--freeze", ""}).model.freeze.empty());  // it undoes that of a file
}

TEST_CASE("lists of names: each once, and something between the commas") {
  CHECK(train_config({"--freeze", "conv1.*,fc.bias"}).model.freeze == "conv1.*,fc.bias");
  for (const char* bad : {",", "conv1.*,", ",fc", "a,,b", "a, ,b", " "})
    CHECK_MESSAGE(train_failure({"--freeze", bad}).starts_with("2: --freeze "), bad);
  CHECK(train_failure({"--freeze", "a,b,a"}) == "2: --freeze 'a,b,a' has 'a' twice");
  CHECK(train_failure({"--sharpness", "sam", "--perturb", "named", "--perturb-names", ","}) ==
        "2: --perturb-names ',' has no name before or behind a comma");
  CHECK(train_failure({"--sharpness", "sam", "--perturb", "named"}) ==
        "2: --perturb named needs --perturb-names");
}

TEST_CASE("a range in the help is the one that is taken") {
  CHECK(train_failure({"--schedule", "one-cycle", "--pct-start", "1"}) ==
        "2: --pct-start '1' is not a number in (0, 1)");
  CHECK(train_failure({"--schedule", "one-cycle", "--pct-start", "0"}) ==
        "2: --pct-start '0' is not a number in (0, 1)");
  // The ends of every other closed range are values of a run.
  const std::vector<test::Words> ends = {
      {"--label-noise", "0"},
      {"--label-noise", "1"},
      {"--momentum", "0"},
      {"--dampening", "0"},
      {"--dampening", "1"},
      {"--label-smoothing", "0"},
      {"--optimizer", "adam", "--beta1", "0", "--beta2", "0"},
      {"--optimizer", "rmsprop", "--rms-alpha", "0"},
      {"--schedule", "step", "--gamma", "1"},
      {"--schedule", "one-cycle", "--div-factor", "1", "--final-div-factor", "1"},
      {"--average", "ema", "--ema-decay", "0"},
      {"--average", "ema", "--ema-decay", "1"},
      {"--sharpness", "sam", "--inner-steps", "2", "--inner-step", "0"},
      {"--sharpness", "sam", "--inner-steps", "2", "--inner-step", "1"},
      {"--sharpness", "sam", "--rho", "0"},
      {"--sharpness", "asam", "--eta", "0"},
      {"--sharpness", "fsam", "--lambda", "0"},
      {"--sharpness", "gam", "--rho", "0", "--rho-prime", "0"},
      {"--lr", "0"},
  };
  for (const test::Words& words : ends) {
    CAPTURE(words[0] + words[1]);
    CHECK(
        test::failure([&] {
          const TrainConfig config = train_config(words);
          check_axes(config, run_length(config.schedule, 100 * config.schedule.batch_size));
          Tensor weight = Tensor::zeros({2}, Dtype::f32);
          Variable parameter = Variable::parameter(weight, "w");
          const optim::ParameterVector w({{"w", &parameter, ParameterRole::weight, ParameterLayout::plain}});
          make_update_rule(config.optimizer, w);
        }).empty());
  }
}

TEST_CASE("texts are one line of UTF-8") {
  CHECK(train_config({"--name", "r\xc3\xa9sum\xc3\xa9 #1"}).run.name == "r\xc3\xa9sum\xc3\xa9 #1");
  CHECK(train_failure({"--name", "a\nb"}) == "2: --name 'a?b' holds a control character");
  CHECK(train_failure({"--name", "\xc3"}) == "2: --name '?' is not UTF-8");
}
