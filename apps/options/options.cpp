// Look-up, assignment with errors for people, conditions between options, and the TOML form.
#include "apps/options/options.h"

#include <algorithm>
#include <cctype>

#include "apps/options/toml_file.h"
#include "core/error.h"
#include "core/io/glob.h"

namespace basin::apps {

namespace {

bool matches(const std::string& pattern, const std::string& value) {
  if (pattern.starts_with('!')) return value != pattern.substr(1);
  const std::vector<std::string_view> terms = split(value, ',');
  return std::any_of(terms.begin(), terms.end(),
                     [&](std::string_view term) { return glob_matches(pattern, term); });
}

/// "sharpness sam or gam".
std::string in_words(const Clause& clause) {
  if (!clause.words.empty()) return clause.decider + " " + clause.words;
  const std::string& first = clause.values.front();
  if (first == "!") return clause.decider;  // given at all
  return clause.decider + " " +
         (first.starts_with('!') ? "other than " + first.substr(1) : one_of(clause.values));
}

std::string in_words(const std::vector<Clause>& condition) {
  std::vector<std::string> words;
  for (const Clause& clause : condition) words.push_back("--" + in_words(clause));
  return one_of(words);
}

std::string toml_value(const Binding& binding) {
  const std::string value = binding.print();
  switch (binding.kind) {
    case ValueKind::text:
      return toml_string(value);
    case ValueKind::numbers: {
      std::string list = "[";
      for (const char c : value) list += c == ',' ? ", " : std::string(1, c);
      return list + "]";
    }
    case ValueKind::flag:
    case ValueKind::integer:
    case ValueKind::real:
      break;
  }
  return value;
}

}  // namespace

std::string variable_of(const std::string& flag) {
  std::string name = "BASIN_";
  for (const char c : flag)
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

bool Option::can_be_negated() const {
  return binding.kind == ValueKind::flag && (!key.empty() || standard == "true");
}

std::string Option::variable() const { return key.empty() ? "" : variable_of(flag); }

std::string Option::condition() const {
  std::string all;
  for (const std::vector<Clause>& condition : conditions)
    all += (all.empty() ? "" : ", and ") + in_words(condition);
  return all;
}

Option& Option::only_with(const std::string& decider, std::vector<std::string> values, std::string words) {
  conditions.push_back({{decider, std::move(values), std::move(words)}});
  return *this;
}

std::string one_of(const std::vector<std::string>& words) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    list += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  }
  return list;
}

void OptionTable::group(const std::string& name, const std::string& help) {
  groups_.emplace_back(name, help);
}

Option& OptionTable::add(const std::string& flag, const std::string& key, Binding binding,
                         const std::string& help) {
  Option option;
  option.flag = flag;
  option.group = groups_.back().first;
  option.key = key;
  option.binding = std::move(binding);
  option.help = help;
  option.standard = option.binding.print();
  return options_.emplace_back(std::move(option));
}

Option& OptionTable::add_call(const std::string& flag, Binding binding, const std::string& help) {
  Option& option = add(flag, "", std::move(binding), help);
  option.role = Role::call;
  return option;
}

Option* OptionTable::by_flag(const std::string& flag) {
  return const_cast<Option*>(static_cast<const OptionTable&>(*this).by_flag(flag));
}

const Option* OptionTable::by_flag(const std::string& flag) const {
  for (const Option& option : options_) {
    if (option.flag == flag) return &option;
  }
  return nullptr;
}

Option* OptionTable::by_path(const std::string& path) {
  for (Option& option : options_) {
    if (!option.key.empty() && option.path() == path) return &option;
  }
  return nullptr;
}

std::vector<std::string> OptionTable::flags() const {
  std::vector<std::string> words;
  for (const Option& option : options_) words.push_back(option.flag);
  for (const Option& option : options_) {
    if (option.can_be_negated()) words.push_back("no-" + option.flag);
  }
  return words;
}

