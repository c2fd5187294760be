// `basin curve`: its ends, its files, and that it goes on after an interruption.
#include <doctest/doctest.h>

#include <algorithm>

#include "apps/lab/answer.h"
#include "apps/lab/curve/curve_points.h"
#include "apps/runs/run_config.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/ops.h"
#include "tests/lab/interrupting.h"
#include "tests/lab/runs.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;

namespace {

/// Another run like small_run(), from another seed.
const std::string& other_run() {
  static const TemporaryDirectory directory;
  static const std::string run = [] {
    const std::string path = directory.path() + "/run";
    if (train(small(path, {"--seed", "8"})).code != 0) throw InternalError("[test] the run did not end well");
    return path;
  }();
  return run;
}

Words curve_words(const std::string& out, const Words& more = {}) {
  Words words = {small_run(), other_run(), "-o", out, "--points", "3", "--workers", "1"};
  if (std::find(more.begin(), more.end(), "line") == more.end()) words.insert(words.end(), {"--epochs", "2"});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

const Json& path_named(const Json& result, const std::string& name) {
  for (const Json& path : result.at("paths").array())
    if (path.at("name").string() == name) return path;
  throw InternalError("[test] no path ", name);
}

/// Loss and accuracy of a file of weights with its statistics estimated anew, on the training images.
std::pair<double, double> own(const std::string& run, const std::string& file) {
  SubjectConfig config = subject_of(run);
  config.weights = file;
  Subject subject = open(config);
  recompute_statistics(subject, subject.examples);
  const optim::Evaluation here = subject.objective().forward();
  return {here.loss, static_cast<double>(here.correct) / static_cast<double>(here.rows)};
}

}  // namespace

TEST_CASE("5.6.7 a line between two nets with recomputed batch norm: its ends are their own evaluation") {
  const TemporaryDirectory there;
  const std::string out = there.path() + "/line";
  REQUIRE(run_command("curve", curve_words(out, {"--kind", "line"})).code == 0);
  const Json::Array points = path_named(read_answer(out).result, "line").at("points").array();
  const auto [loss_a, accuracy_a] = own(small_run(), small_run() + "/final.safetensors");
  const auto [loss_b, accuracy_b] = own(other_run(), other_run() + "/final.safetensors");
  CHECK(points.front().at("loss").number() == loss_a);
  CHECK(points.front().at("accuracy").number() == accuracy_a);
  CHECK(points.back().at("loss").number() == loss_b);
  CHECK(points.back().at("accuracy").number() == accuracy_b);
}

TEST_CASE("a trained chain: its files, its ends, its bend, and its alignment") {
  const TemporaryDirectory there;
  const std::string out = there.path() + "/chain";
  const Said said = run_command("curve", curve_words(out, {"--kind", "chain", "--align"}));
  REQUIRE(said.code == 0);
  CHECK(said.out.find("line, B aligned") != std::string::npos);
  const FoundAnswer answer = read_answer(out);
  const Json& result = answer.result;
  CHECK(result.at("training").at("steps").integer() == 4);
  CHECK(result.at("training").at("epoch_losses").array().size() == 2);

  const auto [loss_a, accuracy_a] = own(small_run(), small_run() + "/final.safetensors");
  const auto [loss_b, accuracy_b] = own(other_run(), other_run() + "/final.safetensors");
  for (const char* name : {"line", "line_aligned", "chain"}) {
    const Json::Array& points = path_named(result, name).at("points").array();
    REQUIRE(points.size() == 3);
    CHECK(points[0].at("loss").number() == loss_a);
    CHECK(points[0].at("accuracy").number() == accuracy_a);
    // Aligned, B is the same function to rounding.
    if (std::string(name) == "line")
      CHECK(points[2].at("loss").number() == loss_b);
    else
      CHECK(points[2].at("loss").number() == doctest::Approx(loss_b).epsilon(1e-4));
  }
  // The chain's bend is its middle, and a file of weights like any other.
  const auto [loss, accuracy] = own(small_run(), out + "/bend-1.safetensors");
  const Json& middle = path_named(result, "chain").at("points").array()[1];
  CHECK(middle.at("loss").number() == loss);
  CHECK(middle.at("accuracy").number() == accuracy);
  CHECK(own(small_run(), out + "/aligned.safetensors").first == doctest::Approx(loss_b).epsilon(1e-4));

  const double apart = result.at("distance").number();
  CHECK(result.at("alignment").at("distance_after").number() < apart);
  CHECK(path_named(result, "line").at("length").number() == doctest::Approx(apart).epsilon(1e-5));
  CHECK(path_named(result, "chain").at("length").number() >
        result.at("alignment").at("distance_after").number() * (1 - 1e-6));
  std::vector<std::string> names;
  for (const Figure& figure : answer.figures) names.push_back(figure.name);
  CHECK(names == std::vector<std::string>{"loss", "loss_by_length", "error", "error_by_length", "test_loss",
                                          "test_loss_by_length", "test_error", "test_error_by_length",
                                          "barriers", "training"});
  // Asked again, it shows what is there.
  CHECK(run_command("curve", curve_words(out, {"--kind", "chain", "--align"})).out == said.out);
}

TEST_CASE("an interrupted curve goes on to the same bytes, with any number of threads and workers") {
  const TemporaryDirectory there;
  const Words how = {"--bends", "2", "--bn", "interpolated"};
  const std::string straight = there.path() + "/straight", parts = there.path() + "/parts";
  REQUIRE(run_command("curve", curve_words(straight, how)).code == 0);
  Words again = curve_words(parts, {"--bends", "2", "--bn", "interpolated", "--threads", "2"});
  CHECK(interrupted_at("curve", "training the curve: ", again) == 143);
  CHECK(kind_of_file(parts + "/training.safetensors") == FileKind::regular);
  again.back() = "1";
  CHECK(interrupted_at("curve", "measuring curves: ", again) == 143);
  CHECK(kind_of_file(parts + "/answer.json") == FileKind::none);
  // As a process leaves it that was killed while it wrote the third point.
  const std::string points = read_file(straight + "/points.jsonl");
  std::size_t end = 0;
  for (int line = 0; line < 3; ++line) end = points.find('\n', end) + 1;
  write_file_atomically(parts + "/points.jsonl", points.substr(0, end + 9));
  REQUIRE(run_command("curve", again).code == 0);
  CHECK(content(parts) == content(straight));
}

TEST_CASE(
    "frozen statistics are A's everywhere; without batch norm and with its decay a loss is of w alone") {
  const TemporaryDirectory there;
  const std::string out = there.path() + "/frozen";
  REQUIRE(run_command("curve", curve_words(out, {"--kind", "line", "--bn", "frozen", "--loss", "trained",
                                                 "--split", "test"}))
              .code == 0);
  const Json::Array points = path_named(read_answer(out).result, "line").at("points").array();
  SubjectConfig config = subject_of(small_run());
  config.split = Split::test;
  const Subject a = open(config);
  const Tensor& w = a.w->values();
  const double decay = read_run_config(small_run()).optimizer.weight_decay;
  CHECK(points[0].at("loss").number() ==
        doctest::Approx(a.objective().loss() + decay / 2 * static_cast<double>(dot(w, w))).epsilon(1e-12));
  CHECK(points[0].find("test_loss") == nullptr);
}

TEST_CASE("what no curve can join is said before any work") {
  CHECK(parse_failure("curve", {small_run()}) ==
        "2: nothing to go to: name a second RUN or file of weights, or --to swa, ema, lawa, member:N of the "
        "first");
  CHECK(parse_failure("curve", {small_run(), other_run(), "--kind", "line", "--lr", "0.1"})
            .starts_with("2: --lr"));
  CHECK(parse_failure("curve", {"w.safetensors", other_run()}) ==
        "2: --weights without a RUN needs --model NAME too");
  const TemporaryDirectory there;
  CHECK(failure([&] {
          run_command("curve", {small_run(), "--to", "swa", "-o", there.path() + "/out"});
        }).starts_with("4: [curve] " + small_run() + "/final-swa.safetensors is not there"));
}
