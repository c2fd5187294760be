// The house rules that a compiler does not check: which folder may include which, which third-party headers
// may appear where, and how a source file looks. Pure functions from text to findings, so that the rules
// themselves are tested on planted violations.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace basin::house {

/// A file of the tree: its path from the root ("core/tensor.h") and its text.
struct Source {
  std::string path;
  std::string text;
};

/// A broken rule. `line` counts from 1; 0 means the file as a whole.
struct Finding {
  std::string path;
  int line = 0;
  std::string
      rule;  // one word: arrow, room, folder, path, cycle, vendor, opening, length, guard, layout, word
  std::string what;
};

/// One `#include`: what stands between the quotes or brackets, and which of the two it was.
struct Include {
  std::string target;
  bool quoted = false;
  int line = 0;
};

/// The #includes of a text, in order; those in comments do not count.
std::vector<Include> includes_of(std::string_view text);

/// True if a file in folder `from` ("optim/gradient") may include one in folder `to` ("optim", "core/io"):
/// they are the same, or an arrow leads from one to the other, directly or over others.
bool may_include(std::string_view from, std::string_view to);

/// The arrows between folders as a text of one line per folder: "nn -> autograd", inner rooms indented.
/// README.md shows the same text.
std::string drawn_arrows();

/// Checks that need one file only.
std::vector<Finding> check_file(const Source& source);

/// Checks that need all files: quoted includes name a file of the tree, no header includes itself over
/// others, no subject does (a header and its source taken together), and no folder is too full to take in.
std::vector<Finding> check_tree(const std::vector<Source>& sources);

/// Of each folder: files, lines, the longest file, how often others include it, and what it includes; and the
/// number of circles. A Markdown table.
std::string house_in_figures(const std::vector<Source>& sources);

}  // namespace basin::house
