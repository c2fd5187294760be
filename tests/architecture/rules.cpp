// The house rules (see rules.h); the arrows are in rooms.cpp.
#include "tests/architecture/rules.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include "tests/architecture/rooms.h"

namespace basin::house {
namespace {

/// Headers of libraries, by the start of their name, and the places that may include them.
struct Vendor {
  std::string_view prefix;
  std::vector<std::string_view> places;  // path prefixes; headers need a place, sources need only the folder
  bool in_headers;                       // whether a header in one of the places may include it
};

const std::vector<Vendor>& vendors() {
  static const std::vector<Vendor> all = {
      {"Eigen/", {"core/", "autograd/", "tests/"}, false},
      {"unsupported/Eigen", {"core/", "autograd/", "tests/"}, false},
      {"CLI/", {"apps/"}, false},
      {"toml++/", {"apps/"}, false},
      {"zlib.h", {"core/", "data/", "tests/"}, false},
      {"jpeglib.h", {"data/", "tests/"}, false},
      {"jerror.h", {"data/", "tests/"}, false},
      {"png.h", {"data/", "tests/"}, false},
      {"doctest/", {"tests/"}, true},
      {"cuda", {"cuda/", "tests/cuda/"}, true},
      {"cudnn", {"cuda/", "tests/cuda/"}, true},
      {"cublas", {"cuda/", "tests/cuda/"}, true},
      {"random", {"tests/"}, true},  // random numbers have an address: core/random.h
      {"cassert", {}, false},        // checks that matter throw: core/error.h
      {"assert.h", {}, false},
  };
  return all;
}

constexpr int kLongestFile = 450;
constexpr int kLongestLine = 120;
constexpr std::size_t kFullestFolder = 32;  // files; about 20 is what a reader takes in
constexpr std::array<std::string_view, 2> kMacros = {
    "core/functors/host_device.h",  // what nvcc and the host compiler read alike
    "apps/options/toml_file.cpp"};  // a fault of toml++ mended

bool is_header(std::string_view path) { return path.ends_with(".h") || path.ends_with(".cuh"); }

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

/// The text with the inside of every comment replaced by blanks; strings and line structure stay.
std::string without_comments(std::string_view text) {
  enum class State { code, line_comment, block_comment, string, character } state = State::code;
  std::string out(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (state == State::code &&
        text.substr(i).starts_with("R\"")) {  // a raw string ends at its own delimiter
      const std::size_t open = text.find('(', i);
      if (open == std::string_view::npos) break;
      const std::string close = ")" + std::string(text.substr(i + 2, open - i - 2)) + "\"";
      const std::size_t end = text.find(close, open);
      if (end == std::string_view::npos) break;
      i = end + close.size() - 1;
      continue;
    }
    const char c = text[i], next = i + 1 < text.size() ? text[i + 1] : '\0';
    switch (state) {
      case State::code:
        if (c == '/' && next == '/') state = State::line_comment;
        if (c == '/' && next == '*') state = State::block_comment;
        if (c == '"') state = State::string;
        // An apostrophe between digits separates them (1'000); elsewhere it opens a character.
        if (c == '\'' && (i == 0 || !std::isalnum(static_cast<unsigned char>(text[i - 1])))) {
          state = State::character;
        }
        break;
      case State::line_comment:
        if (c == '\n') state = State::code;
        break;
      case State::block_comment:
        if (c == '*' && next == '/') {
          out[i] = out[i + 1] = ' ';
          ++i;
          state = State::code;
        }
        break;
      case State::string:
      case State::character:
        if (c == '\\') {
          ++i;
        } else if (c == (state == State::string ? '"' : '\'') || c == '\n') {
          state = State::code;
        }
        break;
    }
    if ((state == State::line_comment || state == State::block_comment) && c != '\n') out[i] = ' ';
  }
  return out;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Whether `word` stands in `line` as a word of its own.
bool contains_word(std::string_view line, std::string_view word) {
  for (std::size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word(line[at - 1])) && (end == line.size() || !is_word(line[end]))) return true;
  }
  return false;
}

void check_includes(const Source& source, std::vector<Finding>& findings) {
  const std::string_view folder = folder_of(source.path), top = top_of(source.path);
  if (!outside(folder) && !find_room(folder)) {
    findings.push_back(
        {source.path, 0, "room", "no such room: draw its arrows in tests/architecture/rooms.cpp"});
  }
  for (const Include& include : includes_of(source.text)) {
    const auto report = [&](const char* rule, const std::string& what) {
      findings.push_back({source.path, include.line, rule, what});
    };
    if (include.quoted) {
      const std::string_view to = folder_of(include.target);
      if (include.target.find('/') == std::string::npos || include.target.find("..") != std::string::npos) {
        report("path", "includes \"" + include.target + "\": write the path from the root");
      } else if (!may_include(folder, to)) {
        report("arrow", std::string(folder) + " must not include " + include.target);
      }
      continue;
    }
    for (const Vendor& vendor : vendors()) {
      if (!include.target.starts_with(vendor.prefix)) continue;
      const bool at_home =
          std::any_of(vendor.places.begin(), vendor.places.end(),
                      [&](std::string_view place) { return source.path.starts_with(place); });
      const bool internal = source.path.starts_with("core/cpu/") || top == "tests";
      if (!at_home) {
        report("vendor", "<" + include.target + "> has no place in " + std::string(top) + "/");
      } else if (is_header(source.path) && !vendor.in_headers && !internal) {
        report("vendor", "<" + include.target + "> belongs into a .cpp: every includer of this header pays");
      }
    }
  }
}

void check_text(const Source& source, std::vector<Finding>& findings) {
  const std::vector<std::string_view> lines = lines_of(source.text);
  const auto report = [&](std::size_t line, const char* rule, std::string what) {
    findings.push_back({source.path, static_cast<int>(line), rule, std::move(what)});
  };
  // A source may open with its own header instead: what lives here is said there.
  const std::string own = "#include \"" + source.path.substr(0, source.path.rfind('.')) + ".h\"";
  if (lines.empty() || (!lines[0].starts_with("// ") && lines[0] != own)) {
    report(1, "opening", "the first line must be a comment that says what lives here");
  }
  if (lines.size() > kLongestFile) {
    report(0, "length",
           std::to_string(lines.size()) + " lines, " + std::to_string(kLongestFile) +
               " are the limit: split by subject");
  }
  if (!source.text.ends_with('\n')) report(lines.size(), "layout", "the last line has no end");
  const std::string code = without_comments(source.text);
  const std::vector<std::string_view> code_lines = lines_of(code);
  if (is_header(source.path) && std::find(lines.begin(), lines.end(), "#pragma once") == lines.end()) {
    report(0, "guard", "a header needs #pragma once");
  }
  const bool test = source.path.starts_with("tests/");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = lines[i];
    if (line.find('\t') != std::string_view::npos) report(i + 1, "layout", "a tab");
    if (line.find('\r') != std::string_view::npos) report(i + 1, "layout", "a carriage return");
    if (line.ends_with(' ')) report(i + 1, "layout", "blanks at the end of the line");
    if (line.size() > kLongestLine) report(i + 1, "layout", "longer than " + std::to_string(kLongestLine));
    for (const char* word : {"TODO", "FIXME", "XXX", "HACK"}) {
      if (!test && contains_word(line, word))
        report(i + 1, "word", std::string(word) + ": finish it or file it");
    }
    if (test && line.starts_with("TEST_CASE(\"")) {
      const std::string_view name = line.substr(11, line.find('"', 11) - 11);
      if (name.find(';') != std::string_view::npos) {
        report(i + 1, "test", "a semicolon in a test's name: CMake splits it, and ctest then runs nothing");
      }
    }
    if (i >= code_lines.size() || test) continue;
    const std::string_view statement = code_lines[i];
    if (contains_word(statement, "assert")) report(i + 1, "word", "assert: checks that matter throw");
    if (is_header(source.path) && statement.find("using namespace") != std::string_view::npos) {
      report(i + 1, "word", "using namespace in a header");
    }
    if (statement.starts_with("#define") &&
        std::find(kMacros.begin(), kMacros.end(), source.path) == kMacros.end())
      report(i + 1, "word", "a macro");
  }
}

}  // namespace

