// Loss and accuracy at places along a curve through weight space.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/lab/mode_curve.h"
#include "apps/lab/solution.h"

namespace basin::apps {

/// What batch normalisation divides by at a point that no training step has run with.
enum class PointStatistics {
  recomputed,    // the statistics of the training images at that point (nn::Recalibration, pooled)
  interpolated,  // sum_j c_j(t) of those of the curve's points
  frozen         // those of the first end, everywhere
};

/// A curve as it is measured.
struct CurvePath {
  std::string name{};   // "line"
  std::string label{};  // for pictures: "line, B aligned to A"
  ModeCurve curve;
  std::vector<Tensors> buffers{};  // of each of its points, for PointStatistics::interpolated
};

/// Estimates the running statistics of the weights that are in the model, from the training images among the
/// subject's examples, or all of the run's where these are of another split; batches in the order that
/// (seed, epoch 0) shuffles them to. Returns how many images passed; none without batch normalisation.
std::int64_t recompute_statistics(Subject& subject, std::uint64_t seed, const data::Watch& watch = {});

/// Loss and accuracy on the subject's examples and, if these are others, on the test images.
class CurveMeasure {
 public:
  /// The subject must outlive this. `frozen` are the buffers of the first end.
  CurveMeasure(Subject& subject, PointStatistics statistics, Tensors frozen, std::uint64_t seed)
      : subject_(subject), statistics_(statistics), frozen_(std::move(frozen)), seed_(seed) {}

  /// {"loss", "accuracy", "images"} and "test_loss", "test_accuracy"; images: forward passes. The loss is the
  /// subject's with its decay of w; a loss that is not finite is what was found, not an error, and so are
  /// statistics that are not ("loss" is then NaN). The weights stay in the model. Errors: what the watch
  /// throws.
  Json at(const CurvePath& path, double t, const data::Watch& watch = {}) const;

  /// Whether the examples are not the test images, so that both are measured.
  bool has_test() const;

 private:
  double decay() const;

  Subject& subject_;
  PointStatistics statistics_;
  Tensors frozen_;
  std::uint64_t seed_;
};

/// The result of a path from its points' measurements at `t`: name, label, length, the points with their
/// lengths so far, and a barrier of each quantity that was measured, errors being 1 - accuracy.
Json path_result(const CurvePath& path, const std::vector<double>& t, const std::vector<Json>& measured);

}  // namespace basin::apps
