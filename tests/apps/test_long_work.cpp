// LongWork and UnitResults: progress, signals, and what a work goes on from after one.
#include "apps/cli/long_work.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <csignal>

#include "apps/cli/signals.h"
#include "apps/runs/unit_results.h"
#include "core/io/files.h"
#include "tests/apps/calls.h"
#include "tests/apps/streams.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::apps;
using test::failure;
using test::FakeTerminal;
using test::repainting;
using test::TemporaryDirectory;

namespace {

/// Signals are noted for the life of this, as in a command.
struct Signals {
  Signals() { install_signal_handlers(); }
  ~Signals() { clear_interruption(); }
};

const std::vector<std::string> kUnits = {"a", "b", "c", "d", "e"};

Json work(std::int64_t seed = 1) { return Json::Object{{"model", "mlp"}, {"seed", seed}}; }

Json result_of(const std::string& unit) { return Json::Object{{"loss", recorded(1.0 / (unit[0] - 'a'))}}; }

}  // namespace

TEST_CASE("long work: a part is painted at most ten times a second, and only on a terminal") {
  double now = 0;
  FakeTerminal t({}, repainting(80, false));
  const data::Watch part = LongWork(t.terminal, [&] { return now; }).part("decoding train", "pictures");
  part(1, 7390);
  now = 0.05;
  part(2, 7390);
  now = 0.2;
  part(1024, 7390);
  CHECK(t.err.str() ==
        "\rdecoding train: 1 of 7,390 pictures\x1b[K\rdecoding train: 1,024 of 7,390 pictures\x1b[K");
  LongWork(t.terminal).begin("round 1 of 5: sam");
  LongWork(t.terminal).done();
  CHECK(t.err.str().ends_with("\rround 1 of 5: sam\x1b[K\r\x1b[K"));
  FakeTerminal pipe;
  const data::Watch silent = LongWork(pipe.terminal).part("fetching", "bytes");
  silent(5, 0);
  CHECK(pipe.err.str().empty());
}

TEST_CASE("long work: what is left is guessed from the third second on, of this call's own speed") {
  double now = 100;
  FakeTerminal t({}, repainting(80, false));
  const LongWork::Nested watch =
      LongWork(t.terminal, [&] { return now; }).nested("trace", "products", "images");
  watch.pieces(40, 100);  // 40 are an earlier call's
  now += 2;
  watch.within(500, 1000);
  now += 2;
  watch.pieces(41, 100);
  now += 2;
  watch.within(500, 1000);
  CHECK(t.err.str() ==
        "\rtrace: 40 of 100 products\x1b[K\rtrace: 40 of 100 products and 500 of 1,000 images\x1b[K"
        "\rtrace: 41 of 100 products, 3m56s left\x1b[K"
        "\rtrace: 41 of 100 products and 500 of 1,000 images, 3m54s left\x1b[K");
}

TEST_CASE("long work: a signal ends the part that looks next, with its exit code and how far it was") {
  const Signals noted;
  FakeTerminal t({}, repainting(80, false));
  const LongWork work(t.terminal);
  const data::Watch part = work.part("evaluating", "images");
  part(128, 10000);
  std::raise(SIGTERM);
  CHECK(failure([&] { part(1024, 10000); }) ==
        "143: evaluating: terminated (SIGTERM) after 1,024 of 10,000 images");
  CHECK(t.err.str().ends_with("\r\x1b[K"));
  CHECK(failure([&] { work.parts()("fetching", "bytes")(7, 0); }) ==
        "143: fetching: terminated (SIGTERM) after 7 bytes");
  CHECK(failure([&] { work.begin("round 2"); }) == "143: terminated (SIGTERM)");
  CHECK(interruptible([&] {
          work.begin("round 2");
          return ExitCode::success;
        }) == ExitCode{143});
  CHECK(interruptible([] { return ExitCode::check_failed; }) == ExitCode::check_failed);
  CHECK(resumable(t.terminal, [&] {
          work.begin("round 2");
          return ExitCode::success;
        }) == ExitCode{143});
  CHECK(t.err.str().ends_with("terminated (SIGTERM); the same call goes on from there\n"));
}

TEST_CASE("unit results: a work that SIGINT ends in the middle goes on where it was, to the same results") {
  const Signals noted;
  const TemporaryDirectory dir;
  FakeTerminal t;
  const LongWork shown(t.terminal);
  std::vector<std::string> computed;
  const auto compute = [&](const std::string& unit) {
    computed.push_back(unit);
    if (unit == "c" && computed.size() == 3)
      std::raise(SIGINT);  // while it computes: it is finished and stored
    return result_of(unit);
  };
  {
    UnitResults results(dir / "units.jsonl", work());
    CHECK(results.earlier() == 0);
    CHECK(failure([&] { results.complete(kUnits, compute, shown.part("landscape", "points")); }) ==
          "130: landscape: interrupted (SIGINT) after 3 of 5 points");
    CHECK_FALSE(results.find("d"));
  }
  clear_interruption();
  UnitResults results(dir / "units.jsonl", work());
  CHECK(results.earlier() == 3);
  results.complete(kUnits, compute, shown.part("landscape", "points"));
  CHECK(computed == kUnits);  // each once
  for (const std::string& unit : kUnits) CHECK(results.at(unit).compact() == result_of(unit).compact());

  UnitResults straight(dir / "straight.jsonl", work());
  straight.complete(kUnits, result_of);
  CHECK(read_file(dir / "units.jsonl") == read_file(dir / "straight.jsonl"));
  CHECK_THROWS_AS(results.at("f"), ArgumentError);
}

TEST_CASE(
    "unit results: what was done before a unit fails is kept; a torn or foreign line is computed again") {
  const TemporaryDirectory dir;
  const std::string path = dir / "units.jsonl";
  {
    UnitResults results(path, work());
    CHECK_THROWS_AS(results.complete(kUnits,
                                     [](const std::string& unit) {
                                       if (unit == "d") throw NumericalError("not finite");
                                       return result_of(unit);
                                     }),
                    NumericalError);
  }
  const std::string whole = read_file(path);
  write_file_atomically(path, whole.substr(0, whole.size() - 4));  // killed while it wrote the third
  CHECK(UnitResults(path, work()).earlier() == 2);
  write_file_atomically(path, whole + std::string(9, '\0') + "\n");
  CHECK(UnitResults(path, work()).earlier() == 3);
  CHECK(read_file(path) == whole);
  write_file_atomically(path, whole.substr(0, 10));  // killed while it wrote the first line
  CHECK(UnitResults(path, work()).earlier() == 0);
}

TEST_CASE("unit results: a file of another work, or of something else, is refused and stays as it is") {
  const TemporaryDirectory dir;
  const std::string path = dir / "units.jsonl";
  UnitResults(path, work()).complete(kUnits, result_of);
  const std::string before = read_file(path);
  CHECK(failure([&] {
          UnitResults(path, work(2));
        }).starts_with("4: [units] " + path + " holds something else: "));
  CHECK(read_file(path) == before);
  write_file_atomically(path, "a letter\nwithout an end");
  CHECK(failure([&] { UnitResults(path, work()); }).starts_with("4: [units] "));
  CHECK(read_file(path) == "a letter\nwithout an end");
}
