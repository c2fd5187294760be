// What a shell may offer at each place of a command line, from the list of commands and their option tables.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/command.h"

namespace basin::apps {

/// A word that may stand on the command line, and what may follow it.
struct CompletionOption {
  std::string word;  // "--lr", "--no-progress", "-q"
  std::string help;  // one line for people
  bool takes_value = false;
  std::vector<std::string> choices = {};  // of the value, where it is one of few words
  std::string placeholder = {};           // of the value otherwise: FILE, DIR, N
};

struct CommandCompletion {
  std::string name;  // "train"
  std::string help;
  std::vector<CompletionOption> options;
};

/// One for each command, in the order of `basin --help`.
std::vector<CommandCompletion> completions(const Program& program);

enum class Shell { bash, zsh, fish };

/// A script for the shell, to be read by it at its start: what `basin completion SHELL` prints.
std::string completion_script(const Program& program, Shell shell);

}  // namespace basin::apps
