// Long loops of a command: shown while they run, ended by a signal.
#pragma once

#include <functional>
#include <string>

#include "apps/cli/period.h"
#include "apps/cli/terminal.h"
#include "core/error.h"
#include "data/watch.h"

namespace basin::apps {

/// A signal ended the command: its exit code is interruption_exit_code().
struct InterruptedError : Error {
  explicit InterruptedError(const std::string& message);
};

/// For a loop that does `what` to things called `unit`: repaints the progress line at most ten times a
/// second, "decoding train: 1,024 of 7,390 pictures", and throws InterruptedError once a signal has come,
/// "decoding train: interrupted (SIGTERM) after 1,024 of 7,390 pictures". The line is removed when the loop
/// is done, or by the caller. The terminal must outlive it.
data::Watch watch(Terminal& terminal, const std::string& what, const std::string& unit,
                  Clock clock = steady_clock());

/// watch() for whatever loop asks.
std::function<data::Watch(const std::string& what, const std::string& unit)> watches(Terminal& terminal);

}  // namespace basin::apps
