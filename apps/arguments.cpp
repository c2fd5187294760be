// Splits an argument vector by the options of a table; no word is passed over.
#include <algorithm>
#include <map>

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

/// An option as it stands in a word: "--lr=0.1", "--no-progress", "-o".
struct Spelled {
  const Option* option = nullptr;
  std::string value{};     // joined to it by '=', or behind its letter
  bool has_value = false;  // also an empty one: "--name="
  bool negated = false;    // --no-...
};

bool takes_none(const Option& option) { return option.binding.kind == ValueKind::flag; }

class Splitter {
 public:
  Splitter(const OptionTable& table, const std::vector<std::string>& arguments)
      : table_(table), arguments_(arguments) {}

  GivenFlags split(std::size_t most, std::vector<std::string>& positionals) {
    while (at_ < arguments_.size()) {
      const std::string& word = arguments_[at_++];
      if (!only_words_ && word == "--") {
        only_words_ = true;
        last_ = nullptr;
      } else if (only_words_ || word.size() < 2 || word[0] != '-') {
        if (positionals.size() == most) refuse_word(positionals);
        positionals.push_back(word);
        last_ = nullptr;
      } else if (word[1] == '-') {
        const Spelled spelled = long_option(word);
        if (!spelled.option) unknown_option(table_, word);
        take(spelled);
      } else {
        const std::vector<Spelled> letters = letters_of(word);
        if (letters.empty()) unknown_option(table_, word);
        for (const Spelled& spelled : letters) take(spelled);
      }
    }
    return std::move(given_);
  }

 private:
  /// Without an option where the table has none of that name.
  Spelled long_option(const std::string& word) const {
    const std::size_t equals = word.find('=');
    Spelled s{.value = equals == std::string::npos ? "" : word.substr(equals + 1),
              .has_value = equals != std::string::npos};
    const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    s.option = table_.by_flag(name);
    if (s.option || !name.starts_with("no-")) return s;
    const Option* flag = table_.by_flag(name.substr(3));
    s.negated = flag && takes_none(*flag) && !flag->key.empty();
    if (s.negated) s.option = flag;
    return s;
  }

  /// "-qv": letters of flags; what stands behind the letter of an option with a value is its value. None
  /// where the table lacks one of them.
  std::vector<Spelled> letters_of(const std::string& word) const {
    std::vector<Spelled> all;
    for (std::size_t i = 1; i < word.size(); ++i) {
      const auto found = std::find_if(table_.options().begin(), table_.options().end(),
                                      [&](const Option& o) { return o.letter == word.substr(i, 1); });
      if (found == table_.options().end()) return {};
      all.push_back({.option = &*found});
      if (takes_none(*found)) continue;
      if (i + 1 < word.size()) {
        all.back().value = word.substr(i + (word[i + 1] == '=' ? 2 : 1));
        all.back().has_value = true;
      }
      break;
    }
    return all;
  }

  /// A word that stands where a value is missing: an option. Whoever means such a text joins it by '='.
  bool is_option(const std::string& word) const {
    if (word.size() < 2 || word[0] != '-') return false;
    return word[1] == '-' || !letters_of(word).empty();
  }

  void take(const Spelled& s) {
    const Option& option = *s.option;
    std::string value = s.value;
    if (takes_none(option)) {
      if (s.negated && s.has_value) throw UsageError("--no-", option.flag, " takes no value");
      if (!s.has_value) value = s.negated ? "false" : "true";
    } else if (!s.has_value) {
      if (at_ == arguments_.size())
        throw UsageError("--", option.flag, " needs a value: ", option.binding.allowed);
      if (is_option(arguments_[at_]))
        throw UsageError("--", option.flag, " needs a value: ", option.binding.allowed, "; ",
                         quote(arguments_[at_]), " is an option (a value like it is joined by =)");
      value = arguments_[at_++];
    }
    last_ = &option;
    const auto [before, fresh] = before_.try_emplace(option.flag, value);
    if (!fresh && before->second != value)
      throw UsageError("--", option.flag, " is given twice, ", quote(before->second), " and ", quote(value),
                       ": give it once");
    if (fresh) given_.emplace_back(option.flag, value);
  }

  /// The word just read has no place: what it most likely was meant to be.
  [[noreturn]] void refuse_word(const std::vector<std::string>& positionals) const {
    const std::string& word = arguments_[at_ - 1];
    if (!last_ && !positionals.empty())
      throw UsageError("unexpected argument ", quote(word), " besides ", quote(positionals.back()));
    if (!last_) throw UsageError("unexpected argument ", quote(word), "; options begin with --, see --help");
    if (takes_none(*last_)) throw UsageError("--", last_->flag, " takes no value, got ", quote(word), " too");
    constexpr std::size_t kShown = 3;
    std::size_t count = 0;
    std::string words;
    for (std::size_t i = at_ - 1; i < arguments_.size() && !is_option(arguments_[i]); ++i) {
      if (++count <= kShown) words += (count > 1 ? ", " : "") + quote(arguments_[i]);
    }
    if (count > kShown) words += text(" and ", count - kShown, " more");
    throw UsageError(
        "--", last_->flag, " takes one value (", quote(before_.at(last_->flag)), "); ",
        count > 1 ? "behind it stand " : "", words,
        count > 1 ? ": keep a pattern or a list together by quotation marks" : " is a second one");
  }

  const OptionTable& table_;
  const std::vector<std::string>& arguments_;
  std::size_t at_ = 0;            // the next word
  bool only_words_ = false;       // behind "--"
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
