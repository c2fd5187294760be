// RunLength: how long a run is, in epochs and in steps, and where its moments are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/config/schedule.h"

namespace basin::apps {

/// A run counted in epochs has whole ones; of one counted in steps (--steps) the last epoch may be a short
/// one. Ten steps of four an epoch are three epochs.
struct RunLength {
  std::int64_t epochs = 0;
  std::int64_t steps_per_epoch = 0;  // batches of a whole epoch; 0: not known before the data are
  std::int64_t steps = 0;            // of the whole run
  bool by_steps = false;             // as --steps has it

  /// Batches of epoch number `epoch` = 0, 1, ...; none behind the end.
  std::int64_t batches(std::int64_t epoch) const;
  /// So many epochs in steps, the nearest whole number.
  std::int64_t steps_of(double epochs_long) const;
  /// Steps done before epoch number `epoch` = 1, 2, ... begins.
  std::int64_t steps_before(std::int64_t epoch) const { return (epoch - 1) * steps_per_epoch; }
  /// A moment as the first epoch 1, 2, ... that it is in: `start` itself, or below 1 that fraction of the
  /// run, rounded up.
  std::int64_t first_epoch(double start) const;
  /// The epochs, rising, after which the step schedule lowers the rate: a milestone below 1 is a fraction of
  /// the run. Errors: UsageError for milestones of both kinds, that do not rise, or are not within the run.
  std::vector<double> milestone_epochs(const std::vector<double>& milestones) const;
  /// As it was given: "--epochs 3", "--steps 100, 2 epochs".
  std::string in_words() const;
};

/// The length that a configuration asks for, on so many training images; with 0 images what is known before
/// they are: the epochs of a run that is counted in them.
RunLength run_length(const ScheduleConfig& schedule, std::int64_t images);

}  // namespace basin::apps
