// See convolution.h; and CpuBackend's convolutions, which go there with what is done on the way.
#include "core/cpu/convolution.h"

#include <algorithm>

#include "core/cpu/backend.h"
#include "core/cpu/batch_norm_sums.h"
#include "core/cpu/conv/conv_plan.h"
#include "core/cpu/conv/direct.h"
#include "core/cpu/conv/gemm.h"
#include "core/cpu/conv/plain.h"
#include "core/cpu/conv/winograd/winograd.h"

namespace basin::cpu {

void conv2d(const ConvGeometry& g, const float* x, const float* w, float* y, const ChannelAffine& affine,
            RowConsumer* rows) {
  if (g.y_shape().elements() == 0) return;
  if (const WinogradTile* tile = winograd_tile(conv_algorithm(), g))
    winograd_conv2d(*tile, g, x, w, y, affine, rows);
  else if (is_pointwise(g))
    gemm(false, false, g.batch * g.out_h * g.out_w, g.out_c, g.in_c, x, g.in_c, w, g.out_c, y, g.out_c,
         affine, rows);
  else
    direct_conv2d(g, x, w, y, affine, rows);
}

void conv2d_input_grad(const ConvGeometry& g, const float* dy, const float* w, float* dx) {
  if (g.x_shape().elements() == 0) return;
  if (const WinogradTile* tile = winograd_tile(conv_algorithm(), g))
    winograd_input_grad(*tile, g, dy, w, dx);
  else if (is_pointwise(g))
    gemm(false, true, g.batch * g.out_h * g.out_w, g.in_c, g.out_c, dy, g.out_c, w, g.out_c, dx, g.in_c);
  else
    direct_input_grad(g, dy, w, dx);
}

void conv2d_weight_grad(const ConvGeometry& g, const float* x, const float* dy, float* dw,
                        const ChannelAffine& affine) {
  if (g.w_shape().elements() == 0) return;
  if (g.y_shape().elements() == 0)
    std::fill_n(dw, g.w_shape().elements(), 0.0f);
  else if (const WinogradTile* tile = winograd_tile(conv_algorithm(), g))
    winograd_weight_grad(*tile, g, x, dy, dw, affine);
  else if (is_pointwise(g))
    gemm(true, false, g.in_c, g.out_c, g.batch * g.out_h * g.out_w, x, g.in_c, dy, g.out_c, dw, g.out_c,
         affine);
  else
    direct_weight_grad(g, x, dy, dw, affine);
}

void conv2d_gradients(const ConvGeometry& g, const float* x, const ChannelAffine& affine, const float* w,
                      const float* dy, float* dx, float* dw, RowConsumer* rows) {
  const bool numbers = g.x_shape().elements() > 0 && g.y_shape().elements() > 0;
  if (const WinogradTile* tile = numbers ? winograd_tile(conv_algorithm(), g) : nullptr;
      tile && winograd_gradients(*tile, g, x, affine, w, dy, dx, dw, rows))
    return;
  if (numbers && is_pointwise(g) &&
      gemm_gradients(g.batch * g.out_h * g.out_w, g.in_c, g.out_c, x, affine, w, dy, dx, dw, rows))
    return;
  conv2d_weight_grad(g, x, dy, dw, affine);
  conv2d_input_grad(g, dy, w, dx);
  if (rows) rows->take_all(g.batch * g.in_h * g.in_w, g.in_c);
}

void conv2d(const ConvGeometry& g, const double* x, const double* w, double* y) { plain_conv2d(g, x, w, y); }

void conv2d_input_grad(const ConvGeometry& g, const double* dy, const double* w, double* dx) {
  plain_conv2d_input_grad(g, dy, w, dx);
}

void conv2d_weight_grad(const ConvGeometry& g, const double* x, const double* dy, double* dw) {
  plain_conv2d_weight_grad(g, x, dy, dw);
}

namespace {

/// What happens to x on its way into a convolution, and the memory behind it.
struct Normalisation {
  Buffer<float> scale;
  ChannelAffine affine;

  explicit Normalisation(const BatchNormForward* f) : scale(0) {
    if (f == nullptr) return;
    scale = scales_of<float>(f->gamma, f->inv_std);
    affine = {f->mean.data<float>(), scale.data(), f->beta.data<float>(), f->relu};
  }
};

}  // namespace

void CpuBackend::conv2d(const ConvCall& call, const Tensor& x, const Tensor& w, Tensor& y) {
  const ConvGeometry& g = call.geometry;
  if (y.dtype() == Dtype::f64 && call.plain())
    return cpu::conv2d(g, x.data<double>(), w.data<double>(), y.mutable_data<double>());
  if (y.dtype() != Dtype::f32) return conv2d_in_parts(call, x, w, y);
  const Normalisation norm(call.norm);
  float* py = y.mutable_data<float>();
  if (call.moments == nullptr) return cpu::conv2d(g, x.data<float>(), w.data<float>(), py, norm.affine);
  PartMoments moments(py, g.out_c);
  cpu::conv2d(g, x.data<float>(), w.data<float>(), py, norm.affine, &moments);
  moments.finish(*call.moments);
}

void CpuBackend::conv2d_input_grad(const ConvGeometry& g, const Tensor& dy, const Tensor& w, Tensor& dx) {
  dispatch_floating(dx.dtype(), "conv2d_input_grad", [&]<class T>(T) {
    cpu::conv2d_input_grad(g, dy.data<T>(), w.data<T>(), dx.mutable_data<T>());
  });
}

void CpuBackend::conv2d_weight_grad(const ConvCall& call, const Tensor& x, const Tensor& dy, Tensor& dw) {
  const ConvGeometry& g = call.geometry;
  if (dw.dtype() == Dtype::f32) {
    const Normalisation norm(call.norm);
    cpu::conv2d_weight_grad(g, x.data<float>(), dy.data<float>(), dw.mutable_data<float>(), norm.affine);
  } else if (call.norm != nullptr) {
    conv2d_weight_grad_in_parts(call, dy, dw);
  } else {
    cpu::conv2d_weight_grad(g, x.data<double>(), dy.data<double>(), dw.mutable_data<double>());
  }
}

void CpuBackend::conv2d_gradients(const ConvGeometry& g, const Tensor& x, const Tensor& w, const Tensor& dy,
                                  const ConvGradients& out) {
  if (out.dx.dtype() != Dtype::f32 || (out.norm != nullptr && out.dx.elements() == 0))
    return Backend::conv2d_gradients(g, x, w, dy, out);
  const auto gradients = [&](const ChannelAffine& affine, RowConsumer* of_dx) {
    cpu::conv2d_gradients(g, x.data<float>(), affine, w.data<float>(), dy.data<float>(),
                          out.dx.mutable_data<float>(), out.dw.mutable_data<float>(), of_dx);
  };
  if (out.norm == nullptr) return gradients({}, nullptr);
  BatchNormGrad<float> norm_grad(*out.norm);  // takes dx while it is in the cache
  const BatchNormForward forward = out.norm->forward();
  gradients(Normalisation(&forward).affine, &norm_grad);
  norm_grad.finish(out.dx, *out.dgamma, *out.dbeta, nullptr);
}

}  // namespace basin::cpu
