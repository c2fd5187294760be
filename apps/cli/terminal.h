// Where a command writes: results to stdout, log and progress to stderr, and all of it to log.txt.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>

#include "apps/options/output.h"
#include "core/error.h"
#include "core/io/json.h"

namespace basin::apps {

/// What the two streams can show.
struct TerminalTraits {
  bool repaint = false;          // stderr is a terminal that understands carriage returns and escapes
  bool colour = false;           // on stderr
  bool unicode = false;          // the locale is UTF-8
  std::function<int()> width{};  // columns of stderr now; null: 80
};

/// Those of this process: isatty, TERM (dumb or unset: no repainting), NO_COLOR, LC_ALL/LC_CTYPE/LANG.
TerminalTraits detect_terminal();

/// Opens /dev/null on those of stdin, stdout and stderr that the caller closed, as for a daemon: the first
/// files of a run would take their descriptors, and what is printed would be written into them. Call it
/// before anything opens a file. False where there is no /dev/null.
bool open_standard_streams();

/// stdout is a pipe whose reader has gone (`| head -3`): nothing to report, and the exit code of a process
/// that SIGPIPE ends.
struct BrokenPipe : Error {
  static constexpr ExitCode kExitCode{141};
  BrokenPipe() : Error(kExitCode, "stdout: Broken pipe") {}
};

/// Writes all of `text` to stdout, or to what stands for it. Errors: BrokenPipe; OutputError.
void write_out(std::ostream& out, const std::string& text);

class Terminal {
 public:
  Terminal(std::ostream& out, std::ostream& err, TerminalTraits traits, const OutputConfig& output);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Part of the result, for people: stdout, but with --json only the log. Ends with a newline.
  /// Errors: those of write_out(), unless outlive_stdout().
  void result(const std::string& text);
  void result(const char* text) { result(std::string(text)); }
  /// The result for programs: on stdout with --json, nowhere else. Call it once. Errors: as result().
  void result(const Json& document);
  /// A line of the log: stderr unless --quiet.
  void note(const std::string& line);
  /// A line for the curious: stderr with --verbose; always in log.txt.
  void detail(const std::string& line);
  /// "warning: ..." on stderr, --quiet or not.
  void warn(const std::string& line);
  /// Shows `line` in place of the last such line, where the terminal can; it is in no log. "" removes it.
  void repaint(const std::string& line);

  /// From now on everything is also in the file, after what was printed before. Appends. A log that cannot be
  /// written is warned about once, see log_incomplete().
  void open_log(const std::string& path);
  /// Parts of what was printed are missing from the log file.
  bool log_incomplete() const;

  /// From now on a stdout that fails is warned about once and written again with the next result, instead of
  /// ending the command: for work that is worth more than what it prints.
  void outlive_stdout() { outlives_stdout_ = true; }
  /// Why parts of the result are missing from stdout, "stdout: Broken pipe"; empty if none are.
  const std::string& stdout_error() const { return stdout_error_; }

  bool repaints() const { return traits_.repaint && output_.progress && !output_.quiet; }
  bool unicode() const { return traits_.unicode; }
  int width() const { return traits_.width ? traits_.width() : 80; }
  const OutputConfig& output() const { return output_; }

 private:
  class Log;
  void to_log(const std::string& text);
  void to_err(const std::string& text);
  void to_out(const std::string& text);

  std::ostream& out_;
  std::ostream& err_;
  TerminalTraits traits_;
  OutputConfig output_;
  std::string painted_;     // the progress line on the screen
  std::string before_log_;  // printed while there was no log
  std::unique_ptr<Log> log_;
  bool log_warned_ = false;
  bool outlives_stdout_ = false;
  std::string stdout_error_;
};

}  // namespace basin::apps
