// The documentation is true: code blocks are programs (compiled and run, see programs.cmake) or quotations of
// the source, links lead somewhere, and files and functions that are named exist.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/docs/markdown.h"

using namespace basin::docs;
namespace fs = std::filesystem;

namespace {

const fs::path kRoot = BASIN_SOURCE_DIR;
const std::vector<std::string> kFolders = {"core", "autograd", "nn",    "optim", "data", "cuda",
                                           "apps", "bench",    "tests", "docs",  ".ci"};

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE_MESSAGE(in.good(), "cannot read ", path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// README.md, CONTRIBUTING.md and the pages under docs/ by their path from the root. The tables of
/// docs/results/runs are a command's (tests/reproduce/test_kept.cpp).
std::map<std::string, Page> pages() {
  std::map<std::string, Page> all;
  for (const char* page : {"README.md", "CONTRIBUTING.md"}) all.emplace(page, read_page(read(kRoot / page)));
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "docs")) {
    const fs::path path = fs::relative(entry.path(), kRoot);
    if (path.extension() != ".md" || path.string().starts_with("docs/results/runs/")) continue;
    all.emplace(path.string(), read_page(read(entry.path())));
  }
  return all;
}

/// The text of every source file, by path.
const std::map<std::string, std::string>& sources() {
  static const std::map<std::string, std::string> all = [] {
    std::map<std::string, std::string> texts;
    for (const std::string& folder : kFolders) {
      if (!fs::exists(kRoot / folder)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
        const std::string kind = entry.path().extension().string();
        if (kind != ".h" && kind != ".cpp" && kind != ".cu" && kind != ".cuh") continue;
        texts.emplace(fs::relative(entry.path(), kRoot).string(), read(entry.path()));
      }
    }
    return texts;
  }();
  return all;
}

/// "core/tensor.h" for a mention of a file of ours, else empty. A folder of ours must come first.
std::string file_mentioned(const std::string& mention) {
  const std::string path = mention.starts_with("./") ? mention.substr(2) : mention;
  const std::size_t slash = path.find('/');
  if (path.find_first_of(" *<>{}()$=") != std::string::npos) return "";
  if (slash == std::string::npos) return mention.starts_with("./") ? path : "";
  const bool ours = std::find(kFolders.begin(), kFolders.end(), path.substr(0, slash)) != kFolders.end();
  return ours ? path : "";
}

/// "Sam::direction" for a mention like `Sam::direction()` or `direction(...)`, else empty.
std::string function_mentioned(const std::string& mention) {
  const std::size_t open = mention.find('(');
  if (open == std::string::npos || open == 0) return "";
  const std::string name = mention.substr(0, open);
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == ':';
  });
  return plain ? name : "";
}

/// True if every part of a qualified name stands in `text`.
bool contains_all_parts(const std::string& text, const std::string& qualified) {
  for (std::size_t begin = 0; begin < qualified.size();) {
    std::size_t end = qualified.find("::", begin);
    if (end == std::string::npos) end = qualified.size();
    if (!contains_name(text, qualified.substr(begin, end - begin))) return false;
    begin = end + 2;
  }
  return true;
}

}  // namespace

TEST_CASE("a block of C++ is a program or a quotation") {
  for (const auto& entry : pages()) {
    const auto& name = entry.first;  // clang 14 lets no lambda capture a structured binding
    const auto& page = entry.second;
    for (const Block& block : page.blocks) {
      if (block.language != "cpp" || is_program(block)) continue;
      const bool quoted = std::any_of(sources().begin(), sources().end(),
                                      [&](const auto& source) { return is_excerpt(block, source.second); });
      CHECK_MESSAGE(quoted, name << ":" << block.line << ": these lines stand in no source file");
    }
  }
}

TEST_CASE("links lead to files that exist") {
  for (const auto& entry : pages()) {
    const auto& name = entry.first;
    const auto& page = entry.second;
    for (const Mention& link : page.links) {
      if (link.text.starts_with("http") || link.text.starts_with('#')) continue;
      const fs::path target = (kRoot / name).parent_path() / link.text.substr(0, link.text.find('#'));
      CHECK_MESSAGE(fs::exists(target), name << ":" << link.line << ": no such file: " << link.text);
    }
  }
}

TEST_CASE("the index lists every page") {
  const std::string index = read(kRoot / "docs" / "README.md");
  for (const auto& entry : pages()) {
    const auto& name = entry.first;
    if (!name.starts_with("docs/") || name == "docs/README.md") continue;
    CHECK_MESSAGE(index.find("](" + name.substr(5) + ")") != std::string::npos,
                  name << " is not in docs/README.md");
  }
}

TEST_CASE("files and functions that are named exist") {
  for (const auto& entry : pages()) {
    const auto& name = entry.first;
    const auto& page = entry.second;
    for (const Mention& mention : page.quoted) {
      if (const std::string path = file_mentioned(mention.text); !path.empty()) {
        CHECK_MESSAGE(fs::exists(kRoot / path), name << ":" << mention.line << ": no such file: " << path);
      }
      const std::string function = function_mentioned(mention.text);
      if (function.empty()) continue;
      // In a file that the same section names, if it names sources; else anywhere.
      std::vector<std::string> places;
      for (const Mention& other : page.quoted) {
        const std::string path = other.section == mention.section ? file_mentioned(other.text) : "";
        if (sources().contains(path)) places.push_back(path);
      }
      const bool found = std::any_of(sources().begin(), sources().end(), [&](const auto& source) {
        const bool here =
            places.empty() || std::find(places.begin(), places.end(), source.first) != places.end();
        return here && contains_all_parts(source.second, function);
      });
      CHECK_MESSAGE(found, name << ":" << mention.line << ": no such function"
                                << (places.empty() ? "" : " in the files this section names") << ": "
                                << mention.text);
    }
  }
}

