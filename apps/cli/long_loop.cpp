#include "apps/cli/long_loop.h"

#include <utility>

#include "apps/cli/format.h"
#include "apps/cli/signals.h"

namespace basin::apps {
namespace {

constexpr double kRepaintSeconds = 0.1;

std::string reached(std::int64_t done, std::int64_t total, const std::string& unit) {
  return text(grouped(done), total > 0 ? " of " + grouped(total) : "", ' ', unit);
}

}  // namespace

InterruptedError::InterruptedError(const std::string& message)
    : Error(ExitCode{interruption_exit_code()}, message) {}

data::Watch watch(Terminal& terminal, const std::string& what, const std::string& unit, Clock clock) {
  return [&terminal, what, unit, clock = std::move(clock), painted = -1.0](std::int64_t done,
                                                                           std::int64_t total) mutable {
    if (interruption_requested()) {
      terminal.repaint("");
      const char* name = interruption_name(interruption_exit_code());
      throw InterruptedError(
          text(what, ": ", name != nullptr ? name : "interrupted", " after ", reached(done, total, unit)));
    }
    if (!terminal.repaints()) return;
    const double now = clock();
    if (painted >= 0 && now - painted < kRepaintSeconds) return;
    painted = now;
    terminal.repaint(text(what, ": ", reached(done, total, unit)));
  };
}

std::function<data::Watch(const std::string& what, const std::string& unit)> watches(Terminal& terminal) {
  return
      [&terminal](const std::string& what, const std::string& unit) { return watch(terminal, what, unit); };
}

}  // namespace basin::apps
