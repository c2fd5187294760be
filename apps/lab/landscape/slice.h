// Slice: a line or a plane through the space of weights, and standing at a point of it.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "apps/lab/landscape/directions.h"
#include "apps/lab/landscape/solution.h"
#include "core/io/json.h"
#include "optim/buffer_guard.h"
#include "optim/perturbation.h"

namespace basin::apps {

/// What batch normalisation divides by at a point that no training has run with. frozen: the statistics of
/// the centre (of the first solution) everywhere. interpolated: those of the solutions, combined as the
/// weights are; a variance that comes out negative is no number, and neither is the loss there. recomputed:
/// estimated at each point from images (nn/recalibration.h).
enum class StatisticsAt { frozen, interpolated, recomputed };

/// One coordinate. Where a grid says t, t = 0 is `from` and t = 1 is `to`.
struct SliceAxis {
  std::string label{};
  double from = 0, to = 1;
  Json facts = Json::Object{};  // {"explained_variance": ...}, {"eigenvalue": ..., "residual": ...}
};

/// A solution on the slice, or at some distance from it.
struct SliceMark {
  Solution solution{};
  double x = 0, y = 0, distance = 0;
};

/// The weights at (x, y) are sum_k c_k(x, y) bases[k].
struct Slice {
  Tensors bases{};
  std::function<std::vector<double>(double x, double y)> coefficients{};
  /// Of the first base; or of each where they are interpolated.
  std::vector<Tensors> statistics{};
  std::vector<SliceAxis> axes{};  // one or two
  bool centred = false;           // (0, 0) is a solution that the slice is about
  std::vector<SliceMark> marks{};
  std::int64_t products = 0;                      // with the Hessian, that its axes took
  std::vector<std::pair<double, double>> path{};  // of a training, its coordinates in order

  int dims() const { return static_cast<int>(axes.size()); }
};

/// `centre` + x d_1 (+ y d_2).
Slice slice_around(const Solution& centre, const Tensors& directions, const std::vector<std::string>& labels);

/// The line through two solutions, x = 0 at the first and 1 at the second; or the plane through three, with
/// the first at (0, 0), the second at (x, 0), and distances those of the weights (plane_through()). All are
/// marked; more than span it are projected. At the solutions that span it the weights are theirs, bit for
/// bit. Errors: UsageError for fewer than dims + 1, equal ones, or three on one line.
Slice slice_through(const std::vector<Solution>& solutions, int dims, StatisticsAt statistics);

/// Where weights stand at points of a slice, until the end of its life: then weights and buffers have the
/// bits that they had before, also when an exception passes through.
class SliceVisit {
 public:
  /// All must outlive it; `buffers` are the model's. Errors: ArgumentError for bases that are not like w.
  SliceVisit(const Slice& slice, optim::ParameterVector& w, const std::vector<NamedBuffer>& buffers);

  /// Weights and statistics of the point. Where these are to be recomputed, the caller does.
  void stand_at(double x, double y);
  /// Those of a solution itself.
  void stand_at(const Solution& solution);

 private:
  void set_statistics(const std::vector<Tensors>& of, const std::vector<double>& shares);

  const Slice& slice_;
  optim::ParameterVector& w_;
  std::vector<NamedBuffer> statistics_;
  optim::Perturbation weights_;
  optim::BufferGuard buffers_;
};

}  // namespace basin::apps
