#include "optim/gradient/ascent.h"

#include <algorithm>
#include <cmath>

#include "core/io/glob.h"
#include "core/ops.h"
#include "optim/geometry.h"

namespace basin::optim {
namespace {

bool is_shift(ParameterRole role) { return role == ParameterRole::bias || role == ParameterRole::norm_bias; }
bool is_norm(ParameterRole role) {
  return role == ParameterRole::norm_weight || role == ParameterRole::norm_bias;
}

}  // namespace

Ascent::Ascent(const char* rule, const AscentOptions& options) : rule_(rule), options_(options) {
  const AscentOptions& o = options;
  if (!(o.p > 1)) throw ArgumentError("[", rule, "] p must be above 1 (2, infinity, or between), got ", o.p);
  if (!(o.eta >= 0) || !std::isfinite(o.eta))
    throw ArgumentError("[", rule, "] eta must be finite and at least 0, got ", o.eta);
  if (!o.normalise && o.p != 2)
    throw ArgumentError("[", rule, "] un-normalised, e = rho T^2 g, is of p = 2; p is ", o.p);
  if (o.scaling == Scaling::outer && (o.p != 2 || !o.normalise))
    throw ArgumentError("[", rule, "] outer scaling, e = rho |w| g/|g|, is normalised and of p = 2");
  if ((o.perturbed == Perturbed::named) == o.names.empty())
    throw ArgumentError("[", rule, "] names of parameters go with Perturbed::named, and it needs some");
  for (const RadiusFactor& f : o.factors)
    if (!(f.factor >= 0) || !std::isfinite(f.factor))
      throw ArgumentError("[", rule, "] the radius' factor of '", f.name,
                          "' must be finite and at least 0, got ", f.factor);
}

bool Ascent::moves(const Segment& segment) const {
  switch (options_.perturbed) {
    case Perturbed::all:
      return true;
    case Perturbed::norms:
      return is_norm(segment.role);
    case Perturbed::no_biases:
      return !is_shift(segment.role);
    case Perturbed::named:
      return std::any_of(options_.names.begin(), options_.names.end(),
                         [&](const std::string& pattern) { return glob_matches(pattern, segment.name); });
  }
  return true;
}

void Ascent::check(const ParameterVector& w) const {
  const std::vector<Segment>& all = w.segments();
  const auto expect = [&](const std::string& pattern) {
    if (std::none_of(all.begin(), all.end(), [&](const Segment& s) { return glob_matches(pattern, s.name); }))
      throw ArgumentError("[", rule_, "] no parameter that trains has the name '", pattern,
                          "'; the first is '", all.front().name, "'");
  };
  for (const std::string& pattern : options_.names) expect(pattern);
  for (const RadiusFactor& f : options_.factors) expect(f.name);
  if (std::any_of(all.begin(), all.end(), [&](const Segment& s) { return moves(s); })) return;
  throw ArgumentError("[", rule_, "] no parameter that trains is one to perturb: ",
                      options_.perturbed == Perturbed::norms ? "none is of a normalisation layer"
                                                             : "all are biases or shifts");
}

Tensor Ascent::scales(const ParameterVector& w) const {
  if (options_.scaling == Scaling::none) return {};
  const double eta = options_.scaling == Scaling::outer ? 0 : options_.eta;
  Tensor t = unary(UnaryOp::abs, w.values());
  if (eta > 0) t = unary(UnaryOp::add_scalar, t, eta);
  for (const Segment& s : w.segments()) {
    Tensor part = t.view(s.offset, s.shape);
    const bool plain =
        is_shift(s.role) && (options_.scaling == Scaling::weights || options_.scaling == Scaling::segments);
    if (plain)
      part.fill(1);
    else if (options_.scaling == Scaling::segments)
      fill(part, norm(w.values().view(s.offset, s.shape)) + eta);
  }
  return t;
}

double Ascent::factor_of(const Segment& segment) const {
  for (const RadiusFactor& f : options_.factors)
    if (glob_matches(f.name, segment.name)) return f.factor;
  return 1;
}

Climb Ascent::operator()(const ParameterVector& w, const Tensor& gradient, const Scalar& rho,
                         const std::optional<Scalar>& g_norm) const {
  if (!possibly(rho >= 0) || !possibly(is_finite(rho)))
    throw ArgumentError("[", rule_, "] rho is a radius, finite and at least 0, got ", rho);
  if (options_.perturbed != Perturbed::all || !options_.factors.empty()) check(w);
  Climb e = climb(w, gradient, rho, g_norm);
  if (!e || options_.factors.empty()) return e;
  e.vector = e.vector.clone();  // it may be the gradient itself
  for (const Segment& s : w.segments())
    if (const double factor = factor_of(s); factor != 1) {
      Tensor part = e.vector.view(s.offset, s.shape);
      part.copy_from(part * factor);
    }
  return e;
}

Climb Ascent::climb(const ParameterVector& w, const Tensor& gradient, const Scalar& rho,
                    std::optional<Scalar> g_norm) const {
  if (certainly(rho == 0) || (g_norm && certainly(*g_norm == 0))) return {};
  Tensor g = gradient;
  if (options_.perturbed != Perturbed::all) {
    g = gradient.clone();
    for (const Segment& s : w.segments())
      if (!moves(s)) g.view(s.offset, s.shape).fill(0);
    g_norm.reset();
  }

  const Tensor t = scales(w);
  const bool inner = t.defined() && options_.scaling != Scaling::outer;
  const Tensor x = inner ? t * g : g;
  const auto scaled = [&](const Tensor& v) { return t.defined() ? t * v : v; };
  if (!options_.normalise) return Climb{scaled(x), rho}.where(norm(x) != 0);
  if (options_.p == 2) {
    const Scalar size = inner || !g_norm ? norm(x) : *g_norm;
    const Scalar scale = rho / size;
    return Climb{scaled(x), scale}.where(scale <= largest_number(x.dtype()));
  }

  const Tensor size = unary(UnaryOp::abs, x);
  const Tensor largest = reduce(ReduceOp::max, size);
  const Scalar somewhere = Scalar(largest) != 0;
  if (std::isinf(options_.p)) return Climb{scaled(unary(UnaryOp::sign, x)), rho}.where(somewhere);
  // e is the same for x and for x / max|x|, whose powers neither overflow nor vanish all together.
  const Tensor relative = size / largest;
  const Tensor power = unary(UnaryOp::pow_scalar, relative, 1 / (options_.p - 1));  // |.|^(q-1)
  const Scalar length = pow(dot(power, relative), 1 / options_.p);
  return Climb{scaled(unary(UnaryOp::sign, x) * power), rho / length}.where(somewhere);
}

}  // namespace basin::optim
