#include "autograd/curvature/lanczos.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/ops.h"

namespace basin {
namespace {

/// Lets what follows a breakdown come up before pairs count as found.
constexpr Index kStepsAfterBreakdown = 10;

/// |x|, checked. Errors: NumericalError.
double length_of(const Tensor& x, const char* what) {
  const double length = norm(x);
  if (!std::isfinite(length)) throw NumericalError("[curvature] ", what, " is not finite");
  return length;
}

Tensor scaled(const Tensor& x, double by) { return unary(UnaryOp::mul_scalar, x, by); }

/// theta = v . A v and |A v - theta v|; `product` is A v.
EigenPair checked(const Tensor& v, const Tensor& product) {
  const double theta = dot(v, product);
  return {theta, norm(combination(1, product, -theta, v)), v};
}

double largest_of(const std::vector<double>& values) {
  double largest = 0;
  for (const double v : values) largest = std::max(largest, std::abs(v));
  return largest;
}

/// The wanted places among n rising values.
std::vector<std::size_t> ends(std::size_t n, std::size_t count, Which which) {
  std::vector<std::size_t> all(n), wanted;
  std::iota(all.begin(), all.end(), std::size_t{0});
  for (const std::size_t i : all) {
    const bool low = which != Which::largest && i < count, high = which != Which::smallest && i + count >= n;
    if (low || high) wanted.push_back(i);
  }
  return wanted;
}

}  // namespace

Lanczos::Lanczos(LinearOperator a, const Tensor& start, const Probes& fresh)
    : a_(std::move(a)), fresh_(fresh) {
  if (start.shape() != Shape{a_.dim} || start.dtype() != a_.dtype)
    throw ArgumentError("[Lanczos] the start is ", start.dtype(), " ", start.shape(), ", the operator ",
                        a_.dtype, " of ", a_.dim);
  const double length = norm(start);
  if (!(length > 0) || !std::isfinite(length))
    throw ArgumentError("[Lanczos] the start has norm ", length, ", and no direction");
  next_ = scaled(start, 1 / length);
}

double Lanczos::coefficient(Index i, Index j) const { return t_[static_cast<std::size_t>(i * size() + j)]; }

void Lanczos::begin_anew() {
  next_ = fresh_.normals(a_, ++drawn_);
  // The second time takes out the rounding of the first, which shows where little is left.
  for (int time = 0; time < 2; ++time) {
    orthogonalise(next_, basis_);
    next_ = scaled(next_, 1 / static_cast<double>(norm(next_)));
  }
}

void Lanczos::step() {
  if (exhausted()) throw ArgumentError("[Lanczos] the basis spans all ", a_.dim, " dimensions");
  const std::size_t n = basis_.size();
  Tensor x = a_.apply(next_);
  ++products_;
  length_of(x, "a product");
  // x may be the operator's own numbers: they are not written to.
  x = x.clone();
  basis_.push_back(next_);
  const std::vector<double> h = orthogonalise(x, basis_);

  std::vector<double> t((n + 1) * (n + 1), 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) t[i * (n + 1) + j] = t_[i * n + j];
    if (i < coupling_.size()) t[i * (n + 1) + n] = t[n * (n + 1) + i] = coupling_[i];
  }
  t.back() = h[n];
  t_ = std::move(t);

  beta_ = length_of(x, "a vector of the basis");
  scale_ = std::max({scale_, std::abs(h[n]), beta_, largest_of(coupling_)});
  coupling_.assign(n + 1, 0);
  next_ = Tensor();
  if (beta_ <= 64 * spacing(a_.dtype) * scale_) {
    beta_ = 0;
    if (broken_at_ < 0) broken_at_ = products_;
    if (!exhausted()) begin_anew();
    return;
  }
  coupling_[n] = beta_;
  if (!exhausted()) next_ = scaled(x, 1 / beta_);
}

