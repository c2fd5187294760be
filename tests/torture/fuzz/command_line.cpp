// The words of a command line, one a line, up to the moment where the command would begin its work.
#include <sstream>

#include "apps/cli/dispatch.h"
#include "apps/commands/commands.h"
#include "tests/torture/fuzz/target.h"

void basin::fuzz::read(std::string_view bytes) {
  std::vector<std::string> words;
  std::istringstream lines{std::string(bytes)};
  for (std::string word; std::getline(lines, word);) words.push_back(word);
  std::ostringstream out, err;
  const int code = apps::run_basin(apps::program(), words, {}, {out, err, {}},
                                   [](apps::Call&, apps::Terminal&) { return ExitCode::success; });
  expect(code == 0 || !err.str().empty(), "a refusal has words");
  expect(code != number(ExitCode::internal), "a command line is no fault of Basin's");
}
