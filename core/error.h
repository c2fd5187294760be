// The exceptions of Basin. Each kind carries the exit code that `basin` ends with (README, "Exit codes").
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace basin {

/// Exit codes of the command line, one for each kind of failure (stable: scripts rely on them).
enum class ExitCode {
  success = 0,
  internal = 1,       // a bug in Basin
  usage = 2,          // usage or configuration
  data = 3,           // data missing or corrupt
  checkpoint = 4,     // checkpoint missing, corrupt, incompatible
  numerical = 5,      // non-finite loss, gradient, weight
  out_of_memory = 6,  // host or device
  check_failed = 7,   // gradcheck, verify, diff, reproduce
  output = 8,         // a file could not be written
  interrupted = 130,  // SIGINT, state saved
  terminated = 143,   // SIGTERM, state saved
};

/// What the process ends with: 2 for ExitCode::usage.
constexpr int number(ExitCode code) { return static_cast<int>(code); }

/// The printed forms of all parts, joined: `text("weight expects ", 16, " channels")`.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// Base of every exception that Basin throws on purpose. what() is one line that says what, where, how to
/// mend it.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Declares one kind of Error, built from any printable parts.
template <ExitCode kCode>
class ErrorOf : public Error {
 public:
  template <class... Parts>
  explicit ErrorOf(const Parts&... parts) : Error(kCode, text(parts...)) {}
};

struct InternalError : ErrorOf<ExitCode::internal> {
  using ErrorOf::ErrorOf;
};
/// A call with wrong shapes, dtypes or values: `[conv2d] weight expects 16 input channels, x has 3 (...)`.
struct ArgumentError : ErrorOf<ExitCode::usage> {
  using ErrorOf::ErrorOf;
};
struct UsageError : ErrorOf<ExitCode::usage> {
  using ErrorOf::ErrorOf;
};
struct DataError : ErrorOf<ExitCode::data> {
  using ErrorOf::ErrorOf;
};
struct CheckpointError : ErrorOf<ExitCode::checkpoint> {
  using ErrorOf::ErrorOf;
};
struct NumericalError : ErrorOf<ExitCode::numerical> {
  using ErrorOf::ErrorOf;
};
struct MemoryError : ErrorOf<ExitCode::out_of_memory> {
  using ErrorOf::ErrorOf;
};
struct CheckFailedError : ErrorOf<ExitCode::check_failed> {
  using ErrorOf::ErrorOf;
};
struct OutputError : ErrorOf<ExitCode::output> {
  using ErrorOf::ErrorOf;
};

}  // namespace basin
