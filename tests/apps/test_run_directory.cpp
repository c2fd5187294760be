// The run directory: numbering, refusal to overwrite, run.json, sessions, the report.
#include "apps/runs/run_directory.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <new>

#include "apps/report/page/page.h"
#include "apps/runs/run_config.h"
#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "tests/apps/calls.h"
#include "tests/apps/streams.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::apps;
using test::failure;
using test::FakeTerminal;
using test::TemporaryDirectory;
using test::train_config;

namespace {

using Names = std::vector<std::string>;

void touch(const std::string& path) { std::ofstream(path) << "x"; }

TrainConfig config_in(const std::string& run) { return train_config({"--data", "synthetic", "--run", run}); }

// Begins a session and ends at once; where.
std::string begin(const TrainConfig& config, FakeTerminal& t) {
  RunDirectory run(config, t.terminal);
  run.begin(config);
  return run.path();
}

// A finished run of two epochs.
RunResult finished(RunDirectory& run) {
  run.open_records(0, {});
  RunResult result{
      .parameters = 270896, .seconds = 12, .weights = "final.safetensors", .weights_sha256 = "abc"};
  std::vector<EpochRecord> epochs;
  for (std::int64_t epoch = 1; epoch <= 2; ++epoch) {
    run.write(StepRecord{.step = epoch, .epoch = epoch});
    epochs.push_back({.epoch = epoch,
                      .step = epoch,
                      .train_loss = 2.0 / static_cast<double>(epoch),
                      .train_accuracy = 0.5,
                      .test_loss = 1.5,
                      .test_accuracy = epoch == 1 ? 0.625 : 0.5});
    run.write(epochs.back());
  }
  result.last = epochs.back();
  result.best = best_of(epochs);
  run.write(result);
  return result;
}

class WorkingDirectory {
 public:
  explicit WorkingDirectory(const std::string& path) : old_(std::filesystem::current_path()) {
    std::filesystem::current_path(path);
  }
  ~WorkingDirectory() { std::filesystem::current_path(old_); }

 private:
  std::filesystem::path old_;
};

}  // namespace

TEST_CASE("a new run: its files, and a configuration that repeats it") {
  const TemporaryDirectory directory;
  FakeTerminal t;
  const std::string path = directory / "deep/er/a";
  const TrainConfig config = config_in(path + "/");
  RunDirectory run(config, t.terminal);
  run.begin(config);
  CHECK(run.path() == path);
  t.terminal.note("hello");
  CHECK(read_file(path + "/log.txt") == "hello\n");
  CHECK(to_toml(train_config({"--config", path + "/config.toml"})) == to_toml(config));
  const Json json = parse_json(read_file(path + "/run.json"));
  CHECK(json.at("seed").integer() == 42);
  CHECK(json.at("name").string() == "synthetic-resnet20");
  const Json& session = json.at("sessions").array().at(0);
  CHECK(session.at("build").at("compiler").string().find("++ ") != std::string::npos);
  CHECK(session.find("ended") == nullptr);
}

TEST_CASE("an existing run is named and left alone, --force replaces our files and no others") {
  const TemporaryDirectory directory;
  const std::string path = directory / "a";
  FakeTerminal t;
  {
    RunDirectory run(config_in(path), t.terminal);
    run.begin(config_in(path));
    finished(run);
    for (const char* name : {"/ckpt-000000001.safetensors", "/notes.txt", "/final.safetensors"})
      touch(path + name);
    for (const char* name : {"/lab", "/lab/hessian", "/lab/mine"}) make_directory(path + name);
    for (const char* name : {"/lab/hessian/question.json", "/lab/hessian/answer.json", "/lab/mine/notes.txt"})
      touch(path + name);
  }
  const std::string before = read_file(path + "/run.json");
  const std::string what = failure([&] { RunDirectory(config_in(path), t.terminal); });
  CHECK(what == "2: --run '" + path +
                    "' exists and holds a run; go on with it by --resume, or replace it by --force");
  CHECK(read_file(path + "/run.json") == before);

  TrainConfig forced = config_in(path);
  forced.run.force = true;
  RunDirectory run(forced, t.terminal);
  run.begin(forced);
  Names names;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  CHECK(names == Names{"config.toml", "lab", "log.txt", "notes.txt", "run.json"});
  // Answers of the laboratory are about the weights that went.
  CHECK(list_directory(path + "/lab") == Names{"mine"});
}