std::vector<Include> includes_of(std::string_view text) {
  std::vector<Include> found;
  const std::string code = without_comments(text);
  int number = 0;
  for (std::string_view line : lines_of(code)) {
    ++number;
    const auto skip_blanks = [&line] {
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    };
    skip_blanks();
    if (!line.starts_with('#')) continue;
    line.remove_prefix(1);
    skip_blanks();
    if (!line.starts_with("include")) continue;
    line.remove_prefix(std::string_view("include").size());
    skip_blanks();
    const bool quoted = line.starts_with('"');
    if (!quoted && !line.starts_with('<')) continue;
    const std::size_t end = line.find(quoted ? '"' : '>', 1);
    if (end == std::string_view::npos) continue;
    found.push_back({std::string(line.substr(1, end - 1)), quoted, number});
  }
  return found;
}

std::vector<Finding> check_file(const Source& source) {
  std::vector<Finding> findings;
  check_includes(source, findings);
  check_text(source, findings);
  return findings;
}

namespace {

using Graph = std::map<std::string, std::vector<Include>>;

/// What includes itself over others.
void find_cycles(const Graph& graph, std::vector<Finding>& findings) {
  // Depth first; what is met again while it is still open closes a cycle.
  enum class Visit { open, done };
  std::map<std::string, Visit> visits;
  std::vector<std::string> trail;
  const std::function<void(const std::string&)> visit = [&](const std::string& path) {
    visits[path] = Visit::open;
    trail.push_back(path);
    const auto includes = graph.find(path);
    for (const Include& include : includes == graph.end() ? std::vector<Include>() : includes->second) {
      const auto seen = visits.find(include.target);
      if (seen == visits.end()) {
        visit(include.target);
      } else if (seen->second == Visit::open) {
        std::string round;
        for (auto at = std::find(trail.begin(), trail.end(), include.target); at != trail.end(); ++at) {
          round += *at + " -> ";
        }
        findings.push_back({path, include.line, "cycle", round + include.target});
      }
    }
    trail.pop_back();
    visits[path] = Visit::done;
  };
  for (const auto& entry : graph) {
    if (!visits.contains(entry.first)) visit(entry.first);
  }
}

/// "nn/layers" for nn/layers.h and nn/layers.cpp: a header and its source are one subject.
std::string subject_of(const std::string& path) { return path.substr(0, path.rfind('.')); }

/// The same graph between subjects. In core/ itself (not in its rooms) tensors and backends are one idea:
/// what a tensor does runs on a backend, and what a backend takes are tensors; there only files form no
/// circles.
Graph subjects_of(const Graph& files) {
  Graph subjects;
  for (const auto& [path, includes] : files) {
    if (outside(path) || folder_of(path) == "core") continue;
    for (const Include& include : includes) {
      const std::string target = subject_of(include.target);
      if (target != subject_of(path)) subjects[subject_of(path)].push_back({target, true, include.line});
    }
  }
  return subjects;
}

}  // namespace

std::vector<Finding> check_tree(const std::vector<Source>& sources) {
  std::vector<Finding> findings;
  std::map<std::string, std::vector<Include>> graph;
  for (const Source& source : sources) {
    for (Include& include : includes_of(source.text)) {
      if (include.quoted) graph[source.path].push_back(std::move(include));
    }
  }
  std::set<std::string> present;
  for (const Source& source : sources) present.insert(source.path);
  for (const auto& [path, includes] : graph) {
    for (const Include& include : includes) {
      if (!present.contains(include.target)) {
        findings.push_back({path, include.line, "path", "no such file: " + include.target});
      }
    }
  }
  find_cycles(graph, findings);
  find_cycles(subjects_of(graph), findings);
  for (const auto& [folder, files] : files_by_folder(sources)) {
    if (files.size() > kFullestFolder && !outside(folder)) {
      findings.push_back({folder, 0, "folder",
                          std::to_string(files.size()) + " files, " + std::to_string(kFullestFolder) +
                              " are the limit: give it inner rooms"});
    }
  }
  return findings;
}

}  // namespace basin::house
