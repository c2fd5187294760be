// The only place that knows toml++.
#include "apps/options/toml_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>

#include "apps/options/bindings.h"
#include "core/error.h"

namespace basin::apps {

namespace {

constexpr std::uintmax_t kLargestFile = 1 << 20;

struct Placed {
  TomlEntry entry;
  toml::source_position at;
};

void set_numbers(TomlEntry& entry, const toml::array& list) {
  entry.kind = TomlEntry::Kind::numbers;
  for (const toml::node& node : list) {
    std::string number;
    if (const auto* integer = node.as_integer()) {
      number = std::to_string(integer->get());
    } else if (const auto* real = node.as_floating_point()) {
      number = print_real(real->get());
    } else {
      entry.kind = TomlEntry::Kind::other;
      return;
    }
    entry.value += (entry.value.empty() ? "" : ",") + number;
  }
}

// Depth is bounded by toml++ itself (256 levels).
void collect(const toml::table& table, const std::string& prefix, const std::string& name,
             std::vector<Placed>& out) {
  for (const auto& [key, node] : table) {
    Placed placed;
    TomlEntry& entry = placed.entry;
    entry.path = prefix + std::string(key.str());
    placed.at = key.source().begin;
    entry.place = text(name, ":", placed.at.line, ":", placed.at.column);
    if (const toml::table* section = node.as_table()) {
      entry.kind = TomlEntry::Kind::section;
      out.push_back(placed);
      collect(*section, entry.path + ".", name, out);
      continue;
    }
    if (const auto* flag = node.as_boolean()) {
      entry.kind = TomlEntry::Kind::flag;
      entry.value = flag->get() ? "true" : "false";
    } else if (const auto* integer = node.as_integer()) {
      entry.kind = TomlEntry::Kind::integer;
      entry.value = std::to_string(integer->get());
    } else if (const auto* real = node.as_floating_point()) {
      entry.kind = TomlEntry::Kind::real;
      entry.value = print_real(real->get());
    } else if (const auto* string = node.as_string()) {
      entry.kind = TomlEntry::Kind::text;
      entry.value = string->get();
    } else if (const toml::array* list = node.as_array()) {
      set_numbers(entry, *list);
    }
    out.push_back(placed);
  }
}

}  // namespace

const char* name_of(TomlEntry::Kind kind) {
  switch (kind) {
    case TomlEntry::Kind::flag:
      return "a boolean";
    case TomlEntry::Kind::integer:
      return "an integer";
    case TomlEntry::Kind::real:
      return "a float";
    case TomlEntry::Kind::text:
      return "a string";
    case TomlEntry::Kind::numbers:
      return "a list of numbers";
    case TomlEntry::Kind::section:
      return "a section";
    case TomlEntry::Kind::other:
      break;
  }
  return "a value of another kind";
}

std::vector<TomlEntry> parse_toml(const std::string& source, const std::string& name) {
  toml::table table;
  try {
    table = toml::parse(source, name);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    std::string what(error.description());
    std::replace(what.begin(), what.end(), '\n', ' ');
    throw UsageError(name, ":", at.line, ":", at.column, ": ", what);
  }
  std::vector<Placed> placed;
  collect(table, "", name, placed);
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return std::tie(a.at.line, a.at.column) < std::tie(b.at.line, b.at.column);
  });
  std::vector<TomlEntry> entries;
  for (Placed& p : placed) entries.push_back(std::move(p.entry));
  return entries;
}

std::vector<TomlEntry> read_toml(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    throw UsageError(path, ": is a directory, a TOML file is needed");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UsageError(path, ": ", std::strerror(errno ? errno : ENOENT));
  // One byte more than allowed is read, never a file of any size (it may be a pipe or a device).
  std::string source(kLargestFile + 1, '\0');
  file.read(source.data(), static_cast<std::streamsize>(source.size()));
  source.resize(static_cast<std::size_t>(file.gcount()));
  if (source.size() > kLargestFile) throw UsageError(path, ": is larger than 1 MiB, no configuration is");
  return parse_toml(source, path);
}

std::string toml_string(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      constexpr const char* kDigits = "0123456789ABCDEF";
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace basin::apps
