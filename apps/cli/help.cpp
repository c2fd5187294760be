// Lines that fit: a column of options, a column of wrapped explanations.
#include "apps/cli/help.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "apps/options/presets.h"

namespace basin::apps {

namespace {

constexpr int kIndent = 2;
constexpr const char* kExitCodes =
    "0 success, 1 internal error, 2 usage, 3 data, 4 checkpoint, 5 numerical failure, 6 out of memory, "
    "7 check failed, 8 output not written, 129/130/143/152 stopped by a signal and saved, 141 broken pipe";
constexpr std::size_t kMostChoices = 20;  // more have a list of their own: basin info --models

std::string repeated(int count, char c = ' ') {
  return std::string(static_cast<std::size_t>(std::max(count, 0)), c);
}

// Words in lines of at most `width` columns (a longer word stands alone); later lines begin with `indent`
// spaces, the first one continues at column `start`.
std::string wrapped(std::string_view words, int start, int indent, int width) {
  std::string out;
  int column = start;
  bool first_in_line = true;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    const auto length = static_cast<int>(end);
    if (!first_in_line && column + 1 + length > width) {
      out += "\n" + repeated(indent);
      column = indent;
      first_in_line = true;
    }
    if (!first_in_line) out += ' ';
    out += words.substr(0, end);
    column += length + (first_in_line ? 0 : 1);
    first_in_line = false;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return out + "\n";
}

std::string entry(const std::string& left, const std::string& right, int column, int width) {
  std::string out = repeated(kIndent) + left;
  const auto used = static_cast<int>(out.size());
  out += used + 2 > column ? "\n" + repeated(column) : repeated(column - used);
  return out + wrapped(right, column, column, width);
}

// A switch that is on by default is shown by the word that turns it off.
std::string spelling(const Option& option) {
  std::string out = option.letter.empty() ? "" : "-" + option.letter + ", ";
  const bool on = option.binding.kind == ValueKind::flag && option.standard == "true";
  out += (on ? "--no-" : "--") + option.flag;
  if (!option.binding.placeholder.empty()) out += " " + option.binding.placeholder;
  return out;
}

// "0.0" is "0" to people.
std::string shortened(const std::string& number) {
  return number.ends_with(".0") ? number.substr(0, number.size() - 2) : number;
}

// A summary as a sentence.
std::string sentence(std::string summary) {
  if (!summary.empty() && summary[0] >= 'a' && summary[0] <= 'z')
    summary[0] = static_cast<char>(summary[0] - 'a' + 'A');
  return summary + ".";
}

/// Whether the choices are to be spelled out beside the option: neither too many, nor explained there one by
/// one ("fail: ...; skip: ..."). Presets have a section of their own.
bool wants_choices(const Option& option) {
  const std::vector<std::string>& choices = option.binding.choices;
  if (choices.empty() || choices.size() > kMostChoices || option.flag == "preset") return false;
  return std::any_of(choices.begin(), choices.end(), [&](const std::string& word) {
    return option.help.find(word + ": ") == std::string::npos;
  });
}

std::string explanation(const Option& option) {
  std::string out = option.help;
  if (option.binding.placeholder == "NAME" && wants_choices(option))
    out += "; one of " + one_of(option.binding.choices);
  if (!option.conditions.empty()) out += " (with " + option.condition() + ")";
  if (option.binding.kind == ValueKind::flag) return option.standard == "true" ? "do not " + out : out;
  if (option.standard.empty()) return out;
  out += " [" + shortened(option.standard);
  for (const auto& [value, standard] : option.standards) out += "; " + value + ": " + shortened(standard);
  return out + "]";
}

std::string escaped(const std::string& cell) {
  std::string out;
  for (const char c : cell) out += c == '|' ? "\\|" : c == '<' ? "&lt;" : std::string(1, c);
  return out;
}

/// What an option takes, choices spelled out unless they are many.
std::string taken(const Binding& binding) {
  if (binding.kind == ValueKind::flag) return "";
  if (binding.choices.empty() || binding.choices.size() > kMostChoices) return binding.allowed;
  std::string list;
  for (const std::string& word : binding.choices) list += (list.empty() ? "one of " : ", ") + word;
  return list;
}

/// Text in a manual page: no letter of it is a request or an escape, and hyphens can be copied.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string code(const std::string& word) { return word.empty() ? "" : "`" + word + "`"; }

std::string markdown_table(const Command& command, const OptionTable& table) {
  std::string out = "## basin " + command.name + "\n\n" + sentence(command.help) + "\n";
  for (const auto& [group, title] : table.groups()) {
    out += "\n**" + title +
           "**\n\n| option | TOML key | default | takes | meaning |\n| --- | --- | --- | --- | --- |\n";
    for (const Option& option : table.options()) {
      if (option.group != group) continue;
      std::string standard = code(shortened(option.standard));
      for (const auto& [value, other] : option.standards)
        standard += ", " + value + ": " + code(shortened(other));
      std::string help = option.help;
      if (!option.conditions.empty()) help += "; counts with " + option.condition();
      std::string spelled = "--" + option.flag;
      if (!option.letter.empty()) spelled = "-" + option.letter + ", " + spelled;
      if (option.can_be_negated()) spelled += ", --no-" + option.flag;
      out += "| " + code(spelled) + " | " + code(option.path()) + " | " + standard + " | " +
             escaped(taken(option.binding)) + " | " + escaped(help) + " |\n";
    }
  }
  return out;
}

}  // namespace

int help_width() {
  int width = 80;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    width = size.ws_col;
  } else if (const char* columns = std::getenv("COLUMNS")) {
    const std::string_view given = columns;
    int value = 0;
    if (std::from_chars(given.data(), given.data() + given.size(), value).ec == std::errc()) width = value;
  }
  return std::clamp(width, 40, 100);
}

