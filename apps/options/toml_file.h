// TOML in and out: a file as a flat list of typed entries with their places, and the text of one string.
#pragma once

#include <string>
#include <vector>

namespace basin::apps {

/// One value of a TOML text, or one section that holds none.
struct TomlEntry {
  enum class Kind { flag, integer, real, text, numbers, section, other };
  std::string path;  // "optimizer.lr"
  Kind kind = Kind::other;
  std::string value;  // as an option reads it: "true", "-1", "0.05", "a # b", "0.5,0.75"
  std::string place;  // "c.toml:3:6"
};

/// The entries of a text in the order of their places. Errors: UsageError "NAME:LINE:COLUMN: what is wrong".
std::vector<TomlEntry> parse_toml(const std::string& text, const std::string& name);

/// The entries of a file. Errors: UsageError when it cannot be read, is not a file, or is larger than 1 MiB.
std::vector<TomlEntry> read_toml(const std::string& path);

/// "a kind of value", with its article: "a string".
const char* name_of(TomlEntry::Kind kind);

/// A text as a TOML basic string, quotes included.
std::string toml_string(const std::string& value);

}  // namespace basin::apps
