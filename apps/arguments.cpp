// The only place that knows CLI11: it splits an argument vector, everything typed is ours (apps/options.h).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>

#include "apps/cli.h"
#include "apps/suggest.h"
#include "core/error.h"

namespace basin::apps {

namespace {

[[noreturn]] void unknown_option(const OptionTable& table, const std::string& given) {
  const std::string shown = given.substr(0, given.find('='));
  const std::string word = shown.substr(std::min(shown.find_first_not_of('-'), shown.size()));
  for (const Option& option : table.options()) {
    if (std::find(option.aliases.begin(), option.aliases.end(), word) != option.aliases.end()) {
      throw UsageError("unknown option ", quote(shown), "; here it is --", option.flag, ", see --help");
    }
  }
  const std::string hint = word.size() < 2 ? "" : did_you_mean(word, table.flags(), "--");
  throw UsageError("unknown option ", quote(shown), hint.empty() ? "; --help lists them" : hint);
}

// Where a parsed option's values go; CLI11 keeps a pointer to it.
struct Slot {
  const Option* option;
  std::vector<std::string> values;
  CLI::Option* handle = nullptr;
};

}  // namespace

GivenFlags split_arguments(const OptionTable& table, const std::vector<std::string>& arguments,
                           std::size_t most, std::vector<std::string>& positionals) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::deque<Slot> slots;
  for (const Option& option : table.options()) {
    Slot& slot = slots.emplace_back(Slot{&option, {}});
    std::string names = "--" + option.flag;
    if (!option.letter.empty()) names += ",-" + option.letter;
    if (option.binding.kind == ValueKind::flag) {
      if (!option.key.empty()) names += ",!--no-" + option.flag;
      slot.handle = app.add_flag(names);
    } else {
      // An optional value, so that a missing one is reported in our words.
      slot.handle = app.add_option(names, slot.values)->expected(0, 1);
    }
    slot.handle->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    std::string what = error.what();
    std::replace(what.begin(), what.end(), '\n', ' ');
    throw UsageError(what);
  }
  GivenFlags given;
  for (const Slot& slot : slots) {
    if (slot.handle->count() == 0) continue;
    const Option& option = *slot.option;
    const std::vector<std::string>& results = slot.handle->results();
    // CLI11 makes an empty value of a missing one; --name "" is told apart by its empty argument.
    const bool empty = results.empty() || results.back().empty();
    if (empty && std::find(arguments.begin(), arguments.end(), "") == arguments.end()) {
      throw UsageError("--", option.flag, " needs a value: ", option.binding.allowed);
    }
    given.emplace_back(option.flag, empty ? "" : results.back());
  }
  // CLI11 does not keep the order of what it did not recognise; the arguments do.
  std::vector<std::string> extras = app.remaining();
  for (const std::string& argument : arguments) {
    const auto at = std::find(extras.begin(), extras.end(), argument);
    if (at == extras.end()) continue;
    if (argument.size() > 1 && argument[0] == '-' && argument != "--") unknown_option(table, argument);
    extras.erase(at);
    if (argument == "--") continue;
    if (positionals.size() == most) {
      throw UsageError("unexpected argument ", quote(argument), "; options begin with --, see --help");
    }
    positionals.push_back(argument);
  }
  return given;
}

}  // namespace basin::apps
