#include "apps/lab/landscape/slice.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/ops.h"

namespace basin::apps {
namespace {

/// to <- sum_k shares[k] parts[k]; a share of 1 among zeros gives that part's numbers.
void combine(const Tensors& parts, const std::vector<double>& shares, Tensor& to) {
  to.copy_from(parts.front());
  if (parts.size() > 1) axpby(shares[1], parts[1], shares[0], to);
  for (std::size_t k = 2; k < parts.size(); ++k) axpby(shares[k], parts[k], 1, to);
}

SliceAxis covering(std::string label, const std::vector<SliceMark>& marks, double SliceMark::*coordinate) {
  SliceAxis axis{std::move(label), std::numeric_limits<double>::infinity(),
                 -std::numeric_limits<double>::infinity()};
  for (const SliceMark& mark : marks) {
    axis.from = std::min(axis.from, mark.*coordinate);
    axis.to = std::max(axis.to, mark.*coordinate);
  }
  return axis;
}

void mark(Slice& slice, const Solution& solution, const Projection& at) {
  slice.marks.push_back({solution, at.x, at.y, at.distance});
}

Slice line_through(const std::vector<Solution>& solutions) {
  const Solution &a = solutions[0], &b = solutions[1];
  const Tensor way = combination(1, b.w.to(Dtype::f64), -1, a.w.to(Dtype::f64));
  const double length = norm(way);
  if (!(length > 0)) throw UsageError(a.label, " and ", b.label, " are the same weights: no line is theirs");
  Slice slice;
  slice.bases = {a.w, b.w};
  slice.coefficients = [](double x, double) { return std::vector<double>{1 - x, x}; };
  slice.axes = {{text("from ", a.label, " (0) to ", b.label, " (1)"), 0, 1}};
  mark(slice, a, {});
  mark(slice, b, {.x = 1});
  for (std::size_t k = 2; k < solutions.size(); ++k) {
    Projection at = project(solutions[k].w, a.w, way * (1 / length), {});
    at.x /= length;
    mark(slice, solutions[k], at);
  }
  return slice;
}

Slice plane_of(const std::vector<Solution>& solutions) {
  const Solution &a = solutions[0], &b = solutions[1], &c = solutions[2];
  const PlaneAxes axes = plane_through(a.w, b.w, c.w);
  Slice slice;
  slice.bases = {a.w, b.w, c.w};
  slice.coefficients = [bx = axes.b_x, cy = axes.c_y, part = axes.c_x / axes.b_x](double x, double y) {
    const double third = y / cy, second = x / bx - third * part;
    return std::vector<double>{1 - second - third, second, third};
  };
  mark(slice, a, {});
  mark(slice, b, {.x = axes.b_x});
  mark(slice, c, {.x = axes.c_x, .y = axes.c_y});
  for (std::size_t k = 3; k < solutions.size(); ++k)
    mark(slice, solutions[k], project(solutions[k].w, a.w, axes.u, axes.v));
  slice.axes = {covering(text("distance from ", a.label, " towards ", b.label), slice.marks, &SliceMark::x),
                covering(text("towards ", c.label), slice.marks, &SliceMark::y)};
  return slice;
}

}  // namespace

Slice slice_around(const Solution& centre, const Tensors& directions,
                   const std::vector<std::string>& labels) {
  Slice slice;
  slice.bases = {centre.w};
  slice.bases.insert(slice.bases.end(), directions.begin(), directions.end());
  slice.coefficients = [dims = directions.size()](double x, double y) {
    return dims == 1 ? std::vector<double>{1, x} : std::vector<double>{1, x, y};
  };
  slice.statistics = {centre.statistics};
  for (const std::string& label : labels) slice.axes.push_back({label, 0, 1});
  slice.centred = true;
  return slice;
}

Slice slice_through(const std::vector<Solution>& solutions, int dims, StatisticsAt statistics) {
  if (std::ssize(solutions) < dims + 1)
    throw UsageError(dims == 1 ? "a line needs two solutions" : "a plane needs three solutions", ", here ",
                     solutions.size() == 1 ? "is" : "are", " ", solutions.size(),
                     ": name more runs, or of one run --solutions last,swa,member:1");
  Slice slice = dims == 1 ? line_through(solutions) : plane_of(solutions);
  for (std::size_t k = 0; k < slice.bases.size(); ++k)
    if (k == 0 || statistics == StatisticsAt::interpolated)
      slice.statistics.push_back(solutions[k].statistics);
  return slice;
}

SliceVisit::SliceVisit(const Slice& slice, optim::ParameterVector& w, const std::vector<NamedBuffer>& buffers)
    : slice_(slice),
      w_(w),
      statistics_(running_statistics(buffers)),
      weights_(w, slice.bases.back(), 0),
      buffers_(buffers) {
  for (const Tensor& base : slice.bases) {
    if (base.shape() != w.values().shape() || base.dtype() != w.dtype())
      throw ArgumentError("[slice] a base is ", base.dtype(), " ", base.shape(), ", the weights are ",
                          w.dtype(), " ", w.values().shape());
  }
}

void SliceVisit::stand_at(double x, double y) {
  const std::vector<double> shares = slice_.coefficients(x, y);
  combine(slice_.bases, shares, w_.values());
  set_statistics(slice_.statistics, shares);
}

void SliceVisit::stand_at(const Solution& solution) {
  w_.values().copy_from(solution.w);
  set_statistics({solution.statistics}, {1});
}

void SliceVisit::set_statistics(const std::vector<Tensors>& of, const std::vector<double>& shares) {
  for (std::size_t i = 0; i < statistics_.size(); ++i) {
    Tensors parts;
    for (const Tensors& base : of) parts.push_back(base.at(i));
    combine(parts, shares, *statistics_[i].buffer);
  }
}

}  // namespace basin::apps