TEST_CASE("commands name scripts and presets that exist") {
  const std::string presets = read(kRoot / "CMakePresets.json");
  for (const auto& entry : pages()) {
    const auto& name = entry.first;
    const auto& page = entry.second;
    for (const Block& block : page.blocks) {
      if (block.language != "sh") continue;
      for (const std::string& command : commands_of(block)) {
        const std::string program = command.substr(0, command.find(' '));
        INFO(name << ":" << block.line << ": " << command);
        if (const std::string path = file_mentioned(program); !path.empty()) {
          CHECK(fs::exists(kRoot / path));
          CHECK((fs::status(kRoot / path).permissions() & fs::perms::owner_exec) != fs::perms::none);
        }
        if (const std::size_t at = command.find("--preset ");
            program.ends_with("cmake") && at != std::string::npos) {
          const std::string preset = command.substr(at + 9, command.find(' ', at + 9) - at - 9);
          CHECK(presets.find("\"name\": \"" + preset + "\"") != std::string::npos);
        }
      }
    }
  }
}

TEST_CASE("the Markdown reader") {
  const Page page = read_page(
      "# One\nsee `core/tensor.h` and [the tour](docs/tour.md)\n\n```cpp\nint x;\n\n  int y;\n```\n## Two "
      "`f()`\n"
      "```sh\nbasin train \\\n  --lr 0.1  # why\n# only a comment\n./test.sh\n```\n");
  REQUIRE(page.blocks.size() == 2);
  CHECK(page.blocks[0].language == "cpp");
  CHECK(page.blocks[0].line == 5);
  CHECK_FALSE(is_program(page.blocks[0]));
  CHECK(is_excerpt(page.blocks[0], "before\n    int x;\nint y;\n"));
  CHECK_FALSE(is_excerpt(page.blocks[0], "int x;\nint z;\nint y;\n"));
  CHECK(commands_of(page.blocks[1]) == std::vector<std::string>{"basin train --lr 0.1", "./test.sh"});
  REQUIRE(page.quoted.size() == 2);
  CHECK(page.quoted[0].text == "core/tensor.h");
  CHECK(page.quoted[0].section == 1);
  CHECK(page.quoted[1].section == 2);
  REQUIRE(page.links.size() == 1);
  CHECK(page.links[0].text == "docs/tour.md");
  CHECK(is_program({"cpp", {"int main() {}"}, 1}));
  CHECK(contains_name("void gradients(int);", "gradients"));
  CHECK_FALSE(contains_name("void differentiable_gradients(int);", "gradients"));
}

TEST_CASE("mentions are told apart") {
  CHECK(file_mentioned("core/tensor.h") == "core/tensor.h");
  CHECK(file_mentioned("./quickstart.sh") == "quickstart.sh");
  CHECK(file_mentioned("runs/quickstart/log.txt").empty());
  CHECK(file_mentioned("core/*.h").empty());
  CHECK(file_mentioned("--lr").empty());
  CHECK(function_mentioned("Sam::direction()") == "Sam::direction");
  CHECK(function_mentioned("gradients(loss, wrt)") == "gradients");
  CHECK(function_mentioned("f(x) = g(y)") == "f");
  CHECK(function_mentioned("core/tensor.h").empty());
  CHECK(contains_all_parts("class Sam {\n Direction direction();", "Sam::direction"));
  CHECK_FALSE(contains_all_parts("class Gam {\n Direction direction();", "Sam::direction"));
}

TEST_CASE(
    "the README's reading order is as long as it says, and names a loop, a rule, a fused op and a kernel") {
  const std::string readme = read(kRoot / "README.md");
  const std::string claim = "That is about ";
  const std::size_t begin = readme.find("**To read it all:**"), end = readme.find(claim);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const std::string number = readme.substr(end + claim.size(), 5);  // "1,700"
  const std::ptrdiff_t told = std::stol(number.substr(0, 1) + number.substr(2));
  const std::string order = readme.substr(begin, end - begin);
  std::vector<std::string> files = {"docs/tour.md"};
  CHECK(order.find("docs/tour.md") != std::string::npos);
  for (std::size_t at = order.find('`'); at != std::string::npos;) {
    const std::size_t close = order.find('`', at + 1);
    files.push_back(order.substr(at + 1, close - at - 1));
    at = order.find('`', close + 1);
  }
  std::ptrdiff_t lines = 0;
  for (const std::string& file : files) {
    const std::string text = read(kRoot / file);
    lines += std::count(text.begin(), text.end(), '\n');
  }
  CHECK(lines <= 1800);
  CHECK(std::abs(lines - told) <= 50);
  for (const char* needed : {"apps/examples/cifar_sam.cpp", "optim/gradient/gam.cpp",
                             "autograd/ops/losses.cpp", "core/cpu/conv/plain.h"})
    CHECK(std::find(files.begin(), files.end(), needed) != files.end());
}
