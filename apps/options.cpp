// Look-up, assignment with errors for people, conditions between options, and the TOML form.
#include "apps/options.h"

#include <algorithm>
#include <cctype>

#include "apps/toml_file.h"
#include "core/error.h"

namespace basin::apps {

namespace {

bool matches(const std::string& pattern, const std::string& word) {
  if (pattern.starts_with('!')) return word != pattern.substr(1);
  if (pattern.ends_with('*')) return word.starts_with(pattern.substr(0, pattern.size() - 1));
  return word == pattern;
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

std::string Option::variable() const {
  if (key.empty()) return "";
  std::string name = "BASIN_";
  for (const char c : flag) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string Option::condition() const {
  if (decider.empty()) return "";
  const std::string& first = values.front();
  if (first == "!") return decider;  // given at all
  return decider + " " + (first.starts_with('!') ? "other than " + first.substr(1) : one_of(values));
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
    if (option.binding.kind == ValueKind::flag && !option.key.empty()) words.push_back("no-" + option.flag);
  }
  return words;
}

void OptionTable::assign(Option& option, const std::string& value, Source source, const std::string& where) {
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

bool OptionTable::applies(const Option& option) const {
  if (option.decider.empty()) return true;
  const Option* decider = by_flag(option.decider);
  if (!decider) throw InternalError("[options] --", option.flag, " depends on an unknown option");
  const std::string chosen = decider->binding.print();
  return applies(*decider) && std::any_of(option.values.begin(), option.values.end(),
                                          [&](const std::string& value) { return matches(value, chosen); });
}

void OptionTable::settle() {
  for (Option& option : options_) {
    if (option.source != Source::standard || option.standard_by.empty()) continue;
    const std::string chosen = by_flag(option.standard_by)->binding.print();
    for (const auto& [value, standard] : option.standards) {
      if (value == chosen) option.binding.assign(standard);
    }
  }
  for (Option& option : options_) {
    if (option.source == Source::standard || applies(option)) continue;
    const Option& decider = *by_flag(option.decider);
    if (option.source >= decider.source) {
      const bool in_file = option.source == Source::file || option.source == Source::preset;
      throw UsageError(
          option.where, in_file ? ": " + option.path() : "", " counts only with --", option.condition(),
          decider.binding.print().empty() ? "" : " (here it is " + decider.binding.print() + ")");
    }
    option.binding.assign(option.standard);
    option.source = Source::standard;
    option.where.clear();
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