TEST_CASE("a directory that holds something else is refused even with --force, an empty one is taken") {
  const TemporaryDirectory directory;
  FakeTerminal t;
  std::filesystem::create_directory(directory / "empty");
  begin(config_in(directory / "empty"), t);
  std::filesystem::create_directory(directory / "photos");
  touch(directory / "photos/metrics.csv");
  TrainConfig forced = config_in(directory / "photos");
  forced.run.force = true;
  CHECK(failure([&] { RunDirectory(forced, t.terminal); }).find("holds no run") != std::string::npos);
  CHECK(read_file(directory / "photos/metrics.csv") == "x");
  touch(directory / "file");
  CHECK(failure([&] { RunDirectory(config_in(directory / "file"), t.terminal); }).starts_with("8: "));
  CHECK(failure([&] { begin(config_in(directory / "file/a"), t); }).starts_with("8: "));
}

TEST_CASE("runs/NAME-NNN: the next number after the highest") {
  const TemporaryDirectory directory;
  const WorkingDirectory here(directory.path());
  FakeTerminal t;
  const auto make = [&](const std::vector<std::string>& words) { return begin(train_config(words), t); };
  CHECK(make({"--data", "mnist", "--model", "mlp"}) == "runs/mnist-mlp-001");
  CHECK(make({"--data", "mnist", "--model", "mlp"}) == "runs/mnist-mlp-002");
  CHECK(make({"--data", "mnist", "--model", "mlp", "--sharpness", "sam"}) == "runs/mnist-mlp-sam-001");
  for (const char* name : {"runs/x-9", "runs/x-041", "runs/x-041-2", "runs/x-abc", "runs/xy-100"}) {
    std::filesystem::create_directory(name);
  }
  CHECK(make({"--name", "x"}) == "runs/x-042");
  std::filesystem::create_directory("runs/x-999");
  CHECK(make({"--name", "x"}) == "runs/x-1000");
}

TEST_CASE("two processes cannot use one run") {
  const TemporaryDirectory directory;
  FakeTerminal t;
  TrainConfig config = config_in(directory / "a");
  RunDirectory run(config, t.terminal);
  run.begin(config);
  config.run.resume = true;
  const std::string refused = failure([&] { RunDirectory(config, t.terminal); });
  const std::string own = "process " + std::to_string(::getpid()) + " on host ";
  CHECK(refused.find("in use by another basin process (" + own) != std::string::npos);
  CHECK(refused.find(" since 20") != std::string::npos);
  CHECK(holder_of(directory / "a").starts_with(own));
  CHECK(holder_of(directory.path()).empty());
}

TEST_CASE("each call of a run is a session, however it ends") {
  const TemporaryDirectory directory;
  FakeTerminal t;
  TrainConfig config = config_in(directory / "a");
  config.run.command = {"basin", "train"};
  const auto session = [&](const std::function<ExitCode()>& body) {
    RunDirectory run(config, t.terminal);
    run.begin(config);
    run.open_records(0, {});
    config.run.resume = true;
    return run.session([&] {
      run.describe("data_hash", "abc");
      run.write(StepRecord{.step = 5, .epoch = 1});
      return body();
    });
  };
  const auto last = [&](const char* key) {
    return parse_json(read_file(directory / "a/run.json")).at("sessions").array().back().at(key);
  };
  CHECK(session([] { return ExitCode::success; }) == ExitCode::success);
  CHECK(last("exit_reason").string() == "finished");
  CHECK(last("last_step").integer() == 5);
  CHECK(session([] { return ExitCode::interrupted; }) == ExitCode::interrupted);
  CHECK(last("exit_reason").string() == "interrupted (SIGINT)");
  CHECK_THROWS_AS(session([]() -> ExitCode { throw NumericalError("the loss is nan"); }), NumericalError);
  CHECK(last("exit_reason").string() == "the loss is nan");
  CHECK(last("exit_code").integer() == 5);
  CHECK_THROWS_AS(session([]() -> ExitCode { throw std::bad_alloc(); }), std::bad_alloc);
  CHECK(last("exit_code").integer() == 6);

  RunDirectory run(config, t.terminal);
  run.begin(config);
  CHECK(run.described("data_hash")->string() == "abc");
  CHECK(run.described("none") == nullptr);
  CHECK(run.earlier_seconds() > 0);
  const Json json = parse_json(read_file(directory / "a/run.json"));
  CHECK(json.at("sessions").array().size() == 5);
  CHECK(json.at("sessions").array()[0].at("command").array().size() == 2);
}

TEST_CASE("a run.json that is damaged is begun anew, with a warning") {
  const TemporaryDirectory directory;
  FakeTerminal t;
  TrainConfig config = config_in(directory / "a");
  begin(config, t);
  touch(directory / "a/run.json");
  config.run.resume = true;
  begin(config, t);
  CHECK(t.err.str().find("run.json is not readable and is begun anew") != std::string::npos);
  CHECK(parse_json(read_file(directory / "a/run.json")).at("sessions").array().size() == 1);
  config.run.dir = directory / "b";
  std::filesystem::create_directory(config.run.dir);
  CHECK(failure([&] { RunDirectory(config, t.terminal); }).starts_with("4: "));
}

