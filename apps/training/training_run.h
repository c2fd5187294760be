// TrainingRun: the loop of `basin train`. Epochs, evaluation, checkpoints, interruption and resumption around
// Experiment::step.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apps/cli/long_work.h"
#include "apps/cli/period.h"
#include "apps/report/tables.h"
#include "apps/runs/checkpoint.h"
#include "apps/runs/run_directory.h"
#include "apps/training/evaluation.h"
#include "apps/training/experiment.h"
#include "apps/training/outcome.h"
#include "apps/training/progress.h"
#include "apps/training/run_data.h"

namespace basin::apps {

class TrainingRun {
 public:
  /// The run from its first step on, in a directory that begins when run() is called: nothing is written
  /// before. All arguments must outlive it.
  TrainingRun(const TrainConfig& config, const RunData& data, Experiment& experiment, RunDirectory& run,
              Terminal& terminal);

  /// Takes the run up where a checkpoint of it left it. Errors: CheckpointError when it is of another run;
  /// NumericalError for a checkpoint that is not finite.
  void resume(const LoadedCheckpoint& saved);

  /// Begins the session in run.json, trains to the end, or until interrupted, out of time or steps; saves.
  /// Returns the exit code. Errors: NumericalError when too many steps in a row are not finite
  /// (--skip-limit), its message names step, pass and parameter of the last; when a state to save is not
  /// finite; and at the end of a run whose weights or averages give no finite loss, after all that was found
  /// is written and shown.
  int run();

 private:
  enum class Stop { no, interrupted, steps, time };

  /// The epochs and the time of the calls before.
  void take_records(const Json& extra);
  void open();
  int train();
  void announce();
  /// Batches of the current epoch: fewer in the last one of a run that is counted in steps.
  std::int64_t batches() const;
  TrainingPosition position() const;
  std::vector<StatePart> state();

  /// Trains and evaluates the rest of the current epoch; what made it end early.
  Stop run_epoch();
  void train_step(data::Batch& batch, double data_seconds, double seconds);
  /// Counts a step that was not finite; throws when there are too many in a row.
  void skip(const optim::StepReport& report);
  /// Saves the weights as a member of the ensemble if they are to be one.
  void save_member_if_due();
  Tally evaluate_on(const std::shared_ptr<const data::ExampleSource>& source);
  /// Evaluates, records the epoch, prints its row. False if interrupted before it was done.
  bool finish_epoch();
  Stop must_stop() const;
  int stop(Stop why);
  int finish();
  void show(const RunResult& result, const Outcome& outcome);
  EpochColumns columns() const;

  /// "in PATH" of the newest checkpoint and of the one to trust, for messages.
  std::string last_good_state() const;
  /// Leaves so many files more than --keep, one more while steps are skipped. Errors: NumericalError for a
  /// state that is not finite, which replaces no checkpoint; OutputError.
  void save(int more = 0);
  /// A full disk is a warning, and tried again at the next occasion. False if it was not saved.
  bool save_if_possible(int more = 0);
  /// Periodic. While steps are skipped the weights may be what is wrong, and push out no good checkpoint: the
  /// save waits for the next step that is finite.
  void save_unless_skipping();

  const TrainConfig& config_;
  const RunData& data_;
  RunDirectory& run_;
  Terminal& terminal_;
  LongWork work_;
  Clock clock_;
  std::int64_t steps_per_epoch_, total_steps_;
  Experiment& experiment_;
  std::optional<optim::CollectionTimes> members_;

  // Where the run stands.
  std::int64_t step_ = 0;   // updates made
  std::int64_t epoch_ = 0;  // epochs finished
  std::int64_t batch_ = 0;  // batches done in the current epoch
  std::int64_t samples_seen_ = 0;
  std::int64_t skipped_in_row_ = 0;  // up to the last step
  std::int64_t skipped_ = 0;         // of the whole run
  EpochSums sums_;                   // of the current epoch
  std::vector<EpochRecord> epochs_;

  std::int64_t first_step_ = 0;                      // of this call
  std::int64_t saved_step_ = -1, saved_epoch_ = -1;  // of the newest checkpoint
  std::string saved_path_;
  std::string proven_path_;  // of the newest checkpoint that a finite step followed
  bool postponed_ = false;   // a periodic checkpoint is due and waits for a finite step
  std::set<std::string> warned_;
  double earlier_seconds_ = 0;  // of the calls before
  double begin_ = 0;            // of this call
  std::optional<PeriodicTimer> checkpoint_timer_;
  std::optional<Progress> progress_;
};

}  // namespace basin::apps
