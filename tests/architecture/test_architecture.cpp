// Reads every source file of the tree and fails on a broken house rule; and plants violations, so that each
// rule is known to bite.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/architecture/rules.h"

using namespace basin::house;
namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE_MESSAGE(in.good(), "cannot read ", path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

const std::vector<std::string> kFolders = {"core", "autograd", "nn",    "optim", "data",
                                           "cuda", "apps",     "bench", "tests"};

std::vector<Source> tree() {
  const fs::path root = BASIN_SOURCE_DIR;
  std::vector<Source> sources;
  for (const std::string& folder : kFolders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string kind = entry.path().extension().string();
      if (entry.is_regular_file() && (kind == ".h" || kind == ".cpp" || kind == ".cu" || kind == ".cuh")) {
        sources.push_back({fs::relative(entry.path(), root).string(), read(entry.path())});
      }
    }
  }
  std::sort(sources.begin(), sources.end(), [](const Source& a, const Source& b) { return a.path < b.path; });
  return sources;
}

/// The rules that one file breaks, in the order found.
std::vector<std::string> rules_broken(const std::string& path, const std::string& text) {
  std::vector<std::string> rules;
  for (const Finding& finding : check_file({path, text})) rules.push_back(finding.rule);
  return rules;
}

using Rules = std::vector<std::string>;

const std::string kOpening = "// What lives here.\n";
const std::string kHeader = kOpening + "#pragma once\n";

}  // namespace

TEST_CASE("the tree keeps the house rules") {
  const std::vector<Source> sources = tree();
  REQUIRE(sources.size() > 20);
  std::vector<Finding> findings = check_tree(sources);
  for (const Source& source : sources) {
    const std::vector<Finding> more = check_file(source);
    findings.insert(findings.end(), more.begin(), more.end());
  }
  for (const Finding& f : findings) {
    FAIL_CHECK(f.path << ":" << f.line << ": [" << f.rule << "] " << f.what);
  }
}

TEST_CASE("every folder of code is covered") {
  // A new folder with sources must be given its arrows.
  for (const auto& entry : fs::directory_iterator(BASIN_SOURCE_DIR)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || name.starts_with('.') || name == "build" || name == "runs") continue;
    if (std::find(kFolders.begin(), kFolders.end(), name) != kFolders.end()) continue;
    for (const auto& file : fs::recursive_directory_iterator(entry.path())) {
      const std::string kind = file.path().extension().string();
      CHECK_MESSAGE((kind != ".h" && kind != ".cpp" && kind != ".cu" && kind != ".cuh"), file.path().string(),
                    " lies outside the folders that are checked");
    }
  }
}

TEST_CASE("the README draws the arrows that are enforced") {
  CHECK(read(fs::path(BASIN_SOURCE_DIR) / "README.md").find(drawn_arrows()) != std::string::npos);
}

TEST_CASE("arrows run down the house only") {
  CHECK(may_include("apps", "core"));
  CHECK(may_include("nn", "core"));
  CHECK(may_include("tests", "apps"));
  CHECK_FALSE(may_include("nn", "optim"));
  CHECK_FALSE(may_include("optim", "nn"));
  CHECK_FALSE(may_include("data", "autograd"));
  CHECK_FALSE(may_include("cuda", "autograd"));
  CHECK_FALSE(may_include("core", "autograd"));
  CHECK_FALSE(may_include("apps", "tests"));
  CHECK_FALSE(may_include("core", "bench"));
  CHECK_FALSE(may_include("core", "nowhere"));
}

TEST_CASE("a planted include is caught, wherever it hides") {
  CHECK(rules_broken("nn/linear.cpp", kOpening + "#include \"autograd/ops/ops.h\"\n") == Rules{});
  CHECK(rules_broken("nn/linear.cpp", kOpening + "#include \"optim/sgd.h\"\n") == Rules{"arrow"});
  CHECK(rules_broken("core/a.cpp", kOpening + "  #  include   \"autograd/ops/ops.h\"\n") == Rules{"arrow"});
  CHECK(rules_broken("core/a.cpp", kOpening + "/* x */ #include \"nn/a.h\"\n") == Rules{"arrow"});
  CHECK(rules_broken("core/a.cpp", kOpening + "// #include \"nn/a.h\"\n") == Rules{});
  CHECK(rules_broken("core/a.cpp", kOpening + "/*\n#include \"nn/a.h\"\n*/\n") == Rules{});
  CHECK(rules_broken("core/a.cpp", kOpening + "#include \"a.h\"\n") == Rules{"path"});
  CHECK(rules_broken("core/a.cpp", kOpening + "#include \"core/../nn/a.h\"\n") == Rules{"path"});
  CHECK(rules_broken("core/a.cpp", kOpening + "#include \"tests/a.h\"\n") == Rules{"arrow"});
}