TEST_CASE("records lost before a checkpoint are warned about") {
  const TemporaryDirectory directory;
  FakeTerminal t;
  RunDirectory run(config_in(directory / "a"), t.terminal);
  run.begin(config_in(directory / "a"));
  run.open_records(7, {});
  CHECK(t.err.str().find("7 records of steps before the checkpoint are lost") != std::string::npos);
}

TEST_CASE("result.json and the report") {
  const TemporaryDirectory directory;
  FakeTerminal t;
  const TrainConfig config =
      train_config({"--data", "synthetic", "--run", directory / "a", "--name", "<b>&\"x\""});
  RunDirectory run(config, t.terminal);
  run.begin(config);
  const RunResult result = finished(run);
  CHECK(result.best->epoch == 1);
  const Json json = parse_json(read_file(run.file("result.json")));
  CHECK(json.at("test_accuracy").number() == 0.5);
  CHECK(json.at("best").at("test_accuracy").number() == 0.625);
  CHECK(json.at("last").at("train_loss_perturbed").is_null());

  write_report(run.path());
  const std::string page = read_file(run.file("report.html")), curves = read_file(run.file("curves.svg"));
  CHECK(page.find("data-figure=\"accuracy\"") != std::string::npos);
  CHECK(page.find("<title>&lt;b&gt;&amp;&quot;x&quot;</title>") != std::string::npos);
  CHECK(page.find("<strong>50.00 %</strong>") != std::string::npos);
  CHECK(page.find("http") == std::string::npos);  // nothing is fetched
  write_report(run.path());
  CHECK(read_file(run.file("curves.svg")) == curves);

  std::ofstream(run.file("result.json")) << "{}";
  CHECK_THROWS_AS(write_report(run.path()), DataError);
  CHECK_THROWS_AS(write_report(directory / "none"), DataError);
}

TEST_CASE("the best epoch has finite losses, or there is none") {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const auto epoch = [](std::int64_t number, double loss, double accuracy) {
    return EpochRecord{.epoch = number, .test_loss = loss, .test_accuracy = accuracy};
  };
  CHECK_FALSE(best_of({}).has_value());
  CHECK_FALSE(best_of({epoch(1, kNan, 0.5), epoch(2, 1 / 0.0, 0.7)}).has_value());
  CHECK(best_of({epoch(1, kNan, 0.9), epoch(2, 2, 0.5), epoch(3, 1, 0.5), epoch(4, kNan, 1)})->epoch == 2);
  CHECK(best_of({epoch(1, 2, 0.5), epoch(2, 1, 0.75)})->epoch == 2);
  // With validation it is chosen there.
  std::vector<EpochRecord> validated = {epoch(1, 1, 0.1), epoch(2, 1, 0.9), epoch(3, 1, 0.2)};
  for (EpochRecord& e : validated) e.validation_loss = 1, e.validation_accuracy = 0.3;
  validated[0].validation_loss = kNan;
  validated[0].validation_accuracy = 1;
  validated[2].validation_accuracy = 0.4;
  CHECK(best_of(validated)->epoch == 3);
}

TEST_CASE("result.json and report of a run without a finite loss say so, and show no number for it") {
  const TemporaryDirectory directory;
  FakeTerminal t;
  const TrainConfig config = config_in(directory / "a");
  RunDirectory run(config, t.terminal);
  run.begin(config);
  run.open_records(0, {});
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const EpochRecord epoch{.epoch = 1,
                          .train_loss = kNan,
                          .train_accuracy = kNan,
                          .test_loss = kNan,
                          .test_accuracy = 0,
                          .gradient_norm = kNan,
                          .images_per_second = kNan};
  run.write(epoch);
  const Variant last{.name = "last", .test_loss = kNan, .failure = "the test loss is nan"};
  run.write(RunResult{.last = epoch, .best = best_of({epoch}), .variants = {last}});
  const Json json = parse_json(read_file(run.file("result.json")));
  CHECK(json.at("best").is_null());
  CHECK(json.at("weights").is_null());
  CHECK(json.at("test_loss").string() == "nan");
  CHECK(json.at("last").at("train_loss").string() == "nan");
  CHECK(json.at("variants").array().at(0).at("failure").string() == "the test loss is nan");
  write_report(run.path());
  const std::string page = read_file(run.file("report.html"));
  CHECK(page.find("<td>last (1)</td><td>nan</td><td>nan</td><td>nan</td>") != std::string::npos);
  CHECK(page.find("best") == std::string::npos);
  CHECK(page.find("the loss of the last weights is not finite") != std::string::npos);
  CHECK(read_file(run.file("curves.svg")).find("nan") == std::string::npos);
}
