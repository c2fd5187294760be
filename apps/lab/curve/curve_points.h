// Loss and accuracy at places along a curve through weight space.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/lab/curve/mode_curve.h"
#include "apps/lab/landscape/landscape.h"
#include "apps/lab/landscape/solution.h"

namespace basin::apps {

/// A curve as it is measured.
struct CurvePath {
  std::string name{};   // "line"
  std::string label{};  // for pictures: "line, B aligned to A"
  ModeCurve curve;
  std::vector<Tensors> statistics{};  // of each of its points
};

/// Height at places along curves.
class CurveMeasure {
 public:
  /// `height` measures what is in the subject's model, and recomputes the statistics itself where they are to
  /// be (StatisticsAt::recomputed). Both must outlive this.
  CurveMeasure(Subject& subject, HeightsOf& height, StatisticsAt statistics)
      : subject_(subject), height_(height), statistics_(statistics) {}

  /// {"loss", "accuracy"} and, where they were measured, "test_loss" and "test_accuracy". A loss that is not
  /// finite is what was found, not an error, and so are statistics that are not (all is NaN then). The point
  /// stays in the model. Errors: what the watch of `height` throws.
  Json at(const CurvePath& path, double t) const;

 private:
  Subject& subject_;
  HeightsOf& height_;
  StatisticsAt statistics_;
};

/// The result of a path from its points' measurements at `t`: name, label, length, the points with their
/// lengths so far, and a barrier of each quantity that was measured, errors being 1 - accuracy.
Json path_result(const CurvePath& path, const std::vector<double>& t, const std::vector<Json>& measured);

}  // namespace basin::apps
