// The records of a run: one a step (steps.jsonl), one an epoch (metrics.csv). A resumed run cuts both back to
// its checkpoint, so that they end up as those of a straight run, times apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/io/json.h"
#include "core/io/record_file.h"

namespace basin::apps {

/// One optimization step. Losses are means over the images.
struct StepRecord {
  std::int64_t step = 0;   // steps made since the start of the run, this one included
  std::int64_t epoch = 0;  // 1, 2, ...
  std::int64_t images = 0;
  std::int64_t correct = 0;
  double loss = 0;                         // at w
  std::optional<double> loss_perturbed{};  // at w + e, where the gradient rule looks there
  double gradient_norm = 0;                // |g| at w
  std::optional<double> perturbed_norm{};  // |g_s| at w + e
  double cosine = 1;                       // between g and the direction; NaN if one of them is zero
  std::optional<double> rho{};             // the rule's radius
  std::optional<double> clipped{};         // factor that clipping put on the direction, if it did
  std::int64_t passes = 1;                 // forward-backward passes over the batch
  bool skipped = false;                    // not finite: nothing was applied
  double lr = 0;
  double seconds = 0;       // of this step, data_seconds included
  double data_seconds = 0;  // of them waiting for the batch
};

/// Of the Hessian of the training loss.
struct EpochCurvature {
  double largest = 0;  // eigenvalue
  double trace = 0;
  double trace_error = 0;  // its standard error
};

/// One epoch, evaluated at its end where --eval-every says so. Accuracies are fractions. A mean over no steps
/// is NaN.
struct EpochRecord {
  std::int64_t epoch = 0;
  std::int64_t step = 0;  // the epoch's last
  double train_loss = 0;  // means over the epoch's steps, weighted by images
  std::optional<double> train_loss_perturbed{};
  double train_accuracy = 0;
  std::optional<double> test_loss{}, test_accuracy{};  // empty where --eval-every left the evaluation out
  std::optional<double> validation_loss{};             // of a run with --validation
  std::optional<double> validation_accuracy{};
  std::int64_t skipped = 0;                 // steps that were not finite; the means are over the others
  double gradient_norm = 0;                 // mean over steps
  double lr = 0;                            // of the last step
  std::optional<EpochCurvature> hessian{};  // where --hessian-every has it measured
  double seconds = 0;                       // training and evaluation
  double images_per_second = 0;             // training alone, skipped steps included
  double data_wait = 0;                     // fraction of the training time
};

/// Sums over the steps of an epoch so far. A checkpoint in mid-epoch holds them.
struct EpochSums {
  std::int64_t steps = 0, images = 0, correct = 0;
  double loss = 0, loss_perturbed = 0;  // times images
  bool perturbed = false;
  std::int64_t skipped = 0, skipped_images = 0;
  double gradient_norm = 0;
  double lr = 0;
  double seconds = 0, data_seconds = 0;

  void add(const StepRecord& step);
  /// The means, NaN where every step was skipped; test values and the time of evaluation are the caller's.
  EpochRecord record(std::int64_t epoch, std::int64_t step) const;
};

Json to_json(const EpochSums& sums);
/// The inverse, bit for bit. Errors: JsonError.
EpochSums epoch_sums(const Json& json);

Json to_json(const StepRecord& record);
Json to_json(const EpochRecord& record);
/// The inverse, bit for bit. Errors: JsonError.
EpochRecord epoch_record(const Json& json);

/// Columns of metrics.csv, in order; those from "seconds" on are times and differ from run to run. Those of
/// `hessian` are there in a run with --hessian-every alone, empty after epochs in which it was not measured.
const std::vector<std::string>& metrics_columns(bool hessian = false);

/// metrics.csv as records. Errors: DataError naming the file: unreadable, other columns, a cell that is no
/// number.
std::vector<EpochRecord> read_metrics(const std::string& path);

/// What is left in metrics.csv of the first `epochs` epochs: its readable rows, rising; for checkpoints that
/// do not hold them. Errors: none, an unreadable file has no rows.
std::vector<EpochRecord> readable_metrics(const std::string& path, std::int64_t epochs);

/// Both files of a run directory, open for appending. They are records, not state: whatever they hold, a run
/// goes on.
class Records {
 public:
  /// Makes metrics.csv hold the rows of `epochs`, those that are finished, and steps.jsonl what it has of the
  /// first `step` steps; what else is in them goes, lines that no run wrote included. None for a new run.
  Records(const std::string& directory, std::int64_t step, const std::vector<EpochRecord>& epochs,
          bool hessian = false);

  void write(const StepRecord& record);
  void write(const EpochRecord& record);
  /// Brings everything to the disk; call it before saving a checkpoint.
  void sync();

  /// What the constructor found missing or foreign, in words, a line a file; empty if nothing.
  const std::vector<std::string>& findings() const { return findings_; }
  /// Why records are missing from the files; empty if none are.
  std::string error() const { return metrics_.error().empty() ? steps_.error() : metrics_.error(); }

 private:
  bool hessian_;  // has columns
  RecordFile metrics_;
  RecordFile steps_;
  std::vector<std::string> findings_;
};

}  // namespace basin::apps
