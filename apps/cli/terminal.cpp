// Two streams, one log, and one line that is repainted.
#include "apps/cli/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ostream>
#include <string_view>

#include "core/io/record_file.h"

namespace basin::apps {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value = variable(name);
    if (value.empty()) continue;
    std::transform(value.begin(), value.end(), value.begin(),
                   [](unsigned char c) { return std::toupper(c); });
    return value.find("UTF-8") != std::string::npos || value.find("UTF8") != std::string::npos;
  }
  return false;
}

int stderr_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

TerminalTraits detect_terminal() {
  TerminalTraits traits;
  const std::string term = variable("TERM");
  traits.repaint = isatty(STDERR_FILENO) == 1 && !term.empty() && term != "dumb";
  traits.colour = traits.repaint && variable("NO_COLOR").empty();
  traits.unicode = utf8_locale();
  traits.width = stderr_width;
  return traits;
}

bool open_standard_streams() {
  for (const int stream :
       {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})  // open() takes the lowest that is free
    if (::fcntl(stream, F_GETFD) == -1 && ::open("/dev/null", O_RDWR) != stream) return false;
  return true;
}

void write_out(std::ostream& out, const std::string& text) {
  errno = 0;
  out << text << std::flush;
  if (out) return;
  if (errno == EPIPE) throw BrokenPipe();
  throw OutputError("stdout: ", errno ? std::strerror(errno) : "cannot be written");
}

class Terminal::Log {
 public:
  explicit Log(const std::string& path) : file_(path) {}
  void write(const std::string& text) { file_.append(text); }
  const std::string& error() const { return file_.error(); }

 private:
  RecordFile file_;
};

Terminal::Terminal(std::ostream& out, std::ostream& err, TerminalTraits traits, const OutputConfig& output)
    : out_(out), err_(err), traits_(std::move(traits)), output_(output) {}

Terminal::~Terminal() { repaint(""); }

void Terminal::result(const std::string& text) {
  const std::string line = text.ends_with('\n') ? text : text + "\n";
  if (!output_.json) to_out(line);
  to_log(line);
}

void Terminal::result(const Json& document) {
  if (output_.json) to_out(document.indented() + "\n");
}

void Terminal::note(const std::string& line) {
  if (!output_.quiet) to_err(line + "\n");
  to_log(line + "\n");
}

void Terminal::detail(const std::string& line) {
  if (output_.verbose) to_err(line + "\n");
  to_log(line + "\n");
}

void Terminal::warn(const std::string& line) {
  to_err((traits_.colour ? "\x1b[33mwarning:\x1b[0m " : "warning: ") + line + "\n");
  to_log("warning: " + line + "\n");
}

void Terminal::repaint(const std::string& line) {
  if (!repaints() || line == painted_) return;
  err_ << '\r' << line << "\x1b[K" << std::flush;
  painted_ = line;
}

void Terminal::open_log(const std::string& path) {
  log_ = std::make_unique<Log>(path);
  to_log(std::exchange(before_log_, ""));
}

bool Terminal::log_incomplete() const { return log_ && !log_->error().empty(); }

void Terminal::to_log(const std::string& text) {
  if (!log_) {
    before_log_ += text;
    return;
  }
  log_->write(text);
  if (log_->error().empty() || log_warned_) return;
  log_warned_ = true;
  warn(log_->error());
}

void Terminal::to_err(const std::string& text) {
  // The progress line makes room and comes back below.
  const std::string below = painted_;
  repaint("");
  err_ << text << std::flush;
  err_.clear();  // nothing depends on stderr; the next line is tried again
  repaint(below);
}

void Terminal::to_out(const std::string& text) {
  const std::string below = painted_;
  repaint("");
  std::string failure;
  try {
    write_out(out_, text);
  } catch (const Error& error) {
    if (!outlives_stdout_) throw;
    failure = error.what();
    out_.clear();
  }
  repaint(below);
  if (failure.empty() || !stdout_error_.empty()) return;
  stdout_error_ = failure;
  warn(failure + "; the command goes on without it");
}

}  // namespace basin::apps
