// A loss landscape: heights over a grid of a slice, point by point, and the numbers that describe it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/lab/landscape/slice.h"
#include "apps/lab/subject.h"
#include "apps/runs/unit_results.h"
#include "data/loading/kept_batches.h"

namespace basin::apps {

/// The points of a grid: every x with every y.
struct Grid {
  std::vector<double> x{}, y{};  // rising; y is {0} on a line
  std::size_t points() const { return x.size() * y.size(); }
};

/// How finely and how far one axis is looked at: `points` places, equally far apart from t = low to t = high
/// (SliceAxis). Places within rounding of a whole t are at it.
struct GridSpan {
  std::int64_t points = 25;
  double low = -1, high = 1;
};
/// Of a slice's axes; of the spans the first is for x.
Grid grid_of(const std::vector<SliceAxis>& axes, const std::vector<GridSpan>& spans);

/// What was measured at one place. NaN where it was not.
struct Height {
  double loss = 0, accuracy = 0, test_loss = 0, test_accuracy = 0;
};

/// Estimates the running statistics of the weights that are in the subject's model from `images`, in order
/// (nn/recalibration.h, pooled). Nothing for a model without any.
void recompute_statistics(const Subject& subject, const std::shared_ptr<const data::ExampleSource>& images,
                          const data::Watch& watch = {});

/// The measurements of a landscape, each at the weights as they are.
class HeightsOf {
 public:
  /// `test`: also over these images; null for none. `recomputed`: the images that running statistics come
  /// from at each place; null for statistics that stay. `watch`: of each of these passes. The subject must
  /// outlive this.
  HeightsOf(const Subject& subject, std::shared_ptr<const data::ExampleSource> test,
            std::shared_ptr<const data::ExampleSource> recomputed, const data::Watch& watch = {});
  Height operator()();
  /// Whether test images are measured too.
  bool tests() const { return test_.has_value(); }
  /// Passes forward over examples that one place takes.
  int passes() const { return 1 + test_.has_value() + recomputed_.has_value(); }

 private:
  const Subject& subject_;
  DatasetObjective measured_;
  std::optional<DatasetObjective> test_;
  std::optional<data::KeptBatches> recomputed_;
  data::Watch watch_;
};

/// What a landscape is made of: height(x, y) = z[j * grid.x.size() + i] at (x[i], y[j]).
struct Landscape {
  Grid grid{};
  std::vector<Height> heights{};
  std::vector<Height> marks{};  // at slice.marks
  Height centre{};              // of a slice that has one
};

/// Stands at every point of the grid, at the centre and at every marked solution, and takes the height there.
/// Each is a unit of `results` under names that begin with `name`: what is there is not measured again. The
/// watch is told how many are done. Errors: those of `height` and of the watch; the weights are then what
/// they were.
Landscape survey(const Slice& slice, const Grid& grid, optim::ParameterVector& w,
                 const std::vector<NamedBuffer>& buffers, const std::function<Height()>& height,
                 UnitResults& results, const std::string& name, const data::Watch& watch = {});

/// How steep a profile through the centre is; NaN for what the grid is too small or too coarse for.
struct Profile {
  double doubles_left = 0, doubles_right = 0;  // how far from 0 the loss is first twice that at 0
  double rises_left = 0, rises_right = 0;      // how far it is first 0.1 higher
  double curvature = 0;  // (L(h) - 2 L(0) + L(-h)) / h^2, h the grid's step: d^T H d for small h
};
/// Of heights over places that rise, 0 among them; between places the loss is a straight line.
Profile profile(const std::vector<double>& places, const std::vector<double>& losses);

}  // namespace basin::apps