void OptionTable::assign(Option& option, const std::string& value, Source source, const std::string& where) {
  // Leaving the option out says the same: an empty text is a slip, such as an unset variable of a shell.
  if (option.role == Role::call && option.binding.kind == ValueKind::text && value.empty())
    throw UsageError(where, " '' is not ", option.binding.allowed);
  try {
    option.binding.assign(value);
  } catch (const ValueError& error) {
    // A flag and a variable name the option themselves; a file's place does not.
    const bool in_file = source == Source::file || source == Source::preset;
    throw UsageError(where, in_file ? ": " + option.path() : "", " ", quote(value), " ", error.what());
  }
  option.source = source;
  option.where = where;
}

const Option& OptionTable::decider_of(const Clause& clause) const {
  const Option* decider = by_flag(clause.decider);
  if (!decider)
    throw InternalError("[options] an option depends on --", clause.decider, ", which is unknown");
  return *decider;
}

bool OptionTable::holds(const Clause& clause) const {
  const Option& decider = decider_of(clause);
  const std::string chosen = decider.binding.print();
  return applies(decider) && std::any_of(clause.values.begin(), clause.values.end(),
                                         [&](const std::string& value) { return matches(value, chosen); });
}

bool OptionTable::holds(const std::vector<Clause>& condition) const {
  return std::any_of(condition.begin(), condition.end(), [&](const Clause& clause) { return holds(clause); });
}

bool OptionTable::applies(const Option& option) const {
  return std::all_of(option.conditions.begin(), option.conditions.end(),
                     [&](const std::vector<Clause>& condition) { return holds(condition); });
}

Source OptionTable::ruled_out_by(const Option& option) const {
  Source strongest = Source::standard;
  for (const std::vector<Clause>& condition : option.conditions) {
    if (holds(condition)) continue;
    for (const Clause& clause : condition) {
      const Option& decider = decider_of(clause);
      strongest = std::max({strongest, decider.source, ruled_out_by(decider)});
      // A default that another option chose is as strong as that choice.
      if (decider.source == Source::standard && !decider.standard_by.empty())
        strongest = std::max(strongest, by_flag(decider.standard_by)->source);
    }
  }
  return strongest;
}

std::string OptionTable::why_not(const Option& option) const {
  for (const std::vector<Clause>& condition : option.conditions) {
    if (holds(condition)) continue;
    const std::string chosen = decider_of(condition.front()).binding.print();
    return "counts only with " + in_words(condition) +
           (condition.size() > 1 || chosen.empty() ? "" : " (here it is " + chosen + ")");
  }
  return "";
}

void OptionTable::settle(bool of_run) {
  for (Option& option : options_) {
    if (option.source != Source::standard || option.standard_by.empty()) continue;
    const std::string chosen = by_flag(option.standard_by)->binding.print();
    for (const auto& [value, standard] : option.standards) {
      if (value == chosen) option.binding.assign(standard);
    }
  }
  std::vector<Option*> dropped;
  for (Option& option : options_) {
    if (option.source == Source::standard || applies(option)) continue;
    if (option.source >= ruled_out_by(option) && !(of_run && option.source == Source::file)) {
      const bool in_file = option.source == Source::file || option.source == Source::preset;
      throw UsageError(option.where, in_file ? ": " + option.path() : "", " ", why_not(option));
    }
    dropped.push_back(&option);
  }
  for (Option* option : dropped) {
    option->binding.assign(option->standard);
    option->source = Source::standard;
    option->where.clear();
  }
}

std::string OptionTable::toml(bool recipe_only) const {
  std::string all;
  for (const auto& [name, help] : groups_) {
    std::string section;
    for (const Option& option : options_) {
      if (option.group != name || option.key.empty() || !applies(option)) continue;
      if (recipe_only && option.role != Role::recipe) continue;
      section += option.key + " = " + toml_value(option.binding) + "\n";
    }
    if (!section.empty()) all += (all.empty() ? "[" : "\n[") + name + "]\n" + section;
  }
  return all;
}

}  // namespace basin::apps
