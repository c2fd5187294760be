// Batch-norm recalibration: the running statistics that belong to weights no training step has run with
// (averages), estimated by forward passes over training images.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/module.h"

namespace basin::nn {

/// How the statistics of the batches become those of the set. Batches {1,2,3,4} and {5,6} give
///                    mean                              variance
///   pooled           3.5  of all values                2.916667  population variance of all values
///   sample_weighted  3.5  batch means by images        1.277778  unbiased batch variances by images
///   equal_batches    4.0  plain mean of batch means    1.083333  plain mean of unbiased batch variances
/// sample_weighted is bn_update of the SWA authors' code (Izmailov et al. 2018), equal_batches is
/// torch.optim.swa_utils.update_bn; both lose the variance between the batches' means. Only pooled gives the
/// first normalisation layer the same numbers however the images are cut into batches. Deeper layers depend
/// on the batches in every mode, because the ones before them normalise by batch.
enum class RecalibrationMode { pooled, sample_weighted, equal_batches };

struct RecalibrationOptions {
  RecalibrationMode mode = RecalibrationMode::pooled;
  /// Leaves dropout and shaken branches on, as the authors' and torch's codes do. Batch number i then draws
  /// at (seed, step + i).
  bool dropout = false;
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
};

/// True if the model has running statistics at all.
bool needs_recalibration(Module& model);

/// Estimates a model's running statistics from batches of images:
///
///     Recalibration recalibration(model);
///     for (data::Batch batch; loader.next(batch);) recalibration.add(batch.images);
///     recalibration.finish();
///
/// Weights, counters and the model's mode of use stay as they are, and nothing is recorded. The batches merge
/// in f64 in the order of the calls: mean and variance move by t (batch - mean) and t (batch variance -
/// variance), with t the batch's share of the weight so far, and the pooled variance also by t (1 - t)
/// (batch - mean)^2 (Chan, Golub, LeVeque 1979).
class Recalibration : private StatisticsCollector {
 public:
  /// The model must stay where it is until finish().
  explicit Recalibration(Module& model, const RecalibrationOptions& options = {});

  /// One forward pass of images {N,...}, on the model's device, in train mode; none if the model has no
  /// running statistics.
  /// Errors: ArgumentError for a batch without images, or with one value for a channel where the mode asks
  /// for an unbiased variance; NumericalError for statistics that are not finite; whatever the model throws.
  /// A batch that failed counts for nothing.
  void add(const Tensor& images);

  /// Gives the model new running statistics (new tensors: other handles on the former ones keep their
  /// numbers) and returns the number of images they come from, 0 for a model without any. A layer that no
  /// batch reached keeps what it has. More batches may follow, and another finish(). Errors: ArgumentError
  /// if there was no batch.
  std::int64_t finish();

 private:
  struct Layer {
    Tensor* running_mean;
    Tensor* running_var;
    Dtype dtype;
    Device device;
    double weight = 0;
    std::vector<double> mean, var;
  };

  void collect(const BatchStatistics& batch) override { pending_.push_back(batch); }
  void expect_usable(const BatchStatistics& batch) const;
  void merge(const BatchStatistics& batch, std::int64_t images);
  std::string name_of(const BatchStatistics& batch) const;

  Module& model_;
  RecalibrationOptions options_;
  bool has_statistics_;
  std::vector<BatchStatistics> pending_;  // of the pass that is running
  std::vector<Layer> layers_;             // in order of first use
  std::int64_t images_ = 0;
  std::uint64_t batches_ = 0;
};

}  // namespace basin::nn
