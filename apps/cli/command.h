// A command of the program: one row of one list, from which parsing, help, completion and dispatch follow.
#pragma once

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "apps/options/options.h"
#include "apps/options/output.h"
#include "core/error.h"

namespace basin::apps {

class Terminal;

/// One call of a command: its configuration and what is done with it. A command derives its own from this in
/// its one file, and each call makes a new one. parse() asks, in this order: options(), build_on(), check(),
/// settled(); then run() does the work.
class Call {
 public:
  virtual ~Call() = default;

  /// Adds the command's options, tied to fields of this object.
  virtual void options(OptionTable& table) = 0;
  /// Puts below the environment and the flags what else this call builds on: a preset, a file, the
  /// configuration of a run. The flags are in the table, so that it can see which; `words` are those that
  /// belong to no option, "" where none was given. Returns the directory of the run whose numbers must stay
  /// as they are; empty for none.
  virtual std::string build_on(OptionTable&, const std::vector<std::string>& words) {
    static_cast<void>(words);
    return "";
  }
  /// Takes the words that belong to no option, Command::most_words of them, "" where none was given; checks
  /// what depends on where values came from. Errors: UsageError.
  virtual void check(const OptionTable&, const std::vector<std::string>&) {}
  /// Checks what depends on values alone, all of them known now. Errors: UsageError. Returns a text that is
  /// the whole answer, so that nothing is run; empty for none.
  virtual std::string settled(const OptionTable&) { return ""; }
  /// Does it. Failures are exceptions (core/error.h).
  virtual ExitCode run(Terminal& terminal) = 0;

  virtual const OutputConfig& output() const { return output_; }

  /// All options, --help included.
  OptionTable table();

  std::vector<std::string> command_line;  // the whole of it, the program's name first

 protected:
  OutputConfig output_;

 private:
  bool help_ = false;
};

/// Command::most_words of a command that takes as many as there are; check() gets those, without "" behind
/// them.
inline constexpr std::size_t kAnyNumberOfWords = std::numeric_limits<std::size_t>::max();

struct Command {
  std::string name;        // "train"
  std::string arguments;   // what may follow: "[MODEL | FILE] [options]"
  std::string help;        // what it does, to follow "basin train: "
  std::size_t most_words;  // that belong to no option
  std::unique_ptr<Call> (*make)();
};

/// For Command::make: a new `Own`, which derives from Call.
template <class Own>
std::unique_ptr<Call> make_call() {
  return std::make_unique<Own>();
}

/// What `basin` is made of.
struct Program {
  std::string about;       // one sentence
  std::string first_call;  // a command line that needs no file
  std::string version;     // one line
  std::vector<Command> commands;

  std::vector<std::string> command_names() const;
};

/// Options of a command that count only for some of its subjects: {{"rules", {"step", "memory"}}}.
using Scopes = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// Errors: UsageError for an option on the command line that does not count for `subject`: "--rules counts
/// only for bench step or memory, not for ops".
void expect_in_scope(const std::string& command, const Scopes& scopes, const OptionTable& table,
                     const std::string& subject);

}  // namespace basin::apps
