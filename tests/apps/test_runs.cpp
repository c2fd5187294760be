// `basin runs`: states and figures of runs, their order, and what of them may go.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "apps/runs/run_directory.h"
#include "apps/runs/run_list.h"
#include "core/io/files.h"
#include "core/io/json.h"
#include "tests/apps/streams.h"
#include "tests/apps/training.h"
#include "tests/core/contains.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using namespace basin::apps;
using test::contains;
using test::failure, test::Said, test::small, test::train, test::Words;
namespace fs = std::filesystem;

namespace {

Said runs(const Words& words) { return test::run_command("runs", words); }

}  // namespace

TEST_CASE("runs: each with its state and figures, in the order that is asked for, and nothing is touched") {
  test::TemporaryDirectory dir;
  REQUIRE(train(small(dir / "a", {"--checkpoint-every", "1steps", "--keep", "3"})).code == 0);
  REQUIRE(train(small(dir / "b", {"--stop-after-steps", "4"})).code == 0);
  fs::create_directories(dir / "c");
  fs::copy_file(dir / "a/config.toml", dir / "c/config.toml");
  fs::create_directories(dir / "d");
  fs::copy_file(dir / "a/config.toml", dir / "d/config.toml");
  std::ofstream(dir / "d/run.json") << "{";
  fs::create_directories(dir / "no-run");

  const std::vector<ListedRun> all = list_runs(dir.path());
  REQUIRE(all.size() == 4);
  CHECK(all[0].directory == dir / "a");
  CHECK(all[0].state == Standing::done);
  CHECK(all[0].epochs == 2);
  const Json result = parse_json(read_file(dir / "a/result.json"));
  CHECK(*all[0].accuracy == result.at("test_accuracy").number());
  CHECK(*all[0].best == result.at("best").at("test_accuracy").number());
  CHECK(all[1].state == Standing::stopped);
  CHECK(all[1].epochs == 1);
  CHECK(all[2].state == Standing::killed);
  CHECK_FALSE(all[2].accuracy);
  CHECK(all[3].problems.size() == 1);

  const Said said = runs({dir.path()});
  CHECK(said.code == 0);
  CHECK(contains(said.out, "done"));
  CHECK(contains(said.err, "warning: " + (dir / "d/run.json")));
  const Json listed = parse_json(runs({dir.path(), "--sort", "size", "--json"}).out);
  CHECK(listed.at("runs").array()[0].at("run").string() == dir / "a");
  CHECK(listed.at("runs").array()[3].at("accuracy") == Json());
  CHECK(list_runs(dir / "a").size() == 1);

  // A folder that a process holds is running, whatever its files say.
  {
    test::FakeTerminal terminal;
    TrainConfig config = small(dir / "b");
    config.run.force = true;
    const RunDirectory held(config, terminal.terminal);
    CHECK(list_runs(dir / "b")[0].state == Standing::running);
    CHECK(removable_of(list_runs(dir / "b")[0]).empty());
  }
  CHECK(list_runs(dir / "b")[0].state == Standing::stopped);

  const Said clean = runs({"clean", dir.path()});
  CHECK(contains(clean.out, "rm -r " + (dir / "c")));
  CHECK(contains(clean.out, "rm " + (dir / "a/ckpt-")));
  CHECK_FALSE(contains(clean.out, dir / "b"));
  CHECK(contains(clean.err, "nothing is removed by this"));
  const Json removable = parse_json(runs({"clean", dir.path(), "--json"}).out);
  CHECK(removable.at("removable").array().size() == 4);  // two of a's three checkpoints, c and d
  CHECK(fs::exists(dir / "c/config.toml"));
  CHECK(fs::exists(dir / "b/config.toml"));

  CHECK(contains(failure([&] { runs({dir / "no-run"}); }), "holds no run"));
  CHECK(contains(failure([&] { runs({dir / "gone"}); }), "there is no folder"));
  CHECK(contains(failure([&] { runs({"a", "b"}); }), "runs takes one folder"));
  CHECK(contains(failure([&] { runs({"clean", "a", "--sort", "size"}); }), "--sort is of the list"));
}
