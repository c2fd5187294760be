// LongWork: how far a command is, and the signals that end it.
#pragma once

#include <functional>
#include <string>

#include "apps/cli/terminal.h"
#include "apps/options/period.h"
#include "core/error.h"
#include "data/watch.h"

namespace basin::apps {

/// A signal ended the command: its exit code is interruption_exit_code().
struct InterruptedError : Error {
  explicit InterruptedError(const std::string& message);
};

/// What `body` returns; where a signal ends it, the signal's: for commands that have shown nothing
/// by then and have nothing to say.
ExitCode interruptible(const std::function<ExitCode()>& body);
/// The same for commands that keep what they have found: says how far the work was, and that the same call
/// goes on from there.
ExitCode resumable(Terminal& terminal, const std::function<ExitCode()>& body);

/// A Watch for whatever loop asks: it does `what` to things called `unit`.
using WatchMaker = std::function<data::Watch(const std::string& what, const std::string& unit)>;

/// What a command shows and heeds while it works for longer than a moment: training, evaluation,
/// recalibration, ensembles, data tools and benchmarks are each a row of parts, and every part is watched
/// alike.
///
///     LongWork work(terminal);
///     const Tally tally = evaluate(model, test, classes, {.watch = work.part("evaluating", "images")});
///     work.done();
///
/// While a part runs, the progress line says how far it is, at most ten times a second, where stderr is a
/// terminal: "evaluating: 1,024 of 10,000 images", from its third second on with what is left at the speed so
/// far: "..., 12s left". Once a signal has come the next look throws
/// InterruptedError, "evaluating: interrupted (SIGTERM) after 1,024 of 10,000 images", with the line removed:
/// what was finished before is the caller's to keep (apps/runs/unit_results.h, checkpoints).
class LongWork {
 public:
  /// The terminal must outlive this and its parts.
  explicit LongWork(Terminal& terminal, Clock clock = steady_clock())
      : terminal_(terminal), clock_(std::move(clock)) {}

  /// To be called after each piece of a loop with how many are done, and of how many (0: nobody knows).
  data::Watch part(const std::string& what, const std::string& unit) const;
  /// A work of pieces that each walk over smaller ones: `pieces` is told as part() is, `within` of the piece
  /// at work, whichever it is. One line shows both, "trace: 12 of 100 products and 1,024 of 10,000 images",
  /// and a signal ends both.
  struct Nested {
    data::Watch pieces, within;
  };
  Nested nested(const std::string& what, const std::string& unit, const std::string& unit_within) const;
  /// part() for loops that name themselves: LoadPlan::watch.
  WatchMaker parts() const;

  /// A part without a count begins: shows `line`, "round 1 of 5: sam". Errors: InterruptedError, "interrupted
  /// (SIGINT)".
  void begin(const std::string& line) const;
  /// Removes the progress line.
  void done() const { terminal_.repaint(""); }

 private:
  Terminal& terminal_;
  Clock clock_;
};

}  // namespace basin::apps
