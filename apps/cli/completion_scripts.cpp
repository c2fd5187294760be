// The lists of completion.h as scripts of three shells. A value that nobody can guess, of --lr for example,
// is asked for and nothing is offered.
#include <algorithm>

#include "apps/cli/completion.h"
#include "apps/cli/format.h"

namespace basin::apps {
namespace {

/// What follows an option.
enum class Value { none, choice, folder, file, other };

Value value_of(const CompletionOption& option) {
  if (!option.takes_value) return Value::none;
  if (!option.choices.empty()) return Value::choice;
  const auto holds = [&](const char* part) { return option.placeholder.find(part) != std::string::npos; };
  return holds("FILE") ? Value::file : holds("DIR") || holds("RUN") ? Value::folder : Value::other;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  return all;
}

/// One word of fish, whose quotation marks know backslashes; shell_word() is for the others.
std::string fish_word(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

/// A text inside a specification of zsh's _arguments, where these have a meaning.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string("[]:\\").find(c) != std::string::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string bash_script(const std::vector<CommandCompletion>& commands) {
  std::vector<std::string> first = {"--help", "--version"};
  for (const CommandCompletion& command : commands) first.push_back(command.name);
  std::string out =
      "# Completion of basin for bash: eval \"$(basin completion bash)\", in ~/.bashrc for example.\n"
      "_basin() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} offered=\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    mapfile -t COMPREPLY < <(compgen -W " +
      shell_word(joined(first)) +
      " -- \"$current\")\n"
      "    return\n"
      "  fi\n"
      "  case ${COMP_WORDS[1]} in\n";
  for (const CommandCompletion& command : commands) {
    std::vector<std::string> words, folders, files, others;
    std::string choices;
    for (const CompletionOption& option : command.options) {
      words.push_back(option.word);
      switch (value_of(option)) {
        case Value::none:
          break;
        case Value::choice:
          choices += "        " + option.word + ") mapfile -t COMPREPLY < <(compgen -W " +
                     shell_word(joined(option.choices)) + " -- \"$current\"); return ;;\n";
          break;
        case Value::folder:
          folders.push_back(option.word);
          break;
        case Value::file:
          files.push_back(option.word);
          break;
        case Value::other:
          others.push_back(option.word);
          break;
      }
    }
    const auto rule = [](const std::vector<std::string>& options, const std::string& what) {
      std::string pattern;
      for (const std::string& word : options) pattern += (pattern.empty() ? "" : "|") + word;
      return options.empty() ? "" : "        " + pattern + ") " + what + "return ;;\n";
    };
    const std::string paths = "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -";
    out += "    " + command.name + ")\n      case $before in\n" + choices +
           rule(folders, paths + "d -- \"$current\"); ") + rule(files, paths + "f -- \"$current\"); ") +
           rule(others, "") + "      esac\n      offered=" + shell_word(joined(words)) + " ;;\n";
  }
  return out +
         "  esac\n"
         "  if [[ $current == -* ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$offered\" -- \"$current\")\n"
         "  else\n"
         "    compopt -o filenames\n"
         "    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
         "  fi\n"
         "}\n"
         "complete -F _basin basin\n";
}

std::string zsh_value(const CompletionOption& option) {
  const std::string name = escaped(option.placeholder.empty() ? "value" : option.placeholder);
  switch (value_of(option)) {
    case Value::none:
      return "";
    case Value::choice:
      return ":" + name + ":(" + escaped(joined(option.choices)) + ")";
    case Value::folder:
      return ":" + name + ":_files -/";
    case Value::file:
      return ":" + name + ":_files";
    case Value::other:
      return ":" + name + ": ";
  }
  return "";
}

std::string zsh_script(const std::vector<CommandCompletion>& commands) {
  std::string out =
      "#compdef basin\n"
      "# Completion of basin for zsh: basin completion zsh > FOLDER/_basin, for a FOLDER of $fpath.\n"
      "_basin() {\n"
      "  if ((CURRENT == 2)); then\n"
      "    local -a commands=(\n";
  for (const CommandCompletion& command : commands)
    out += "      " + shell_word(escaped(command.name) + ":" + command.help) + "\n";
  out +=
      "    )\n    _describe command commands\n    return\n  fi\n  local command=${words[2]}\n"
      "  shift words\n  ((CURRENT--))\n  case $command in\n";
  for (const CommandCompletion& command : commands) {
    out += "    " + command.name + ")\n      _arguments \\\n";
    for (const CompletionOption& option : command.options)
      out += "        " + shell_word(option.word + "[" + escaped(option.help) + "]" + zsh_value(option)) +
             " \\\n";
    out += "        '*:file:_files' ;;\n";
  }
  return out +
         "  esac\n}\nif [[ $funcstack[1] == _basin ]]; then _basin \"$@\"; else compdef _basin basin; fi\n";
}

std::string fish_script(const std::vector<CommandCompletion>& commands) {
  std::string out =
      "# Completion of basin for fish: basin completion fish > ~/.config/fish/completions/basin.fish\n";
  for (const CommandCompletion& command : commands)
    out += "complete -c basin -f -n __fish_use_subcommand -a " + command.name + " -d " +
           fish_word(command.help) + "\n";
  for (const CommandCompletion& command : commands) {
    for (const CompletionOption& option : command.options) {
      const bool is_long = option.word.starts_with("--");
      out += "complete -c basin -n '__fish_seen_subcommand_from " + command.name + "' " +
             (is_long ? "-l " + option.word.substr(2) : "-s " + option.word.substr(1)) + " -d " +
             fish_word(option.help);
      switch (value_of(option)) {
        case Value::none:
          break;
        case Value::choice:
          out += " -x -a " + fish_word(joined(option.choices));
          break;
        case Value::folder:
          out += " -x -a '(__fish_complete_directories)'";
          break;
        case Value::file:
          out += " -r -F";
          break;
        case Value::other:
          out += " -x";
          break;
      }
      out += "\n";
    }
  }
  return out;
}

}  // namespace

std::string completion_script(const Program& program, Shell shell) {
  const std::vector<CommandCompletion> all = completions(program);
  switch (shell) {
    case Shell::bash:
      return bash_script(all);
    case Shell::zsh:
      return zsh_script(all);
    case Shell::fish:
      return fish_script(all);
  }
  return "";
}

}  // namespace basin::apps
