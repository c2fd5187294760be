#include "apps/lab/curve/curve_fit.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/ops.h"
#include "core/random.h"

namespace basin::apps {

namespace {

/// Where the draws of t are among those of a seed.
constexpr std::uint64_t kPlaces = 3;

}  // namespace

CurveFit::CurveFit(CurveKind kind, Tensor a, Tensor b, std::size_t bends, double momentum) {
  if (kind == CurveKind::line || bends < 1)
    throw ArgumentError("[curve] only a curve with inner points can be trained");
  const ModeCurve line(CurveKind::line, {a, b});
  variables_.resize(bends);
  std::vector<NamedParameter> parameters;
  for (std::size_t j = 0; j < bends; ++j) {
    const double t = static_cast<double>(j + 1) / static_cast<double>(bends + 1);
    variables_[j] = Variable::parameter(line.at(t));
    parameters.push_back(
        {text("bend-", j + 1), &variables_[j], ParameterRole::weight, ParameterLayout::plain});
  }
  vector_ = std::make_unique<optim::ParameterVector>(parameters);
  sgd_ = std::make_unique<optim::Sgd>(*vector_, optim::SgdOptions{.momentum = momentum});
  Tensors points = {std::move(a)};
  for (const Tensor& bend : vector_->split(vector_->values())) points.push_back(bend);
  points.push_back(std::move(b));
  curve_ = std::make_unique<ModeCurve>(kind, std::move(points));
}

double CurveFit::place(std::uint64_t seed, std::int64_t step) {
  return Random(seed, Stream::probe, kPlaces, static_cast<std::uint64_t>(step)).uniform();
}

void CurveFit::descend(double t, const Tensor& gradient, double lr) {
  const std::vector<double> c = coefficients(curve_->kind(), curve_->points().size(), t);
  Tensors parts;
  for (std::size_t j = 0; j < bends(); ++j) parts.push_back(gradient * c[j + 1]);
  sgd_->apply(*vector_, vector_->flatten(parts), lr);
}

void CurveFit::describe(Inventory& it) {
  it.buffer("bends", vector_->values());
  it.child("sgd", *sgd_);
}

double curve_rate(double lr, double p) { return lr * (1 - 0.99 * std::clamp((p - 0.5) / 0.4, 0.0, 1.0)); }

}  // namespace basin::apps
