// What the documentation tests read out of a Markdown page: code blocks, links, and names in backquotes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace basin::docs {

/// A fenced block: the word after ```, the lines between the fences, the number of the first of them.
struct Block {
  std::string language;
  std::vector<std::string> lines;
  int line = 0;
};

/// A word of the running text: in `backquotes`, or the target of a [link](target).
struct Mention {
  std::string text;
  int line = 0;
  int section = 0;  // sections are counted by headings
};

struct Page {
  std::vector<Block> blocks;
  std::vector<Mention> quoted;
  std::vector<Mention> links;
};

Page read_page(std::string_view markdown);

/// True for a block that is a whole program (it defines main).
bool is_program(const Block& block);

/// True if the block's lines stand in `source` one after another, indentation and blank lines aside.
bool is_excerpt(const Block& block, std::string_view source);

/// The commands of a shell block: one per line, `\` at a line's end joins, comments and blank lines dropped.
std::vector<std::string> commands_of(const Block& block);

/// True if `name` stands in `text` as a word of its own.
bool contains_name(std::string_view text, std::string_view name);

}  // namespace basin::docs
