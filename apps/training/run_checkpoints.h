// RunCheckpoints: what a training run saves, when a failure to save matters, and which file is to be trusted.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "apps/config/train_config.h"
#include "apps/evaluation/run_data.h"
#include "apps/runs/checkpoint.h"
#include "apps/runs/run_directory.h"
#include "apps/training/experiment.h"
#include "apps/training/run_state.h"

namespace basin::apps {

class RunCheckpoints {
 public:
  /// All arguments must outlive this.
  RunCheckpoints(const TrainConfig& config, const RunData& data, Experiment& experiment, RunDirectory& run,
                 Terminal& terminal);

  /// Brings the experiment to where a checkpoint of this run left it, and returns where that is. Errors:
  /// CheckpointError when it is of another run; NumericalError for a checkpoint that is not finite.
  RunState restore(const LoadedCheckpoint& saved);

  /// Saves, unless this very state is saved. Leaves `more` files more than --keep, one more while steps are
  /// skipped: a state that steps are skipped at replaces none that they were made from. Errors:
  /// NumericalError for a state that is not finite, which replaces no checkpoint; OutputError.
  void save(const RunState& state, int more = 0);
  /// A full disk is a warning, and tried again at the next occasion. False if it was not saved.
  bool save_if_possible(const RunState& state, int more = 0);
  /// Periodic. While steps are skipped the weights may be what is wrong, and push out no good checkpoint: the
  /// save waits for the next step that is finite.
  void save_unless_skipping(const RunState& state);

  /// A step from the newest checkpoint on was finite.
  void proven() { proven_path_ = path_; }
  /// A periodic checkpoint waits for a finite step.
  bool postponed() const { return postponed_; }
  /// The newest one; empty if there is none.
  const std::string& path() const { return path_; }
  /// "in PATH" of the newest checkpoint and of the one to trust, for messages.
  std::string last_good_state() const;

 private:
  const TrainConfig& config_;
  const RunData& data_;
  Experiment& experiment_;
  RunDirectory& run_;
  Terminal& terminal_;
  std::string path_;
  std::int64_t step_ = -1, epoch_ = -1;  // that it was saved at
  std::string proven_path_;              // of the newest checkpoint that a finite step followed
  bool postponed_ = false;
  std::set<std::string> warned_;
};

}  // namespace basin::apps
