// Help made from the option tables: for the terminal and for docs/command-line.md.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/options.h"

namespace basin::apps {

/// A subcommand in the list that `basin --help` prints.
struct CommandSummary {
  std::string name;
  std::string arguments;  // "[options]"
  std::string help;
};

/// Every subcommand there is.
const std::vector<CommandSummary>& command_summaries();

/// Columns for help: those of the terminal on stdout, else $COLUMNS, else 80; from 40 to 100.
int help_width();

/// What bare `basin` and `basin --help` print.
std::string usage(int width);
/// What `basin NAME --help` prints: options by group, defaults in brackets, no line longer than `width`.
std::string command_help(const std::string& name, const OptionTable& table, int width);
/// All options of all subcommands as Markdown tables: `basin --help-markdown`, the body of
/// docs/command-line.md.
std::string help_markdown();

}  // namespace basin::apps
