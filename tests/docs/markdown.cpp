// Reading Markdown, as far as our own pages use it (see markdown.h).
#include "tests/docs/markdown.h"

#include <algorithm>

namespace basin::docs {
namespace {

std::string_view trimmed(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

std::vector<std::string_view> spoken_lines(const std::vector<std::string_view>& lines) {
  std::vector<std::string_view> spoken;
  for (std::string_view line : lines) {
    if (const std::string_view word = trimmed(line); !word.empty()) spoken.push_back(word);
  }
  return spoken;
}

/// Adds what stands between each `open` and the next `close` in the line.
void collect(std::string_view line, std::string_view open, std::string_view close, Mention here,
             std::vector<Mention>& into) {
  for (std::size_t at = line.find(open); at != std::string_view::npos;) {
    const std::size_t begin = at + open.size(), end = line.find(close, begin);
    if (end == std::string_view::npos) return;
    here.text = std::string(line.substr(begin, end - begin));
    into.push_back(here);
    at = line.find(open, end + close.size());
  }
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

}  // namespace

Page read_page(std::string_view markdown) {
  Page page;
  bool inside = false;
  Mention here;
  for (std::string_view line : lines_of(markdown)) {
    ++here.line;
    const std::string_view word = trimmed(line);
    if (word.starts_with("```")) {
      inside = !inside;
      if (inside) page.blocks.push_back({std::string(trimmed(word.substr(3))), {}, here.line + 1});
    } else if (inside) {
      page.blocks.back().lines.emplace_back(line);
    } else {
      if (line.starts_with('#')) ++here.section;
      collect(line, "`", "`", here, page.quoted);
      collect(line, "](", ")", here, page.links);
    }
  }
  return page;
}

bool is_program(const Block& block) {
  return std::any_of(block.lines.begin(), block.lines.end(),
                     [](const std::string& line) { return line.starts_with("int main("); });
}

bool is_excerpt(const Block& block, std::string_view source) {
  const std::vector<std::string_view> wanted = spoken_lines({block.lines.begin(), block.lines.end()});
  const std::vector<std::string_view> given = spoken_lines(lines_of(source));
  return !wanted.empty() &&
         std::search(given.begin(), given.end(), wanted.begin(), wanted.end()) != given.end();
}

std::vector<std::string> commands_of(const Block& block) {
  std::vector<std::string> commands;
  bool joined = false;
  for (const std::string& line : block.lines) {
    std::string_view word = trimmed(line);
    if (const std::size_t comment = word.find(" #"); comment != std::string_view::npos) {
      word = trimmed(word.substr(0, comment));
    }
    if (word.empty() || word.starts_with('#')) continue;
    const bool more = word.ends_with('\\');
    if (more) word = trimmed(word.substr(0, word.size() - 1));
    if (joined) {
      commands.back() += " " + std::string(word);
    } else {
      commands.emplace_back(word);
    }
    joined = more;
  }
  return commands;
}

bool contains_name(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

}  // namespace basin::docs
