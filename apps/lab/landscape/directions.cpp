#include "apps/lab/landscape/directions.h"

#include <cmath>
#include <string>

#include "core/error.h"
#include "core/io/hash.h"
#include "core/ops.h"
#include "core/random.h"

namespace basin::apps {
namespace {

constexpr std::uint64_t kFirstEpoch = std::uint64_t{1} << 31;  // apart from the probes of the Hessian

/// 56 bits of a name's SHA-256.
std::uint64_t address_of(const std::string& name) {
  return std::stoull(sha256_text(name).substr(0, 14), nullptr, 16);
}

/// Some numbers of a flat vector, equally far apart.
struct Filter {
  std::size_t begin, stride, count;
};

std::vector<Filter> filters_of(const optim::Segment& segment, bool whole) {
  const auto begin = static_cast<std::size_t>(segment.offset);
  const auto all = static_cast<std::size_t>(segment.shape.elements());
  if (whole || segment.shape.rank() < 2) return {{begin, 1, all}};
  const bool convolution = segment.layout == ParameterLayout::convolution;
  const auto filters = static_cast<std::size_t>(segment.shape[convolution ? segment.shape.rank() - 1 : 0]);
  std::vector<Filter> list;
  for (std::size_t f = 0; f < filters; ++f) {
    if (convolution)
      list.push_back({begin + f, filters, all / filters});
    else
      list.push_back({begin + f * (all / filters), 1, all / filters});
  }
  return list;
}

double length(const std::vector<double>& x, const Filter& filter) {
  double sum = 0;
  for (std::size_t i = 0; i < filter.count; ++i) {
    const double number = x[filter.begin + i * filter.stride];
    sum += number * number;
  }
  return std::sqrt(sum);
}

void scale(std::vector<double>& x, const Filter& filter, double factor) {
  for (std::size_t i = 0; i < filter.count; ++i) x[filter.begin + i * filter.stride] *= factor;
}

bool is_weight(const optim::Segment& segment) {
  return segment.role == ParameterRole::weight && segment.shape.rank() >= 2;
}

Tensor like(const std::vector<double>& numbers, const Tensor& w) {
  return Tensor::from(numbers, {static_cast<Index>(numbers.size())}).to(w.dtype()).to(w.device());
}

Tensor wide(const Tensor& x) { return x.to(Dtype::f64); }

/// x + a y, in f64.
Tensor plus(const Tensor& x, double a, const Tensor& y) { return combination(1, x, a, y); }

}  // namespace

Tensor gaussian_direction(const optim::ParameterVector& w, std::uint64_t seed, std::uint64_t number) {
  std::vector<double> d(static_cast<std::size_t>(w.size()));
  for (const optim::Segment& segment : w.segments()) {
    Random random(seed, Stream::probe, kFirstEpoch + number, address_of(segment.name));
    for (Index i = 0; i < segment.shape.elements(); ++i)
      d[static_cast<std::size_t>(segment.offset + i)] = random.normal();
  }
  return like(d, w.values());
}

Tensor normalised(const Tensor& d, const optim::ParameterVector& w, const DirectionOptions& options) {
  std::vector<double> out = d.to(Device{}).to_vector<double>();
  const std::vector<double> weights = w.values().to(Device{}).to_vector<double>();
  for (const optim::Segment& segment : w.segments()) {
    if (!is_weight(segment) && !options.biases) {
      scale(out, filters_of(segment, /*whole=*/true).front(), 0);
      continue;
    }
    if (options.normalise == Normalise::none) continue;
    for (const Filter& filter : filters_of(segment, options.normalise == Normalise::layer)) {
      const double own = length(out, filter);
      scale(out, filter, own > 0 ? length(weights, filter) / own : 0);
    }
  }
  return like(out, w.values());
}

PlaneAxes plane_through(const Tensor& a, const Tensor& b, const Tensor& c) {
  const Tensor p = plus(wide(b), -1, wide(a)), q = plus(wide(c), -1, wide(a));
  PlaneAxes axes;
  axes.b_x = norm(p);
  const double q_length = norm(q);
  if (axes.b_x > 0) {
    axes.u = p * (1 / axes.b_x);
    axes.c_x = dot(q, axes.u);
    axes.v = plus(q, -axes.c_x, axes.u);
    axes.c_y = norm(axes.v);
  }
  if (!(axes.c_y > 1e-6 * q_length))
    throw UsageError("the three solutions lie on one line, which no plane is of: name others");
  axes.v = axes.v * (1 / axes.c_y);
  return axes;
}

Projection project(const Tensor& p, const Tensor& a, const Tensor& u, const Tensor& v) {
  const Tensor r = plus(wide(p), -1, wide(a));
  Projection at;
  at.x = dot(r, u);
  Tensor rest = plus(r, -at.x, u);
  if (v.defined()) {
    at.y = dot(r, v);
    rest = plus(rest, -at.y, v);
  }
  at.distance = norm(rest);
  return at;
}

}  // namespace basin::apps
