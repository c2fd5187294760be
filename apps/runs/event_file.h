// EventFile: a run's records as TensorBoard reads them, RUN/tensorboard/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/runs/records.h"
#include "core/io/record_file.h"

namespace basin::apps {

/// The directory and the file in it, whose name TensorBoard knows by "tfevents".
constexpr const char* kEventDirectory = "tensorboard";
constexpr const char* kEventFile = "tensorboard/events.out.tfevents.0.basin";

/// Scalars by step: of each step train/loss, train/loss_perturbed where there is one, train/accuracy,
/// train/lr, train/gradient_norm; of each epoch, at its last step, epoch/train_loss, epoch/train_accuracy,
/// epoch/test_loss, epoch/test_accuracy and those of validation images. They are records, not state, as those
/// of Records: the file keeps the events of a run up to its checkpoint, whatever else is in it goes, and
/// no step is in it twice.
class EventFile {
 public:
  /// Opens DIRECTORY/tensorboard/..., or makes it, and keeps of it the events of the first `step` steps and
  /// of the finished `epochs`. Errors: OutputError for a directory that cannot be made, or a file that cannot
  /// be replaced.
  EventFile(const std::string& directory, std::int64_t step, const std::vector<EpochRecord>& epochs);

  void write(const StepRecord& record);
  void write(const EpochRecord& record);
  void sync() { file_->sync(); }
  /// Why events are missing; empty if none are.
  const std::string& error() const { return file_->error(); }

 private:
  using Scalars = std::vector<std::pair<std::string, double>>;
  void write(std::int64_t step, const Scalars& scalars);

  std::optional<RecordFile> file_;
};

}  // namespace basin::apps