TEST_CASE("third-party headers stay where they belong") {
  CHECK(rules_broken("core/cpu/conv/gemm.h", kHeader + "#include <Eigen/Core>\n") == Rules{});
  CHECK(rules_broken("core/ops.cpp", kOpening + "#include <Eigen/Core>\n") == Rules{});
  CHECK(rules_broken("core/ops.h", kHeader + "#include <Eigen/Core>\n") == Rules{"vendor"});
  CHECK(rules_broken("nn/linear.cpp", kOpening + "#include <Eigen/Core>\n") == Rules{"vendor"});
  CHECK(rules_broken("apps/options/arguments.cpp", kOpening + "#include <CLI/CLI.hpp>\n") == Rules{});
  CHECK(rules_broken("apps/options/options.h", kHeader + "#include <CLI/CLI.hpp>\n") == Rules{"vendor"});
  CHECK(rules_broken("apps/options/toml_file.cpp", kOpening + "#include <toml++/toml.h>\n") == Rules{});
  CHECK(rules_broken("apps/config/data.h", kHeader + "#include <toml++/toml.h>\n") == Rules{"vendor"});
  CHECK(rules_broken("core/tensor.cpp", kOpening + "#include <cuda_runtime.h>\n") == Rules{"vendor"});
  CHECK(rules_broken("data/loading/loader.cpp", kOpening + "#include <random>\n") == Rules{"vendor"});
  CHECK(rules_broken("data/loading/loader.cpp", kOpening + "#include <doctest/doctest.h>\n") ==
        Rules{"vendor"});
  CHECK(rules_broken("core/tensor.cpp", kOpening + "#include <cassert>\n") == Rules{"vendor"});
}

TEST_CASE("a file opens with what it is, is short, and hides nothing") {
  CHECK(rules_broken("core/a.cpp", "int x;\n") == Rules{"opening"});
  CHECK(rules_broken("core/a.cpp", "#include \"core/a.h\"\n") == Rules{});
  CHECK(rules_broken("core/a.cpp", "#include \"core/b.h\"\n") == Rules{"opening"});
  CHECK(rules_broken("core/a.cpp", "") == Rules{"opening", "layout"});
  CHECK(rules_broken("core/a.h", kOpening) == Rules{"guard"});
  CHECK(rules_broken("core/a.cpp", kOpening + "int x;") == Rules{"layout"});
  CHECK(rules_broken("core/a.cpp", kOpening + "\tint x;\n") == Rules{"layout"});
  CHECK(rules_broken("core/a.cpp", kOpening + "int x; \n") == Rules{"layout"});
  CHECK(rules_broken("core/a.cpp", kOpening + "int x;\r\n") == Rules{"layout"});
  CHECK(rules_broken("core/a.cpp", kOpening + "// " + std::string(120, 'x') + "\n") == Rules{"layout"});
  CHECK(rules_broken("core/a.cpp", kOpening + "// TODO: later\n") == Rules{"word"});
  CHECK(rules_broken("core/a.cpp", kOpening + "int TODOS;\n") == Rules{});
  CHECK(rules_broken("core/a.cpp", kOpening + "void f() { assert(true); }\n") == Rules{"word"});
  CHECK(rules_broken("core/a.cpp", kOpening + "static_assert(true);\n") == Rules{});
  CHECK(rules_broken("core/a.cpp", kOpening + "// never assert\n") == Rules{});
  CHECK(rules_broken("core/a.h", kHeader + "using namespace std;\n") == Rules{"word"});
  CHECK(rules_broken("core/a.cpp", kOpening + "#define X 1\n") == Rules{"word"});
  CHECK(rules_broken("tests/core/a.cpp", kOpening + "TEST_CASE(\"this; that\") {}\n") == Rules{"test"});
  CHECK(rules_broken("tests/core/a.cpp", kOpening + "TEST_CASE(\"this, that\") { f(); }\n") == Rules{});
  std::string lines = kOpening;
  for (int i = 0; i < 449; ++i) lines += "int x;\n";
  CHECK(rules_broken("core/a.cpp", lines) == Rules{});
  CHECK(rules_broken("core/a.cpp", lines + "int x;\n") == Rules{"length"});
}