std::string usage(const Program& program, int width) {
  constexpr int kColumn = 14;
  std::string out = "usage: basin COMMAND [options]\n\n";
  out += wrapped(program.about + " Results go to stdout, progress and log to stderr.", 0, 0, width);
  out += "\nCommands (basin COMMAND --help lists the options of each):\n";
  for (const Command& command : program.commands) out += entry(command.name, command.help, kColumn, width);
  out += "\n" + entry("--version", "version and build", kColumn, width) +
         entry("-h, --help", "this help", kColumn, width);
  out += "\nA first run without any file: " + program.first_call + "\n";
  out += "\nExit codes:\n";
  out += wrapped(kExitCodes, 0, 0, width);
  return out;
}

std::string command_help(const Command& command, const OptionTable& table, int width) {
  const int column = width < 72 ? 12 : 30;
  std::string out = wrapped("usage: basin " + command.name + " " + command.arguments, 0, 7, width);
  out += "\n" + wrapped(sentence(command.help), 0, 0, width);
  for (const auto& [group, title] : table.groups()) {
    out += "\n" + title + "\n";
    for (const Option& option : table.options()) {
      if (option.group == group) out += entry(spelling(option), explanation(option), column, width);
    }
  }
  if (table.by_flag("preset")) {
    out += "\nPresets\n";
    for (const Preset& preset : presets()) out += entry(preset.name, preset.help, column, width);
    out += "\n" +
           wrapped(
               "Values come from, weakest first: [default], --preset, --config, environment (--batch-size is "
               "BASIN_BATCH_SIZE), options.",
               0, 0, width);
  }
  return out;
}

std::string help_markdown(const Program& program) {
  std::string out;
  for (const Command& command : program.commands) {
    const std::unique_ptr<Call> call = command.make();
    out += (out.empty() ? "" : "\n") + markdown_table(command, call->table());
  }
  return out;
}

std::string manual_page(const Program& program) {
  std::string out = ".TH BASIN 1 \"\" \"" + roff(program.version) + "\" \"Basin\"\n.SH NAME\nbasin \\- " +
                    roff(program.about) + "\n.SH SYNOPSIS\n.B basin\n.I COMMAND\n[options]\n" +
                    ".SH DESCRIPTION\n" + roff(program.about) +
                    " Results go to stdout, progress and log to stderr.\n"
                    "A first run without any file: " +
                    roff(program.first_call) + "\n.SH COMMANDS\n";
  for (const Command& command : program.commands) {
    const std::unique_ptr<Call> call = command.make();
    const OptionTable table = call->table();
    out += ".SS basin " + roff(command.name + " " + command.arguments) + "\n" + roff(sentence(command.help)) +
           "\n";
    for (const auto& [group, title] : table.groups()) {
      bool any = false;
      for (const Option& option : table.options()) {
        if (option.group != group) continue;
        if (!any) out += ".PP\n.I \"" + roff(title) + "\"\n";
        any = true;
        out += ".TP\n.B \"" + roff(spelling(option)) + "\"\n" + roff(explanation(option)) + "\n";
      }
    }
  }
  return out +
         ".SH ENVIRONMENT\n.TP\n.B BASIN_...\nThe value of an option, under that of the command line: "
         "BASIN_BATCH_SIZE is \\-\\-batch\\-size.\n"
         ".SH \"EXIT STATUS\"\n" +
         roff(kExitCodes) + "\n";
}

}  // namespace basin::apps
