#include "autograd/check/check_gradients.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/gradients.h"
#include "autograd/ops/ops.h"
#include "autograd/recording.h"
#include "core/ops.h"
#include "core/random.h"

namespace basin {
namespace {

using Numbers = std::vector<double>;

constexpr Index kManyEntries = 400;   // inputs with more entries are checked along directions only
constexpr Index kManyOutputs = 40;    // results with more entries are checked through random cotangents only
constexpr double kAgreement = 1e-11;  // of kernel and meaning, relative

Numbers here(const Tensor& t) { return t.to(Device{}).to_vector<double>(); }
/// Numbers as a tensor like that one, where it lives.
Tensor there(const Numbers& values, const Tensor& like) {
  return Tensor::from(values, like.shape()).to(like.device());
}

double largest(const Numbers& v) {
  double m = 0;
  for (double x : v) m = std::max(m, std::abs(x));
  return m;
}

double inner(const Numbers& x, const Numbers& y) {
  double total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) total += x[i] * y[i];
  return total;
}

Tensor normal_like(const Tensor& t, std::uint64_t seed, std::uint64_t which) {
  Random random(seed, Stream::probe, which);
  Numbers values(static_cast<std::size_t>(t.elements()));
  for (double& v : values) v = random.normal();
  return there(values, t);
}

Numbers unit(Index n, Index i) {
  Numbers e(static_cast<std::size_t>(n));
  e[static_cast<std::size_t>(i)] = 1;
  return e;
}

Variables leaves(const Tensors& values) {
  Variables made;
  for (const Tensor& t : values) made.push_back(Variable::parameter(t));
  return made;
}

/// f's numbers at `point` with input i moved by t along `direction`.
Numbers moved(const Function& f, Tensors point, std::size_t i, const Numbers& direction, double t) {
  Numbers x = here(point[i]);
  for (std::size_t j = 0; j < x.size(); ++j) x[j] += t * direction[j];
  point[i] = there(x, point[i]);
  return here(f(Variables(point.begin(), point.end())).value());
}

/// The derivative of f along `direction` in input i: central differences of steps h and h/2, extrapolated to
/// an error of order h^4 (Richardson).
Numbers difference(const Function& f, const Tensors& point, std::size_t i, const Numbers& direction,
                   double h) {
  const Numbers far_up = moved(f, point, i, direction, h), far_down = moved(f, point, i, direction, -h);
  const Numbers up = moved(f, point, i, direction, h / 2), down = moved(f, point, i, direction, -h / 2);
  Numbers d(up.size());
  for (std::size_t r = 0; r < d.size(); ++r)
    d[r] = (4 * (up[r] - down[r]) / h - (far_up[r] - far_down[r]) / (2 * h)) / 3;
  return d;
}

/// One order of the check: f at one point.
class Level {
 public:
  Level(const Function& f, const Tensors& point, const CheckOptions& options, double tolerance)
      : f_(f), point_(point), options_(options), tolerance_(tolerance) {}

  CheckErrors run() {
    const Variables x = leaves(point_);
    const Variable y = f_(x);
    value_ = here(y.value());
    const Tensor u = normal_like(y.value(), options_.seed, 0);
    cotangent_ = here(u);

    const Tensors plain = gradients(y, x, {.cotangent = u, .keep_graph = true});
    const Variables again = differentiable_gradients(y, x, u);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Numbers g = here(plain[i]);
      agree(i, g, here(again[i].value()));
      along_a_direction(i, g);
      if (point_[i].elements() <= kManyEntries) entry_by_entry(y, x, i, g);
    }
    return errors_;
  }

 private:
  void along_a_direction(std::size_t i, const Numbers& g) {
    const Numbers v = here(normal_like(point_[i], options_.seed, 1 + i));
    const Numbers d = difference(f_, point_, i, v, options_.step);
    compare(i, -1, inner(g, v), inner(cotangent_, d), std::sqrt(inner(g, g)),
            rounding(cotangent_, options_.step));
  }

