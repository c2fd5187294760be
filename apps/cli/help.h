// Help made from the list of commands and their option tables: for the terminal and for docs/command-line.md.
#pragma once

#include <string>

#include "apps/cli/command.h"

namespace basin::apps {

/// Columns for help: those of the terminal on stdout, else $COLUMNS, else 80; from 40 to 100.
int help_width();

/// What bare `basin` and `basin --help` print.
std::string usage(const Program& program, int width);
/// What `basin NAME --help` prints: options by group, defaults in brackets, no line longer than `width`.
std::string command_help(const Command& command, const OptionTable& table, int width);
/// All options of all commands as Markdown tables: `basin --help-markdown`, the body of docs/command-line.md.
std::string help_markdown(const Program& program);
/// The same for `man basin`, in the macros of man(7): `basin --help-man`.
std::string manual_page(const Program& program);

}  // namespace basin::apps
