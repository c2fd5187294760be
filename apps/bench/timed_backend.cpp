// Each method: the same call on the backend beneath, timed.
#include "apps/bench/timed_backend.h"

#include <chrono>

namespace basin::apps {

const char* name_of(Work work) {
  static constexpr const char* kNames[] = {
      "conv forward", "conv input grad", "conv weight grad", "conv gradients", "matmul",   "norm",
      "pooling",      "elementwise",     "reduction",        "shaping",        "optimizer"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Work::count_));
  return kNames[static_cast<std::size_t>(work)];
}

template <class Call>
auto TimedBackend::timed(Work work, Call call) {
  // Adds the time when the call returns or throws.
  struct Timer {
    double& sum;
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    ~Timer() { sum += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); }
  };
  const Timer timer{seconds_[static_cast<std::size_t>(work)]};
  return call();
}

void TimedBackend::copy_bytes(std::byte* to, const std::byte* from, std::size_t bytes) {
  timed(Work::shaping, [&] { return real_.copy_bytes(to, from, bytes); });
}
void TimedBackend::fill(Tensor& out, double value) {
  timed(Work::elementwise, [&] { return real_.fill(out, value); });
}
void TimedBackend::cast(const Tensor& x, Tensor& out) {
  timed(Work::elementwise, [&] { return real_.cast(x, out); });
}
void TimedBackend::unary(UnaryOp op, const Tensor& x, double a, double b, Tensor& out) {
  timed(Work::elementwise, [&] { return real_.unary(op, x, a, b, out); });
}
void TimedBackend::binary(BinaryOp op, const Tensor& x, const Tensor& z, Tensor& out) {
  timed(Work::elementwise, [&] { return real_.binary(op, x, z, out); });
}
void TimedBackend::where(const Tensor& condition, const Tensor& x, const Tensor& z, Tensor& out) {
  timed(Work::elementwise, [&] { return real_.where(condition, x, z, out); });
}
void TimedBackend::reduce(ReduceOp op, const Tensor& x, const Axes& axes, Tensor& out) {
  timed(Work::reduction, [&] { return real_.reduce(op, x, axes, out); });
}
void TimedBackend::argmax(const Tensor& x, int axis, Tensor& out) {
  timed(Work::reduction, [&] { return real_.argmax(x, axis, out); });
}
void TimedBackend::permute(const Tensor& x, const Axes& perm, Tensor& out) {
  timed(Work::shaping, [&] { return real_.permute(x, perm, out); });
}
void TimedBackend::copy_block(const Tensor& x, const Shape& from, Tensor& out, const Shape& to,
                              const Shape& extent) {
  timed(Work::shaping, [&] { return real_.copy_block(x, from, out, to, extent); });
}
void TimedBackend::gather(const Tensor& x, const Tensor& index, int axis, Tensor& out) {
  timed(Work::shaping, [&] { return real_.gather(x, index, axis, out); });
}
void TimedBackend::scatter_add(const Tensor& x, const Tensor& index, int axis, Tensor& out) {
  timed(Work::shaping, [&] { return real_.scatter_add(x, index, axis, out); });
}
void TimedBackend::gather_last(const Tensor& x, const Tensor& index, Tensor& out) {
  timed(Work::shaping, [&] { return real_.gather_last(x, index, out); });
}
void TimedBackend::scatter_add_last(const Tensor& x, const Tensor& index, Tensor& out) {
  timed(Work::shaping, [&] { return real_.scatter_add_last(x, index, out); });
}
void TimedBackend::matmul(const Matmul& g, const Tensor& a, const Tensor& b, Tensor& out) {
  timed(Work::matmul, [&] { return real_.matmul(g, a, b, out); });
}
void TimedBackend::conv2d(const ConvGeometry& g, const Tensor& x, const Tensor& w, Tensor& y) {
  if (on_convolution) on_convolution(g);
  timed(Work::conv_forward, [&] { return real_.conv2d(g, x, w, y); });
}
void TimedBackend::conv2d_input_grad(const ConvGeometry& g, const Tensor& dy, const Tensor& w, Tensor& dx) {
  timed(Work::conv_input_grad, [&] { return real_.conv2d_input_grad(g, dy, w, dx); });
}
void TimedBackend::conv2d_weight_grad(const ConvGeometry& g, const Tensor& x, const Tensor& dy, Tensor& dw) {
  timed(Work::conv_weight_grad, [&] { return real_.conv2d_weight_grad(g, x, dy, dw); });
}
void TimedBackend::batch_norm_conv2d(const ConvGeometry& g, const BatchNormForward& f, const Tensor& w,
                                     Tensor& y) {
  if (on_convolution) on_convolution(g);
  timed(Work::conv_forward, [&] { return real_.batch_norm_conv2d(g, f, w, y); });
}
void TimedBackend::batch_norm_conv2d_weight_grad(const ConvGeometry& g, const BatchNormForward& f,
                                                 const Tensor& dy, Tensor& dw) {
  timed(Work::conv_weight_grad, [&] { return real_.batch_norm_conv2d_weight_grad(g, f, dy, dw); });
}
void TimedBackend::batch_norm_conv2d_grad(const ConvGeometry& g, const BatchNormBackward& f, const Tensor& w,
                                          const Tensor& dy, Tensor& dx, Tensor& dgamma, Tensor& dbeta,
                                          Tensor& dw) {
  timed(Work::conv_gradients,
        [&] { return real_.batch_norm_conv2d_grad(g, f, w, dy, dx, dgamma, dbeta, dw); });
}
void TimedBackend::conv2d_moments(const ConvGeometry& g, const Tensor& x, const Tensor& w, Tensor& y,
                                  Moments& of_y) {
  if (on_convolution) on_convolution(g);
  timed(Work::conv_forward, [&] { return real_.conv2d_moments(g, x, w, y, of_y); });
}
void TimedBackend::batch_norm_conv2d_moments(const ConvGeometry& g, const BatchNormForward& f,
                                             const Tensor& w, Tensor& y, Moments& of_y) {
  if (on_convolution) on_convolution(g);
  timed(Work::conv_forward, [&] { return real_.batch_norm_conv2d_moments(g, f, w, y, of_y); });
}
void TimedBackend::conv2d_gradients(const ConvGeometry& g, const Tensor& x, const Tensor& w, const Tensor& dy,
                                    Tensor& dx, Tensor& dw) {
  timed(Work::conv_gradients, [&] { return real_.conv2d_gradients(g, x, w, dy, dx, dw); });
}
void TimedBackend::max_pool(const ConvGeometry& g, const Tensor& x, Tensor& y, Tensor& index) {
  timed(Work::pooling, [&] { return real_.max_pool(g, x, y, index); });
}
void TimedBackend::pool_scatter(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) {
  timed(Work::pooling, [&] { return real_.pool_scatter(g, x, index, out); });
}
void TimedBackend::pool_gather(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) {
  timed(Work::pooling, [&] { return real_.pool_gather(g, x, index, out); });
}
void TimedBackend::avg_pool(const ConvGeometry& g, const Tensor& x, bool count_pad, Tensor& y) {
  timed(Work::pooling, [&] { return real_.avg_pool(g, x, count_pad, y); });
}
void TimedBackend::avg_pool_grad(const ConvGeometry& g, const Tensor& dy, bool count_pad, Tensor& dx) {
  timed(Work::pooling, [&] { return real_.avg_pool_grad(g, dy, count_pad, dx); });
}
void TimedBackend::moments(const Tensor& x, Tensor& mean, Tensor& var) {
  timed(Work::norm, [&] { return real_.moments(x, mean, var); });
}
void TimedBackend::batch_norm(const BatchNormForward& f, Tensor& y) {
  timed(Work::norm, [&] { return real_.batch_norm(f, y); });
}
void TimedBackend::batch_norm_grad(const BatchNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta,
                                   Tensor* dresidual) {
  timed(Work::norm, [&] { return real_.batch_norm_grad(f, dx, dgamma, dbeta, dresidual); });
}
void TimedBackend::layer_norm(const LayerNormForward& f, Tensor& y, Tensor& mean, Tensor& inv_std) {
  timed(Work::norm, [&] { return real_.layer_norm(f, y, mean, inv_std); });
}
void TimedBackend::layer_norm_grad(const LayerNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta) {
  timed(Work::norm, [&] { return real_.layer_norm_grad(f, dx, dgamma, dbeta); });
}
void TimedBackend::log_softmax(const Tensor& x, Tensor& y) {
  timed(Work::norm, [&] { return real_.log_softmax(x, y); });
}
void TimedBackend::log_softmax_grad(const Tensor& y, const Tensor& dy, Tensor& dx) {
  timed(Work::norm, [&] { return real_.log_softmax_grad(y, dy, dx); });
}
Scalar TimedBackend::dot(const Tensor& x, const Tensor& y) {
  return timed(Work::optimizer, [&] { return real_.dot(x, y); });
}
void TimedBackend::axpby(const Scalar& a, const Tensor& x, const Scalar& b, Tensor& y) {
  timed(Work::optimizer, [&] { return real_.axpby(a, x, b, y); });
}
Scalar TimedBackend::all_finite(const Tensor& x) {
  return timed(Work::optimizer, [&] { return real_.all_finite(x); });
}
void TimedBackend::sgd_step(const SgdStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w,
                            Tensor* buffer) {
  timed(Work::optimizer, [&] { return real_.sgd_step(s, g, decay_mask, w, buffer); });
}
void TimedBackend::adam_step(const AdamStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w,
                             Tensor& m, Tensor& v) {
  timed(Work::optimizer, [&] { return real_.adam_step(s, g, decay_mask, w, m, v); });
}
void TimedBackend::rmsprop_step(const RmsPropStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w,
                                Tensor& square, Tensor* buffer) {
  timed(Work::optimizer, [&] { return real_.rmsprop_step(s, g, decay_mask, w, square, buffer); });
}
void TimedBackend::lion_step(const LionStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w,
                             Tensor& m) {
  timed(Work::optimizer, [&] { return real_.lion_step(s, g, decay_mask, w, m); });
}

}  // namespace basin::apps
