// Every `basin ...` command in the documentation is one that the program accepts: it is parsed by the
// program's own code, with commands that do nothing.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "apps/cli/dispatch.h"
#include "apps/commands/commands.h"
#include "tests/docs/markdown.h"

using namespace basin;
namespace fs = std::filesystem;

namespace {

struct Answer {
  int code;
  std::string complaint;
};

/// What the program says to a command line of words without quotation marks; "..." stands for more options.
Answer ask_basin(const std::string& command) {
  std::vector<std::string> arguments;
  std::istringstream words(command);
  for (std::string word; words >> word;) {
    if (word == ">" || word == "|" || word == "&&") break;
    if (word != "...") arguments.push_back(word);
  }
  arguments.erase(arguments.begin());
  std::ostringstream out, err;
  const int code = apps::run_basin(apps::program(), arguments, {}, {out, err, {}},
                                   [](apps::Call&, apps::Terminal&) { return ExitCode::success; });
  return {code, err.str()};
}

bool calls_basin(const std::string& command) {
  return command.starts_with("basin ") || command.starts_with("build/release/basin ");
}

std::vector<std::pair<std::string, std::string>> documented_commands() {
  std::vector<fs::path> files = {fs::path(BASIN_SOURCE_DIR) / "README.md"};
  for (const auto& entry : fs::directory_iterator(fs::path(BASIN_SOURCE_DIR) / "docs")) {
    if (entry.path().extension() == ".md") files.push_back(entry.path());
  }
  std::vector<std::pair<std::string, std::string>> found;  // place, command
  for (const fs::path& file : files) {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    const docs::Page page = docs::read_page(text.str());
    const auto add = [&](int line, const std::string& command) {
      if (calls_basin(command))
        found.emplace_back(file.filename().string() + ":" + std::to_string(line), command);
    };
    for (const docs::Mention& mention : page.quoted) add(mention.line, mention.text);
    for (const docs::Block& block : page.blocks) {
      if (block.language != "sh") continue;
      for (const std::string& command : docs::commands_of(block)) add(block.line, command);
    }
  }
  return found;
}

}  // namespace

TEST_CASE("the program accepts every documented command") {
  const auto commands = documented_commands();
  REQUIRE(commands.size() > 5);
  for (const auto& documented : commands) {
    const auto& place = documented.first;
    const auto& command = documented.second;
    const Answer answer = ask_basin(command);
    // A run that is to be resumed, evaluated or looked at does not exist here, which is exit code 4; anything
    // else is wrong.
    const bool needs_run =
        !command.starts_with("basin train") || command.find("--resume ") != std::string::npos;
    // Prose may name a command without what it works on: `basin eval`.
    const bool no_subject = answer.code == 2 && answer.complaint.find("nothing to ") != std::string::npos;
    CHECK_MESSAGE((answer.code == 0 || (answer.code == 4 && needs_run) || no_subject),
                  place << ": " << command << "\n"
                        << answer.complaint);
  }
}

TEST_CASE("a wrong command in the documentation would be caught") {
  CHECK(ask_basin("basin train --sharpness sam --rho 0.05 ...").code == 0);
  CHECK(ask_basin("basin train --epoch 3").code == 2);
  CHECK(ask_basin("basin train --model resnet21").code == 2);
  CHECK(ask_basin("basin trian").code == 2);
}
