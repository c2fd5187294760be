// TrainingRun: the loop of `basin train`. Epochs, evaluation, checkpoints, interruption and resumption around
// Experiment::step.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/checkpoint.h"
#include "apps/evaluation.h"
#include "apps/experiment.h"
#include "apps/progress.h"
#include "apps/pulse.h"
#include "apps/run_directory.h"

namespace basin::apps {

/// The training and test examples that the configuration asks for: the training ones augmented.
struct Examples {
  data::LoadedData data;
  std::shared_ptr<const data::ExampleSource> train, test;
  std::string hash;  // of both splits
};
Examples load_examples(const DataConfig& config, std::uint64_t seed);

/// Batches of one epoch; the incomplete last one counts.
std::int64_t steps_per_epoch(const TrainConfig& config, const Examples& examples);

/// Loader of training batches from a position on. The same batches for any number of workers.
data::LoaderOptions training_batches(const TrainConfig& config, std::int64_t epoch, std::int64_t batch);

class TrainingRun {
 public:
  /// Builds everything; with config.run.resume takes up the newest checkpoint that is whole.
  TrainingRun(const TrainConfig& config, const Examples& examples, RunDirectory& run, Terminal& terminal);

  /// Trains to the end, or until interrupted, out of time or steps; saves. Returns the exit code.
  /// Errors: NumericalError when a step is not finite, its message names step, pass and parameter.
  int run();

 private:
  enum class Stop { no, interrupted, steps, time };

  void resume();
  void announce();
  TrainingPosition position() const;
  std::vector<StatePart> state();

  /// Trains and evaluates the rest of the current epoch; what made it end early.
  Stop run_epoch();
  void train_step(data::Batch& batch, double data_seconds, double seconds);
  [[noreturn]] void fail(const optim::StepReport& report);
  /// Evaluates, records the epoch, prints its row. False if interrupted before it was done.
  bool finish_epoch();
  Stop must_stop() const;
  int stop(Stop why);
  int finish();

  void save();              // errors are the caller's
  void save_if_possible();  // periodic: a full disk is a warning, and tried again at the next occasion

  const TrainConfig& config_;
  const Examples& examples_;
  RunDirectory& run_;
  Terminal& terminal_;
  Clock clock_;
  std::int64_t steps_per_epoch_;
  Experiment experiment_;

  // Where the run stands.
  std::int64_t step_ = 0;   // updates made
  std::int64_t epoch_ = 0;  // epochs finished
  std::int64_t batch_ = 0;  // batches done in the current epoch
  std::int64_t samples_seen_ = 0;
  EpochSums sums_;  // of the current epoch
  std::vector<EpochRecord> epochs_;

  std::int64_t first_step_ = 0;                      // of this call
  std::int64_t saved_step_ = -1, saved_epoch_ = -1;  // of the newest checkpoint
  std::string saved_path_;
  double begin_;  // of this call
  std::optional<Pulse> checkpoint_pulse_;
  std::optional<Progress> progress_;
};

}  // namespace basin::apps
