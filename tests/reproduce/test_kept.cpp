// docs/results/runs/: what is kept of the runs gives the tables that stand beside them, and the README has
// their claims.
#include <doctest/doctest.h>

#include <filesystem>

#include "core/io/csv.h"
#include "core/io/files.h"
#include "tests/apps/calls.h"
#include "tests/core/contains.h"
#include "tests/core/temporary_directory.h"

using namespace basin;
using test::contains;
namespace fs = std::filesystem;

TEST_CASE("the tables of docs/results/runs are those of the runs that are kept there") {
  const std::string results = BASIN_SOURCE_DIR "/docs/results";
  const std::string claims = read_file(results + "/README.md");
  for (const fs::directory_entry& experiment : fs::directory_iterator(results + "/runs")) {
    const std::string name = experiment.path().filename().string(), kept = experiment.path().string();
    if (!fs::exists(kept + "/table.md")) continue;  // not all runs are made
    CAPTURE(name);
    const test::TemporaryDirectory there;
    const std::string copy = there.path() + "/copy";
    fs::copy(kept, copy, fs::copy_options::recursive);
    // Nothing may be left to train: there are no data.
    const test::Said said = test::run_command(
        "reproduce", {name, "--scale", "small", "--out", copy, "--data-dir", "/dev/null/none", "--quiet"});
    CHECK((said.code == 0 || said.code == 7));
    for (const char* file : {"/table.md", "/rows.csv", "/claims.csv", "/search.csv"}) {
      CAPTURE(file);
      if (fs::exists(kept + file)) CHECK(read_file(copy + file) == read_file(kept + file));
    }
    // bench/claims_table.py
    CHECK(fs::exists(results + "/" + name + ".md"));
    const auto rows = parse_csv(read_file(kept + "/claims.csv"));
    for (std::size_t i = 1; i < rows.size(); ++i) {
      CAPTURE(rows[i][0]);
      CHECK(contains(
          claims, "| " + rows[i][0] + " | " + rows[i][1] + " | " + rows[i][2] + " | " + rows[i][3] + " |"));
    }
  }
}
