// The order of the sources, once for every command.
#include "apps/cli/parse.h"

#include <algorithm>

#include "apps/cli/help.h"
#include "apps/options/arguments.h"
#include "apps/options/sources.h"
#include "core/error.h"

namespace basin::apps {
namespace {

/// Warnings of the variables that are no option's of any command.
std::vector<std::string> warnings_of(const Program& program, const Environment& environment) {
  if (environment.empty()) return {};
  std::vector<std::unique_ptr<Call>> calls;
  std::vector<OptionTable> tables;
  for (const Command& command : program.commands) {
    calls.push_back(command.make());
    tables.push_back(calls.back()->table());
  }
  return environment_warnings(environment, tables);
}

}  // namespace

Parsed parse(const Program& program, const Command& command, const std::vector<std::string>& arguments,
             const Environment& environment) {
  Parsed parsed;
  parsed.call = command.make();
  Call& call = *parsed.call;
  call.command_line = {"basin", command.name};
  call.command_line.insert(call.command_line.end(), arguments.begin(), arguments.end());
  OptionTable& table = parsed.table = call.table();

  std::vector<std::string>& words = parsed.words;
  const GivenFlags given = split_arguments(table, arguments, command.most_words, words);
  if (command.most_words != kAnyNumberOfWords) words.resize(command.most_words);
  if (std::any_of(given.begin(), given.end(), [](const auto& flag) { return flag.first == "help"; })) {
    parsed.print = command_help(command, table, help_width());
    return parsed;
  }

  take_flags(table, given);  // first of all: they say which preset, file or run, and each is checked
  const std::string run = call.build_on(table, words);
  if (run.empty())
    apply_environment(table, environment);
  else
    apply_environment_to_run(table, environment, run, parsed.warnings);
  take_flags(table, given);
  call.check(table, words);
  table.settle(/*of_run=*/!run.empty());
  parsed.print = call.settled(table);

  if (call.output().quiet && call.output().verbose)
    throw UsageError("--quiet and --verbose exclude each other");
  parsed.origins = origins_of(table);
  for (std::string& warning : warnings_of(program, environment))
    parsed.warnings.push_back(std::move(warning));
  return parsed;
}

}  // namespace basin::apps
