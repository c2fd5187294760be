// The matrices of second order that the laboratory asks about, as operators on the weights of a Subject.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/cli/long_work.h"
#include "apps/lab/subject.h"
#include "autograd/curvature/linear_operator.h"

namespace basin::apps {

/// hessian: exact, by differentiating twice. gauss_newton: J^T H_out J. fisher: the empirical one, of the
/// labels as given. differences: central differences of gradients.
enum class CurvatureKind { hessian, gauss_newton, fisher, differences };

/// (g(w + e v/|v|) - g(w - e v/|v|)) |v| / 2e, e = 1e-5 in f64 and 5e-3 in f32, where rounding and the third
/// derivative are both small: two gradients, no second differentiation. Kinks of ReLU within e of w count
/// here and not in the exact product. The weights have their bits back afterwards.
Tensor difference_product(Subject& subject, const Tensor& v, const data::Watch& watch = {});

/// The operator over the subject's loss; `watch` is told of the images of each product. The subject must
/// outlive it.
LinearOperator curvature_of(Subject& subject, CurvatureKind kind, const data::Watch& watch = {});

/// The same, `what` of it shown by `work`: how many of `most` products were asked for, 0 where nobody knows,
/// and the images of the one at work.
LinearOperator watched_curvature(Subject& subject, CurvatureKind kind, const LongWork& work,
                                 const std::string& what, std::int64_t most = 0);

/// How parameters are put together: by module ("layer1.0.conv1"), by the first part of their names
/// ("layer1"), by what they are (weight, bias, norm: scales and shifts of normalisation).
enum class Grouping { none, layer, stage, kind };

/// Coordinates of w that belong together.
struct ParameterGroup {
  std::string name{};
  std::vector<std::pair<Index, Index>> parts{};  // [begin, end)
  Index size() const;
};
/// In the order in which w has the first of each; none for Grouping::none.
std::vector<ParameterGroup> groups_of(const optim::ParameterVector& w, Grouping grouping);

}  // namespace basin::apps