TEST_CASE("text that looks like a comment or a string does not fool the reader") {
  CHECK(includes_of("const char* s = \"//\"; // \"\n#include <a>\n").size() == 1);
  CHECK(includes_of("int n = 1'000; /* ' */\n#include <a>\n").size() == 1);
  CHECK(includes_of("char c = '\"';\n#include <a>\n").size() == 1);
  CHECK(includes_of("char c = '\\'';\n#include <a>\n").size() == 1);
  CHECK(includes_of("const char* s = \"\\\"/*\";\n#include <a>\n").size() == 1);
  CHECK(includes_of("auto s = R\"x(\"/*)\" )x\";\n#include <a>\n").size() == 1);
  const std::vector<Include> two = includes_of("#include <a>\n\n#include \"b/c.h\" // why\n");
  REQUIRE(two.size() == 2);
  CHECK(two[0].target == "a");
  CHECK_FALSE(two[0].quoted);
  CHECK(two[1].target == "b/c.h");
  CHECK(two[1].quoted);
  CHECK(two[1].line == 3);
}

TEST_CASE("missing files and include cycles are found") {
  const auto rules = [](const std::vector<Source>& sources) {
    Rules found;
    for (const Finding& f : check_tree(sources)) found.push_back(f.rule);
    return found;
  };
  const Source a{"core/a.h", "#include \"core/b.h\"\n"};
  CHECK(rules({a}) == Rules{"path"});
  CHECK(rules({a, {"core/b.h", ""}}) == Rules{});
  CHECK(rules({a, {"core/b.h", "#include \"core/a.h\"\n"}}) == Rules{"cycle"});
  CHECK(rules({a, {"core/b.h", "#include \"core/c.h\"\n"}, {"core/c.h", "#include \"core/a.h\"\n"}}) ==
        Rules{"cycle"});
  CHECK(rules({{"core/self.h", "#include \"core/self.h\"\n"}}) == Rules{"cycle"});
  // A header and its source are one subject: neither x.h nor y.h includes itself, yet x and y form a circle.
  const Source x{"nn/x.h", ""}, y{"nn/y.h", "#include \"nn/x.h\"\n"},
      own{"nn/x.cpp", "#include \"nn/x.h\"\n"};
  CHECK(rules({x, own, y}) == Rules{});
  CHECK(rules({x, {"nn/x.cpp", "#include \"nn/x.h\"\n#include \"nn/y.h\"\n"}, y}) == Rules{"cycle"});
}

// To see it: build/release/tests/test_architecture -tc='the house in figures' --no-skip
TEST_CASE("the house in figures" * doctest::skip()) {
  const std::string table = house_in_figures(tree());
  CHECK(table.find("| autograd/ops | ") != std::string::npos);
  MESSAGE(table);
}

TEST_CASE("inner rooms have arrows of their own") {
  CHECK(may_include("optim/gradient", "optim"));
  CHECK_FALSE(may_include("optim", "optim/gradient"));
  CHECK_FALSE(may_include("optim/gradient", "optim/update"));
  CHECK(may_include("optim/gradient", "core/io"));     // of lower floors every room
  CHECK(may_include("data/loading", "data/formats"));  // over data/sets
  CHECK_FALSE(may_include("data/formats", "data/loading"));
  CHECK(rules_broken("nn/attic/a.cpp", kOpening) == Rules{"room"});
  CHECK(rules_broken("data/formats/a.cpp", kOpening + "#include \"data/sets/load.h\"\n") == Rules{"arrow"});
  std::vector<Source> many;
  for (int i = 0; i < 33; ++i) many.push_back({"nn/f" + std::to_string(i) + ".h", kHeader});
  const std::vector<Finding> findings = check_tree(many);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].rule == "folder");
}
