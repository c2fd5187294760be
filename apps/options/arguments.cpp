// The only place that knows CLI11: it splits an argument vector by the options of a table. Everything typed
// is ours (apps/options/options.h), and so is the rule that no word is passed over.
#include "apps/options/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <map>

#include "apps/options/suggest.h"
#include "core/error.h"

namespace basin::apps {

namespace {

using Words = std::vector<std::string>;

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

bool takes_none(const Option& option) { return option.binding.kind == ValueKind::flag; }

/// Whether a word looks like an option: "--lr", "-q", but not "-1" or "-".
bool is_option(const OptionTable& table, const std::string& word) {
  if (word.size() < 2 || word[0] != '-') return false;
  return word[1] == '-' || std::any_of(table.options().begin(), table.options().end(),
                                       [&](const Option& o) { return o.letter == word.substr(1, 1); });
}

class Splitter {
 public:
  Splitter(const OptionTable& table, const Words& arguments) : table_(table), words_(arguments) {
    const auto mark = std::find(words_.begin(), words_.end(), "--");
    if (mark == words_.end()) return;
    behind_mark_.assign(mark + 1, words_.end());
    words_.erase(mark, words_.end());
  }

  GivenFlags split(std::size_t most, Words& positionals) {
    // CLI11 takes options up to the first word that belongs to none; that word is looked at, and on it goes.
    for (Words rest = words_; !rest.empty();) {
      rest = take_options(rest);
      if (rest.empty()) break;
      const std::string word = rest.front();
      if (word.size() > 1 && word[0] == '-') unknown_option(table_, as_given(word));
      if (positionals.size() == most) refuse(rest, positionals);
      positionals.push_back(word);
      rest.erase(rest.begin());
      last_ = nullptr;
    }
    last_ = nullptr;
    for (const std::string& word : behind_mark_) {
      if (positionals.size() == most) refuse({word}, positionals);
      positionals.push_back(word);
    }
    return std::move(given_);
  }

 private:
  /// An option with its values, which CLI11 keeps a pointer to.
  struct Slot {
    const Option* option;
    Words values;
    CLI::Option* handle = nullptr;
  };

  /// Takes the options that `words` begin with. Returns the words from the first other one on.
  Words take_options(const Words& words) {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    app.prefix_command();
    std::deque<Slot> slots;
    for (const Option& option : table_.options()) {
      Slot& slot = slots.emplace_back(Slot{&option, {}});
      std::string names = "--" + option.flag;
      if (!option.letter.empty()) names += ",-" + option.letter;
      if (option.can_be_negated()) names += ",!--no-" + option.flag;
      // One value each time, as it stands: CLI11 takes [x,y] apart only where extra arguments are allowed.
      slot.handle = takes_none(option) ? app.add_flag(names)
                                       : app.add_option(names, slot.values)->allow_extra_args(false);
      slot.handle->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    try {
      Words reversed = with_empty_values(words);
      std::reverse(reversed.begin(), reversed.end());
      app.parse(reversed);
    } catch (const CLI::ArgumentMismatch&) {
      missing_value(words);
    } catch (const CLI::ParseError& error) {
      throw UsageError(error.what());  // one line: dispatch.cpp sees to it
    }
    for (const Slot& slot : slots) {
      if (slot.handle->count() == 0) continue;
      for (const std::string& value : slot.handle->results()) take(*slot.option, value);
    }
    for (const Slot& slot : slots)
      if (!app.parse_order().empty() && app.parse_order().back() == slot.handle) last_ = slot.option;
    return app.remaining();
  }

  /// CLI11 reads "--name=" as a value that is missing; as a word of its own it is an empty one.
  static Words with_empty_values(const Words& words) {
    Words all;
    for (const std::string& word : words) {
      const bool empty = word.starts_with("--") && word.find('=') == word.size() - 1;
      all.push_back(empty ? word.substr(0, word.size() - 1) : word);
      if (empty) all.emplace_back();
    }
    return all;
  }

  /// The last word is an option that needs a value.
  [[noreturn]] void missing_value(const Words& words) const {
    const std::string& word = words.back();
    for (const Option& option : table_.options())
      if (word == "--" + option.flag || (!option.letter.empty() && word.ends_with(option.letter)))
        throw UsageError("--", option.flag, " needs a value: ", option.binding.allowed);
    throw UsageError(quote(word), " needs a value");
  }

  void take(const Option& option, std::string value) {
    const auto joined = [&](const std::string& spelling) {
      return std::find(words_.begin(), words_.end(), spelling) != words_.end();
    };
    if (!option.letter.empty() && value.starts_with('=') && joined("-" + option.letter + value))
      value.erase(0, 1);  // -o=FILE
    if (option.can_be_negated())
      for (const std::string& word : words_)
        if (word.starts_with("--no-" + option.flag + "="))
          throw UsageError("--no-", option.flag, " takes no value");
    if (!takes_none(option) && is_option(table_, value) && !joined("--" + option.flag + "=" + value))
      throw UsageError("--", option.flag, " needs a value: ", option.binding.allowed, "; ", quote(value),
                       " is an option (a value like it is joined by =)");
    const auto [before, fresh] = before_.try_emplace(option.flag, value);
    if (!fresh && before->second != value)
      throw UsageError("--", option.flag, " is given twice, ", quote(before->second), " and ", quote(value),
                       ": give it once");
    if (fresh) given_.emplace_back(option.flag, value);
  }

  /// Of letters together ("-qx") CLI11 hands back what it does not know alone: the word as it was typed.
  std::string as_given(const std::string& word) const {
    if (word[1] == '-' || std::find(words_.begin(), words_.end(), word) != words_.end()) return word;
    for (const std::string& w : words_)
      if (w.size() > word.size() && w[0] == '-' && w[1] != '-' && w.ends_with(word.substr(1))) return w;
    return word;
  }

  /// The first word has no place: says what it most likely was meant to be.
  [[noreturn]] void refuse(const Words& rest, const Words& positionals) const {
    const std::string& word = rest.front();
    if (!last_ && !positionals.empty())
      throw UsageError("unexpected argument ", quote(word), " besides ", quote(positionals.back()));
    if (!last_) throw UsageError("unexpected argument ", quote(word), "; options begin with --, see --help");
    if (takes_none(*last_)) throw UsageError("--", last_->flag, " takes no value, got ", quote(word), " too");
    constexpr std::size_t kShown = 3;
    std::size_t count = 0;
    std::string list;
    for (std::size_t i = 0; i < rest.size() && !is_option(table_, rest[i]); ++i) {
      if (++count <= kShown) list += (count > 1 ? ", " : "") + quote(rest[i]);
    }
    if (count > kShown) list += text(" and ", count - kShown, " more");
    throw UsageError(
        "--", last_->flag, " takes one value (", quote(before_.at(last_->flag)), "); ",
        count > 1 ? "behind it stand " : "", list,
        count > 1 ? ": keep a pattern or a list together by quotation marks" : " is a second one");
  }

  const OptionTable& table_;
  Words words_, behind_mark_;     // before and behind "--"
  const Option* last_ = nullptr;  // that stands before the next word
  GivenFlags given_;
  std::map<std::string, std::string> before_;  // by flag, the value it was given
};

}  // namespace

GivenFlags split_arguments(const OptionTable& table, const std::vector<std::string>& arguments,
                           std::size_t most, std::vector<std::string>& positionals) {
  return Splitter(table, arguments).split(most, positionals);
}

}  // namespace basin::apps
