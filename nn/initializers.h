// Initial values of parameters, drawn at an address: (seed, Stream::init, 0, number of the tensor).
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace basin::nn {

/// Which side's variance is kept: the forward signal's (fan_in) or the gradient's (fan_out).
enum class Fan { in, out };

/// What the convolutions of the papers' reference implementations start from.
enum class Scheme {
  kaiming_in,   // normal, variance 2 / fan_in
  kaiming_out,  // normal, variance 2 / fan_out
  xavier_relu,  // uniform, variance 4 / (fan_in + fan_out): Glorot's with a gain of sqrt(2)
  lecun,        // normal, variance 1 / fan_in (LeCun et al. 1998, "Efficient BackProp")
};

/// Makes initial tensors for the layers of one model. Each draw uses the next address, so the values depend
/// on the order of construction and the seed alone, and are the same numbers (rounded) in f32 and f64,
/// and on every device: they are drawn on the host.
class Initializer {
 public:
  explicit Initializer(std::uint64_t seed, Dtype dtype = Dtype::f32, Device device = {})
      : seed_(seed), dtype_(dtype), device_(device) {}

  /// One that gives zeros in place of draws: for weights that come from elsewhere, and for counting.
  static Initializer blank(Dtype dtype = Dtype::f32, Device device = {}) {
    Initializer init(0, dtype, device);
    init.blank_ = true;
    return init;
  }

  Dtype dtype() const { return dtype_; }
  Device device() const { return device_; }
  Tensor zeros(const Shape& shape) { return Tensor::zeros(shape, dtype_, device_); }
  Tensor ones(const Shape& shape) { return Tensor::full(shape, 1, dtype_, device_); }
  Tensor uniform(const Shape& shape, double low, double high);
  Tensor normal(const Shape& shape, double mean, double deviation);

  /// He et al. 2015, "Delving Deep into Rectifiers", eq. (10), (14): variance gain^2 / fan; gain sqrt(2) for
  /// ReLU. Linear weights are {out, in}; convolution weights {KH,KW,in,out}.
  Tensor kaiming_normal(const Shape& weight, Fan fan = Fan::in, double gain = 1.4142135623730951);
  /// Glorot and Bengio 2010, eq. (16): variance 2 / (fan_in + fan_out).
  Tensor xavier_uniform(const Shape& weight, double gain = 1);
  Tensor weight(const Shape& weight, Scheme scheme);

 private:
  template <class Draw>
  Tensor drawn(const Shape& shape, Draw draw);

  std::uint64_t seed_;
  Dtype dtype_;
  Device device_;
  std::uint64_t drawn_ = 0;
  bool blank_ = false;
};

/// Inputs that feed one output, and outputs that one input feeds. Errors: rank other than 2 or 4.
struct Fans {
  double in, out;
};
Fans fans_of(const Shape& weight);

}  // namespace basin::nn