  void entry_by_entry(const Variable& y, const Variables& x, std::size_t i, const Numbers& g) {
    const bool whole_jacobian = value_.size() > 1 && static_cast<Index>(value_.size()) <= kManyOutputs;
    std::vector<Numbers> rows;
    double row_scale = 0;
    for (std::size_t r = 0; whole_jacobian && r < value_.size(); ++r) {
      const Tensor e = there(unit(y.value().elements(), static_cast<Index>(r)), y.value());
      rows.push_back(here(gradients(y, {x[i]}, {.cotangent = e, .keep_graph = true})[0]));
      row_scale = std::max(row_scale, largest(rows.back()));
    }
    const Numbers at = here(point_[i]);
    for (std::size_t j = 0; j < g.size(); ++j) {
      const double h = options_.step * std::max(1.0, std::abs(at[j]));
      const Numbers d = difference(f_, point_, i, unit(point_[i].elements(), static_cast<Index>(j)), h);
      const Index entry = static_cast<Index>(j);
      compare(i, entry, g[j], inner(cotangent_, d), largest(g), rounding(cotangent_, h));
      for (std::size_t r = 0; r < rows.size(); ++r)
        compare(i, entry, rows[r][j], d[r], row_scale,
                rounding(unit(y.value().elements(), static_cast<Index>(r)), h));
    }
  }

  /// Plain sweep against differentiable sweep: kernel against meaning.
  void agree(std::size_t i, const Numbers& plain, const Numbers& again) {
    for (std::size_t j = 0; j < plain.size(); ++j) {
      const double error = std::abs(plain[j] - again[j]);
      if (!(error <= kAgreement * largest(plain) + rounding(cotangent_, 1)))
        fail(text("input ", i, " entry ", j, ": ", plain[j], " by the kernels, ", again[j],
                  " by their meaning"));
    }
  }

  /// What rounding in f can do to <u, f> / h.
  double rounding(const Numbers& u, double h) const {
    double size = 0;
    for (std::size_t r = 0; r < u.size(); ++r) size += std::abs(u[r] * value_[r]);
    return 64 * std::numeric_limits<double>::epsilon() * (size + 1e-2) / h;
  }

  void compare(std::size_t i, Index entry, double derivative, double numeric, double scale,
               double rounding_error) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const bool finite = std::isfinite(derivative) && std::isfinite(numeric);
    const double error = finite ? std::abs(derivative - numeric) : infinity;
    errors_.absolute = std::max(errors_.absolute, error);
    // Within rounding a difference says nothing about a derivative this small.
    if (!finite || error > rounding_error)
      errors_.relative = std::max(errors_.relative, finite ? error / scale : infinity);
    if (!finite || !(error <= tolerance_ * scale + rounding_error)) {
      const std::string where = entry < 0 ? "along a random direction" : text("entry ", entry);
      fail(text("input ", i, " ", point_[i].shape(), " ", where, ": ", derivative, " by the derivative, ",
                numeric, " by differences"));
    }
  }

  void fail(const std::string& what) {
    if (errors_.passed) errors_.first_failure = what;
    errors_.passed = false;
  }

  const Function& f_;
  const Tensors& point_;
  const CheckOptions& options_;
  double tolerance_;
  Numbers value_, cotangent_;
  CheckErrors errors_;
};

/// <d<f,u>/dx, v> as a function of x and u.
Function contracted_gradient(const Function& f, const Tensors& v) {
  return [f, v](const Variables& x_and_u) {
    RecordingScope on(true);
    Variables x(x_and_u.begin(), x_and_u.end() - 1);
    for (Variable& in : x)
      if (!in.tracked()) in = Variable::parameter(in.value());
    return dot(differentiable_gradients(f(x), x, x_and_u.back()), Variables(v.begin(), v.end()));
  };
}

}  // namespace

std::vector<CheckErrors> check_gradients(const Function& f, const Tensors& inputs,
                                         const CheckOptions& options) {
  for (const Tensor& t : inputs)
    if (t.dtype() != Dtype::f64)
      throw ArgumentError("[check_gradients] differences need f64, an input is ", t.dtype(), " ", t.shape());
  RecordingScope on(true);
  std::vector<CheckErrors> orders;
  Function level = f;
  Tensors point = inputs;
  for (int order = 1; order <= options.order; ++order) {
    orders.push_back(
        Level(level, point, options, order == 1 ? options.tolerance : options.tolerance_2).run());
    Tensors v;
    for (std::size_t i = 0; i < point.size(); ++i)
      v.push_back(normal_like(point[i], options.seed, static_cast<std::uint64_t>(100 * order) + i));
    const Tensor y = level(Variables(point.begin(), point.end())).value();
    level = contracted_gradient(level, v);
    point.push_back(normal_like(y, options.seed, static_cast<std::uint64_t>(100 * order) + 99));
  }
  return orders;
}

}  // namespace basin