double Lanczos::coupling_with(const std::vector<double>& s) const {
  double sum = 0;
  for (std::size_t i = 0; i < s.size() && i < coupling_.size(); ++i) sum += coupling_[i] * s[i];
  return sum;
}

Ritz Lanczos::ritz() const {
  Ritz found{symmetric_eigen(t_, size()), {}};
  for (const std::vector<double>& s : found.vectors)
    found.residuals.push_back(exhausted() ? 0 : std::abs(coupling_with(s)));
  return found;
}

void Lanczos::restart(const Ritz& ritz, const std::vector<std::size_t>& kept) {
  Tensors basis;
  std::vector<double> coupling, t(kept.size() * kept.size(), 0);
  for (std::size_t k = 0; k < kept.size(); ++k) {
    const std::vector<double>& s = ritz.vectors[kept[k]];
    basis.push_back(vector(s));
    coupling.push_back(coupling_with(s));
    t[k * kept.size() + k] = ritz.values[kept[k]];
  }
  basis_ = std::move(basis);
  coupling_ = std::move(coupling);
  t_ = std::move(t);
}

EigenPairs lanczos_eigenpairs(const LinearOperator& a, const EigenOptions& o, const Probes& probes) {
  if (o.count < 1 || o.count > a.dim)
    throw ArgumentError("[lanczos_eigenpairs] ", o.count, " eigenvalues of ", a.dim);
  if (!(o.tolerance > 0)) throw ArgumentError("[lanczos_eigenpairs] the tolerance is ", o.tolerance);
  const Index wanted = std::min(a.dim, o.which == Which::both ? 2 * o.count : o.count);
  const Index room = std::max(wanted + 2, o.basis > 0 ? o.basis : 2 * wanted + 30);

  Lanczos process(a, probes.normals(a, 0), probes);
  EigenPairs result;
  Ritz ritz;
  std::vector<std::size_t> chosen;
  for (;;) {
    process.step();
    if (process.size() < wanted) continue;
    ritz = process.ritz();
    chosen = ends(ritz.values.size(), static_cast<std::size_t>(o.count), o.which);
    const double enough = o.tolerance * largest_of(ritz.values);
    const bool all =
        std::all_of(chosen.begin(), chosen.end(), [&](std::size_t i) { return ritz.residuals[i] <= enough; });
    const bool settled = process.since_breakdown() < 0 || process.since_breakdown() >= kStepsAfterBreakdown;
    result.converged = process.exhausted() || (all && settled);
    if (result.converged || process.products() >= o.most_products) break;
    if (process.size() >= room && !process.exhausted()) {
      const Index more = (room - wanted) / 2;  // half of what else there is room for speeds up the rest
      const Index each = o.which == Which::both ? o.count + more / 2 : o.count + more;
      process.restart(ritz, ends(ritz.values.size(), static_cast<std::size_t>(each), o.which));
    }
  }
  result.products = process.products();
  for (auto i = chosen.rbegin(); i != chosen.rend(); ++i) {
    Tensor v = process.vector(ritz.vectors[*i]);
    v = scaled(v, 1 / static_cast<double>(norm(v)));
    result.pairs.push_back(checked(v, a.apply(v)));
    ++result.products;
  }
  return result;
}

EigenPairs power_iteration(const LinearOperator& a, const Tensor& start, double tolerance,
                           Index most_products) {
  const double length = length_of(start, "the start");
  if (!(length > 0)) throw ArgumentError("[power_iteration] the start is zero");
  EigenPairs result;
  Tensor v = scaled(start, 1 / length);
  for (;;) {
    const Tensor product = a.apply(v);
    ++result.products;
    const double size = length_of(product, "a product");
    result.pairs = {checked(v, product)};
    const EigenPair& now = result.pairs.front();
    result.converged = now.residual <= tolerance * std::abs(now.value);
    if (result.converged || size == 0 || result.products >= most_products) return result;
    v = scaled(product, 1 / size);
  }
}

}  // namespace basin
