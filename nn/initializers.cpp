#include "nn/initializers.h"

#include <cmath>

#include "core/random.h"

namespace basin::nn {
namespace {

double fan_of(const Shape& weight, Fan fan) {
  return fan == Fan::in ? fans_of(weight).in : fans_of(weight).out;
}

}  // namespace

Fans fans_of(const Shape& w) {
  if (w.elements() == 0) throw ArgumentError("[initializer] a weight ", w, " has no numbers and no fans");
  if (w.rank() == 2) return {static_cast<double>(w[1]), static_cast<double>(w[0])};
  if (w.rank() == 4) {
    const double taps = static_cast<double>(w[0] * w[1]);
    return {taps * static_cast<double>(w[2]), taps * static_cast<double>(w[3])};
  }
  throw ArgumentError("[initializer] fans are defined for {out,in} and {KH,KW,in,out} weights, got ", w);
}

template <class Draw>
Tensor Initializer::drawn(const Shape& shape, Draw draw) {
  if (blank_) return zeros(shape);
  Random random(seed_, Stream::init, 0, drawn_++);
  Tensor t = Tensor::empty(shape, Dtype::f64);
  double* v = t.mutable_data<double>();
  for (Index i = 0; i < t.elements(); ++i) v[i] = draw(random);
  return t.to(dtype_).to(device_);
}

Tensor Initializer::uniform(const Shape& shape, double low, double high) {
  if (!(low < high) || !std::isfinite(high - low))
    throw ArgumentError("[initializer] uniform values need low < high, both finite, got ", low, " and ",
                        high);
  return drawn(shape, [&](Random& random) { return random.uniform(low, high); });
}

Tensor Initializer::normal(const Shape& shape, double mean, double deviation) {
  if (!std::isfinite(mean) || !(deviation >= 0) || !std::isfinite(deviation))
    throw ArgumentError("[initializer] normal values need a finite mean and a deviation of at least 0, got ",
                        mean, " and ", deviation);
  return drawn(shape, [&](Random& random) { return mean + deviation * random.normal(); });
}

Tensor Initializer::kaiming_normal(const Shape& weight, Fan fan, double gain) {
  return normal(weight, 0, gain / std::sqrt(fan_of(weight, fan)));
}

Tensor Initializer::xavier_uniform(const Shape& weight, double gain) {
  const Fans f = fans_of(weight);
  const double bound = gain * std::sqrt(6.0 / (f.in + f.out));
  return uniform(weight, -bound, bound);
}

Tensor Initializer::weight(const Shape& weight, Scheme scheme) {
  switch (scheme) {
    case Scheme::kaiming_in:
      return kaiming_normal(weight, Fan::in);
    case Scheme::kaiming_out:
      return kaiming_normal(weight, Fan::out);
    case Scheme::xavier_relu:
      return xavier_uniform(weight, std::sqrt(2.0));
    case Scheme::lecun:
      return kaiming_normal(weight, Fan::in, 1);
  }
  throw InternalError("[initializer] a scheme without a rule");
}

}  // namespace basin::nn
