#include "apps/cli/long_work.h"

#include <utility>

#include "apps/cli/format.h"
#include "apps/cli/signals.h"

namespace basin::apps {
namespace {

constexpr double kRepaintSeconds = 0.1;

std::string reached(std::int64_t done, std::int64_t total, const std::string& unit) {
  return text(grouped(done), total > 0 ? " of " + grouped(total) : "", ' ', unit);
}

/// "interrupted (SIGINT)".
std::string interruption() {
  const char* name = interruption_name(interruption_exit_code());
  return name != nullptr ? name : "interrupted";
}

}  // namespace

InterruptedError::InterruptedError(const std::string& message)
    : Error(ExitCode{interruption_exit_code()}, message) {}

ExitCode interruptible(const std::function<ExitCode()>& body) {
  try {
    return body();
  } catch (const InterruptedError& signal) {
    return signal.code();
  }
}

data::Watch LongWork::part(const std::string& what, const std::string& unit) const {
  return [&terminal = terminal_, clock = clock_, what, unit, painted = -1.0](std::int64_t done,
                                                                             std::int64_t total) mutable {
    if (interruption_requested()) {
      terminal.repaint("");
      throw InterruptedError(text(what, ": ", interruption(), " after ", reached(done, total, unit)));
    }
    if (!terminal.repaints()) return;
    const double now = clock();
    if (painted >= 0 && now - painted < kRepaintSeconds) return;
    painted = now;
    terminal.repaint(text(what, ": ", reached(done, total, unit)));
  };
}

WatchMaker LongWork::parts() const {
  return [work = *this](const std::string& what, const std::string& unit) { return work.part(what, unit); };
}

void LongWork::begin(const std::string& line) const {
  if (interruption_requested()) {
    terminal_.repaint("");
    throw InterruptedError(interruption());
  }
  terminal_.repaint(line);
}

}  // namespace basin::apps
