// TrainingRun: the loop of `basin train`. Epochs, evaluation, checkpoints, interruption and resumption around
// Experiment::step.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "apps/cli/long_work.h"
#include "apps/config/run_length.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/run_data.h"
#include "apps/options/period.h"
#include "apps/report/tables.h"
#include "apps/runs/checkpoint.h"
#include "apps/runs/run_directory.h"
#include "apps/training/experiment.h"
#include "apps/training/progress.h"
#include "apps/training/run_checkpoints.h"
#include "apps/training/run_state.h"

namespace basin::apps {

class TrainingRun {
 public:
  /// The run from its first step on, in a directory that begins when run() is called: nothing is written
  /// before. All arguments must outlive it.
  TrainingRun(const TrainConfig& config, const RunData& data, const RunLength& length, Experiment& experiment,
              RunDirectory& run, Terminal& terminal);

  /// Takes the run up where a checkpoint of it left it. Errors: those of RunCheckpoints::restore().
  void resume(const LoadedCheckpoint& saved);

  /// Begins the session in run.json, trains to the end, or until interrupted, out of time or steps; saves.
  /// Returns the exit code. Errors: NumericalError when too many steps in a row are not finite
  /// (--skip-limit), its message names step, pass and parameter of the last; when a state to save is not
  /// finite; and at the end of a run whose weights or averages give no finite loss, after all that was found
  /// is written and shown.
  ExitCode run();

 private:
  enum class Stop { no, interrupted, steps, time };

  /// Opens the records, the timers and the progress line; saves before the first step.
  void open();
  ExitCode train();
  /// Trains and evaluates the rest of the current epoch; what made it end early.
  Stop run_epoch();
  /// Begins the next step, for whose batch so long was waited, and settles the oldest of those under way: on
  /// the host this one, on a device one of several steps before, so that it never stands still.
  void begin_step(const data::Batch& batch, double data_seconds);
  void settle_all_but(std::int64_t steps);
  /// f(). If it throws, what was begun before is settled first: it is on record as if nothing came after it.
  template <class F>
  auto or_settle(const F& f) {
    try {
      return f();
    } catch (...) {
      settle_all_but(0);
      throw;
    }
  }
  /// Enters the oldest step under way in the state and the records.
  void settle_step();
  /// Counts a step that was not finite; throws when there are too many in a row.
  void skip(const optim::StepReport& report);
  /// Saves the weights as a member of the ensemble if they are to be one.
  void save_member_if_due();
  Tally evaluate_on(const std::shared_ptr<const data::ExampleSource>& source);
  /// Evaluates, records the epoch, prints its row. False if interrupted before it was done.
  bool finish_epoch();
  /// What asks for an end after `made` steps of the run.
  Stop must_stop(std::int64_t made) const;
  ExitCode stop(Stop why);
  ExitCode finish();

  std::int64_t batches() const { return length_.batches(state_.epoch); }
  /// The state, with the time that the run has taken by now.
  const RunState& now();
  EpochColumns columns() const;

  const TrainConfig& config_;
  const RunData& data_;
  const RunLength length_;
  Experiment& experiment_;
  RunDirectory& run_;
  Terminal& terminal_;
  LongWork work_;
  Clock clock_;
  std::optional<optim::CollectionTimes> members_;
  RunCheckpoints checkpoints_;
  RunState state_;

  // Of this call.
  std::int64_t first_step_ = 0;
  double begin_ = 0;                 // of it, by the clock
  double earlier_seconds_ = 0;       // of the calls before
  double mark_ = 0;                  // when the last step was settled
  std::deque<double> data_seconds_;  // of the steps under way
  std::optional<PeriodicTimer> checkpoint_timer_;
  std::optional<Progress> progress_;
};

}  // namespace basin::apps
