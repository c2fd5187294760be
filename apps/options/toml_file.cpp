// The only place that knows toml++.
#include "apps/options/toml_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <tuple>

#include "apps/options/bindings.h"
#include "core/error.h"
#include "core/io/utf8.h"

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

/// Walks over a TOML text as far as it is one: behind what is in quotation marks, behind comments.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  /// The place of the first character that is not ASCII and stands neither in a string nor in a comment,
  /// where TOML has no use for it; npos: there is none.
  std::size_t stray() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#')
        pass_until("\n");
      else if ((c == '"' || c == '\'') && may_begin_string())
        pass_string(c);
      else if (static_cast<unsigned char>(c) >= 0x80)
        return at_;
      else
        ++at_;
    }
    return std::string_view::npos;
  }

 private:
  /// Not in the middle of a word: the parser reads on over a quotation mark there.
  bool may_begin_string() const {
    constexpr std::string_view kBefore = " \t\r\n=[{,.";
    return at_ == 0 || kBefore.find(text_[at_ - 1]) != std::string_view::npos;
  }

  void pass_until(std::string_view end) { at_ = std::min(text_.find(end, at_), text_.size()); }

  /// An unfinished string ends with its line, or if it may have several with the text: an error of the
  /// parser.
  void pass_string(char quote) {
    const std::string triple(3, quote);
    const bool lines = text_.substr(at_).starts_with(triple);
    at_ += lines ? 3 : 1;
    for (; at_ < text_.size(); ++at_) {
      if (quote == '"' && text_[at_] == '\\')
        ++at_;
      else if (!lines && (text_[at_] == quote || text_[at_] == '\n'))
        break;
      else if (lines && text_.substr(at_).starts_with(triple))
        break;
    }
    at_ = std::min(at_ + (lines ? 3 : 1), text_.size());
    for (int more = 0; lines && more < 2 && at_ < text_.size() && text_[at_] == quote; ++more) ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// toml++ 3.3 has undefined behaviour on such characters (the way from its table of blanks that "is not
/// reachable"), so it does not get to see them.
void expect_no_stray_characters(std::string_view text, const std::string& name) {
  const std::size_t at = Scan(text).stray();
  if (at == std::string_view::npos) return;
  const std::size_t line_begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  std::size_t column = 1;
  for (std::size_t i = line_begin; i < at; ++column) i += std::max<std::size_t>(utf8_length(text, i), 1);
  const std::string_view character = text.substr(at, std::max<std::size_t>(utf8_length(text, at), 1));
  throw UsageError(name, ":", line, ":", column, ": ", quote(character),
                   " may stand only in quotation marks and comments");
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
  expect_no_stray_characters(source, name);
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
