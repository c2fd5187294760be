// CONTRIBUTING.md is true: each of its lists names the files that hold its example, all of them and no
// others.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/docs/markdown.h"

using namespace basin::docs;
namespace fs = std::filesystem;

namespace {

const fs::path kRoot = BASIN_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE_MESSAGE(in.good(), "cannot read ", path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A section "## A layer": the words of its example, from the line "Example: `Flatten`, `flatten`.", and the
/// files in the first column of its table.
struct Recipe {
  std::string title;
  std::vector<std::string> words;
  std::set<std::string> files;
};

std::vector<std::string> in_backticks(const std::string& line) {
  std::vector<std::string> found;
  for (std::size_t at = line.find('`'); at != std::string::npos;) {
    const std::size_t end = line.find('`', at + 1);
    if (end == std::string::npos) break;
    found.push_back(line.substr(at + 1, end - at - 1));
    at = line.find('`', end + 1);
  }
  return found;
}

std::vector<Recipe> recipes(const std::string& page) {
  std::vector<Recipe> all;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## ")) all.push_back({line.substr(3), {}, {}});
    if (all.empty()) continue;
    if (line.starts_with("Example: ")) all.back().words = in_backticks(line);
    if (line.starts_with("| `")) {
      const std::string cell = line.substr(0, line.find('|', 1));
      for (const std::string& file : in_backticks(cell)) all.back().files.insert(file);
    }
  }
  std::erase_if(all, [](const Recipe& r) { return r.words.empty(); });
  return all;
}

/// The files of the house, tests and presets aside, in which one of the words stands as a word of its own.
std::set<std::string> files_with(const std::vector<std::string>& words) {
  std::set<std::string> found;
  for (const char* folder : {"core", "autograd", "nn", "optim", "data", "cuda", "apps"}) {
    if (!fs::exists(kRoot / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      const std::string kind = entry.path().extension().string();
      if (kind != ".h" && kind != ".cpp" && kind != ".cu" && kind != ".cuh") continue;
      const std::string text = read(entry.path());
      if (std::any_of(words.begin(), words.end(),
                      [&](const std::string& word) { return contains_name(text, word); }))
        found.insert(fs::relative(entry.path(), kRoot).string());
    }
  }
  return found;
}

std::string joined(const std::set<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

}  // namespace

TEST_CASE("each list of CONTRIBUTING.md names the files of its example") {
  const std::vector<Recipe> all = recipes(read(kRoot / "CONTRIBUTING.md"));
  CHECK(all.size() == 7);  // an op, a layer, a model, a gradient rule, an update rule, a data set, a command
  for (const Recipe& recipe : all) {
    CAPTURE(recipe.title);
    CHECK(joined(files_with(recipe.words)) == joined(recipe.files));
  }
}

TEST_CASE("a list that misses a file, or names one too many, is noticed") {
  const std::string section =
      "## An op\n\nExample: `erf`.\n\n| file | what |\n| --- | --- |\n| `a.h` | x |\n";
  const std::vector<Recipe> one = recipes("# Title\n\nSee `x`.\n\n" + section + "| `b.h`, `c.h` | y |\n");
  REQUIRE(one.size() == 1);
  CHECK(one[0].words == std::vector<std::string>{"erf"});
  CHECK(joined(one[0].files) == "a.h, b.h, c.h");
  CHECK(files_with({"no_file_says_this_word"}).empty());
  CHECK(files_with({"leaky_relu"}).contains("autograd/ops/elementwise.cpp"));
}
