#include "apps/options/sources.h"

#include <algorithm>

#include "apps/options/presets.h"
#include "apps/options/suggest.h"
#include "core/error.h"

namespace basin::apps {

namespace {

std::string place_of(const TomlEntry& entry, Source source) {
  return source == Source::preset ? "preset " + entry.place : entry.place;
}

[[noreturn]] void unknown_key(const OptionTable& table, const TomlEntry& entry, const std::string& place) {
  std::vector<std::string> paths, sections;
  for (const Option& option : table.options()) {
    if (option.key.empty()) continue;
    paths.push_back(option.path());
    sections.push_back(option.group);
    // A key without its section, or a flag's spelling, is meant for the option of that name.
    const std::string last = entry.path.substr(entry.path.rfind('.') + 1);
    if (last == option.flag || last == option.key) {
      throw UsageError(place, ": unknown key ", quote(entry.path), "; did you mean ", option.path(), "?");
    }
  }
  const bool section = entry.kind == TomlEntry::Kind::section;
  throw UsageError(place, section ? ": unknown section " : ": unknown key ", quote(entry.path),
                   did_you_mean(entry.path, section ? sections : paths));
}

bool fits(ValueKind wanted, TomlEntry::Kind given) {
  using Given = TomlEntry::Kind;
  switch (wanted) {
    case ValueKind::flag:
      return given == Given::flag;
    case ValueKind::integer:
      return given == Given::integer;
    case ValueKind::real:
      return given == Given::real || given == Given::integer;
    case ValueKind::text:
      return given == Given::text;
    case ValueKind::numbers:
      break;
  }
  return given == Given::numbers;
}

}  // namespace

void take_toml(OptionTable& table, const std::vector<TomlEntry>& entries, Source source) {
  for (const TomlEntry& entry : entries) {
    const std::string place = place_of(entry, source);
    const bool is_section = entry.kind == TomlEntry::Kind::section;
    const bool group = std::any_of(table.options().begin(), table.options().end(), [&](const Option& option) {
      return !option.key.empty() && option.group == entry.path;
    });
    if (group && is_section) continue;
    if (group) throw UsageError(place, ": ", entry.path, " is ", name_of(entry.kind), ", not a section");
    Option* option = table.by_path(entry.path);
    if (!option) unknown_key(table, entry, place);
    if (!fits(option->binding.kind, entry.kind)) {
      throw UsageError(place, ": ", entry.path, " is ", name_of(entry.kind), ", not ",
                       option->binding.allowed);
    }
    table.assign(*option, entry.value, source, place);
  }
}

void take_flags(OptionTable& table, const GivenFlags& given) {
  for (const auto& [flag, value] : given)
    table.assign(*table.by_flag(flag), value, Source::flag, "--" + flag);
}

std::vector<std::string> origins_of(const OptionTable& table) {
  std::vector<std::string> lines;
  for (const Option& option : table.options()) {
    if (option.source == Source::standard || option.key.empty()) continue;
    lines.push_back(option.path() + " = " + option.binding.print() + " (" + option.where + ")");
  }
  return lines;
}

void add(OptionTable& t, SourceConfig& c) {
  t.group("configuration", "Configuration");
  t.add_call("config", free_text(c.config, "FILE", "a file"),
             "take options from this TOML file; --print-config prints one");
  t.add_call("preset", named(c.preset, preset_names(), "presets", "`basin train --help`"),
             "take the options of a recipe by its name, such as sam_torch")
      .aliases = {"recipe"};
  t.add_call("print-config", toggle(c.print_config), "print the resolved configuration as TOML and stop");
}

void take_sources(OptionTable& table, const SourceConfig& sources) {
  for (const Preset& preset : presets())
    if (preset.name == sources.preset) take_toml(table, parse_toml(preset.toml, preset.name), Source::preset);
  if (!sources.config.empty()) take_toml(table, read_toml(sources.config), Source::file);
}

void take_values(OptionTable& table, const OptionTable& other, const std::string& where) {
  for (const Option& theirs : other.options()) {
    if (theirs.key.empty() || !other.applies(theirs)) continue;
    if (Option* option = table.by_path(theirs.path()))
      table.assign(*option, theirs.binding.print(), Source::file, where);
  }
}

}  // namespace basin::apps
