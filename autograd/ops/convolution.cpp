// Convolution, its input gradient and its weight gradient: three bilinear ops of one geometry, a closed
// triangle. With y = conv(x, w), dx = input_grad(dy, w) and dw = weight_grad(x, dy), each one's derivatives
// are the other two.
#include "autograd/ops/deferred.h"
#include "autograd/ops/op_support.h"

namespace basin {
namespace {

Variable recorded_weight_grad(Tensor dw, const Variable& x, const Variable& dy, const ConvGeometry& g) {
  return record({"conv2d_weight_grad", g}, std::move(dw), {x, dy}, other_factor(x, dy),
                [g](const Backward& b) -> Variables {
                  return {b.needs(0) ? conv2d_input_grad(b.input(1), b.grad(), g) : none,
                          b.needs(1) ? recorded_conv2d(conv2d(b.input(0).value(), b.grad().value(), g),
                                                       b.input(0), b.grad(), g)
                                     : none};
                });
}

}  // namespace

Variable weight_cotangent(const Backward& b, std::size_t at, const Variable& x, const Variable& dy,
                          const ConvGeometry& g) {
  if (!b.unread(at)) return conv2d_weight_grad(x, dy, g);
  return recorded_weight_grad(Tensor::zeros(b.input_shape(at), b.input_dtype(at), dy.value().device()), x, dy,
                              g);
}

Variable recorded_conv2d(Tensor y, const Variable& x, const Variable& w, const ConvGeometry& g) {
  return record({"conv2d", g}, std::move(y), {x, w}, other_factor(x, w), [g](const Backward& b) -> Variables {
    if (!recording() && b.needs(0) && b.needs(1)) {
      const auto [dx, dw] = conv2d_gradients(b.input(0).value(), b.input(1).value(), b.grad().value(), g);
      return {dx, dw};
    }
    return {b.needs(0) ? conv2d_input_grad(b.grad(), b.input(1), g) : none,
            b.needs(1) ? weight_cotangent(b, 1, b.input(0), b.grad(), g) : none};
  });
}

namespace {

Variable convolve(const Variable& x, const Variable& w, const ConvGeometry& g) {
  return recorded_conv2d(conv2d(x.value(), w.value(), g), x, w, g);
}

}  // namespace

Variable conv2d(const Variable& x, const Variable& weight, const ConvOptions& options) {
  if (Variable later = deferred_conv2d(x, weight, options); later.defined()) return later;
  return convolve(x, weight, conv_geometry(x.shape(), weight.shape(), options));
}

ConvResult conv2d_moments(const Variable& x, const Variable& weight, const ConvOptions& options) {
  const ConvGeometry g = conv_geometry(x.shape(), weight.shape(), options);
  auto [y, of_y] = conv2d_moments(x.value(), weight.value(), g);
  return {recorded_conv2d(std::move(y), x, weight, g), std::move(of_y)};
}

Variable conv2d_input_grad(const Variable& dy, const Variable& w, const ConvGeometry& g) {
  return record({"conv2d_input_grad", g}, conv2d_input_grad(dy.value(), w.value(), g), {dy, w},
                other_factor(dy, w), [g](const Backward& b) -> Variables {
                  return {b.needs(0) ? convolve(b.grad(), b.input(1), g) : none,
                          b.needs(1) ? weight_cotangent(b, 1, b.grad(), b.input(0), g) : none};
                });
}

Variable conv2d_weight_grad(const Variable& x, const Variable& dy, const ConvGeometry& g) {
  return recorded_weight_grad(conv2d_weight_grad(x.value(), dy.value(), g), x, dy, g);
}

}  // namespace basin
