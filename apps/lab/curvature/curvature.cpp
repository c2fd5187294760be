#include "apps/lab/curvature/curvature.h"

#include <algorithm>

#include "core/ops.h"
#include "optim/perturbation.h"

namespace basin::apps {
namespace {

std::string group_name(const optim::Segment& segment, Grouping grouping) {
  const std::string& name = segment.name;
  switch (grouping) {
    case Grouping::layer: {
      const std::size_t dot = name.rfind('.');
      return dot == std::string::npos ? name : name.substr(0, dot);
    }
    case Grouping::stage:
      return name.substr(0, name.find('.'));
    case Grouping::kind:
      return segment.role == ParameterRole::weight ? "weight"
             : segment.role == ParameterRole::bias ? "bias"
                                                   : "norm";
    case Grouping::none:
      break;
  }
  return "";
}

}  // namespace

Tensor difference_product(Subject& subject, const Tensor& v, const data::Watch& watch) {
  const double length = norm(v), e = v.dtype() == Dtype::f64 ? 1e-5 : 5e-3;
  if (length == 0) return Tensor::zeros(v.shape(), v.dtype(), v.device());
  const DatasetObjective objective = subject.objective(watch);
  const auto gradient_at = [&](double step) {
    const optim::Perturbation moved(*subject.w, v, step / length);
    return objective({}).gradient;
  };
  const Tensor up = gradient_at(e), down = gradient_at(-e);
  return combination(length / (2 * e), up, -length / (2 * e), down);
}

LinearOperator curvature_of(Subject& subject, CurvatureKind kind, const data::Watch& watch) {
  LinearOperator a{
      .dim = subject.w->size(), .dtype = subject.w->dtype(), .device = subject.w->values().device()};
  a.apply = [&subject, kind, watch](const Tensor& v) {
    if (kind == CurvatureKind::differences) return difference_product(subject, v, watch);
    const DatasetObjective objective = subject.objective(watch);
    if (kind == CurvatureKind::gauss_newton) return objective.gauss_newton_vector(v);
    if (kind == CurvatureKind::fisher) return objective.fisher_vector(v);
    return objective.hessian_vector(v);
  };
  return a;
}

LinearOperator watched_curvature(Subject& subject, CurvatureKind kind, const LongWork& work,
                                 const std::string& what, std::int64_t most) {
  const LongWork::Nested line = work.nested(what, "products", "images");
  LinearOperator a = curvature_of(subject, kind, line.within);
  a.apply = [apply = a.apply, pieces = line.pieces, most, asked = std::int64_t{0}](const Tensor& v) mutable {
    pieces(asked++, most);
    return apply(v);
  };
  return a;
}

Index ParameterGroup::size() const {
  Index all = 0;
  for (const auto& [begin, end] : parts) all += end - begin;
  return all;
}

std::vector<ParameterGroup> groups_of(const optim::ParameterVector& w, Grouping grouping) {
  std::vector<ParameterGroup> groups;
  if (grouping == Grouping::none) return groups;
  for (const optim::Segment& segment : w.segments()) {
    const std::string name = group_name(segment, grouping);
    auto at = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.name == name; });
    if (at == groups.end()) at = groups.insert(groups.end(), ParameterGroup{.name = name});
    at->parts.emplace_back(segment.offset, segment.offset + segment.shape.elements());
  }
  return groups;
}

}  // namespace basin::apps
