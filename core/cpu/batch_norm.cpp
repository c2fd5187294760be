// CpuBackend: batch normalisation over all axes but the last.
#include <algorithm>

#include "core/cpu/backend.h"
#include "core/cpu/batch_norm_sums.h"

namespace basin::cpu {

void CpuBackend::moments(const Tensor& x, Tensor& mean, Tensor& var) {
  dispatch_floating(x.dtype(), "moments", [&]<class T>(T) {
    if (x.elements() == 0) throw ArgumentError("[moments] no numbers to average, x ", x.shape());
    const Index channels = mean.elements(), pixels = x.elements() / channels;
    const T* px = x.data<T>();
    // Sums of (x - center) and its square, the center near the mean: no digits cancel.
    constexpr Index kSampled = 32;  // pixels whose mean centers the moments
    const Index sampled = std::min(kSampled, pixels);
    Buffer<double> center(channels);
    std::fill_n(center.data(), channels, 0.0);
    for (Index i = 0; i < sampled; ++i)
      for (Index c = 0; c < channels; ++c)
        center[c] += static_cast<double>(px[i * pixels / sampled * channels + c]);
    Buffer<T> rounded(channels);
    for (Index c = 0; c < channels; ++c)
      rounded[c] = static_cast<T>(center[c] / static_cast<double>(sampled));
    ChannelSums all(channels);
    const Columns& columns = all.columns();
    const Buffer<T> centers = columns.repeated(rounded.data());
    const auto& loop = loops<T>().moments;
    const auto rows_of = [&](Index first, Index rows, double* out) {
      loop(px + first * channels, centers.data(), rows, columns.width, out);
    };
    const auto rest_of = [&](Index first, Index rest, double* out) {
      const Buffer<T> row = columns.padded(px + first * channels, rest, centers.data());
      loop(row.data(), centers.data(), 1, columns.width, out);
    };
    all.whole(pixels,
              [&](Index part, Index first, Index count) { all.add(part, first, count, rows_of, rest_of); });
    const Buffer<double> sums = all.total();
    T* pm = mean.mutable_data<T>();
    T* pv = var.mutable_data<T>();
    for (Index c = 0; c < channels; ++c) {
      const double d = sums[c] / static_cast<double>(pixels);
      const double v = sums[channels + c] / static_cast<double>(pixels) - d * d;
      pm[c] = static_cast<T>(static_cast<double>(rounded[c]) + d);
      pv[c] = static_cast<T>(v < 0 ? 0 : v);
    }
  });
}

void CpuBackend::batch_norm(const BatchNormForward& f, Tensor& y) {
  if (y.elements() == 0) return;
  dispatch_floating(y.dtype(), "batch_norm", [&]<class T>(T) {
    const Index channels = f.gamma.elements(), period = pattern_period(channels);
    const T* gamma = f.gamma.data<T>();
    const T* inv_std = f.inv_std.data<T>();
    const T* px = f.x.data<T>();
    const T* residual = f.residual ? f.residual->data<T>() : nullptr;
    T* py = y.mutable_data<T>();
    const auto mean = pattern_of<T>(channels, period, [p = f.mean.data<T>()](Index c) { return p[c]; });
    const auto scale = pattern_of<T>(channels, period, [&](Index c) { return gamma[c] * inv_std[c]; });
    const auto shift = pattern_of<T>(channels, period, [p = f.beta.data<T>()](Index c) { return p[c]; });
    const NormTask<T> common{0, period, 0, mean.data(), scale.data(), shift.data(), nullptr, nullptr};
    for_norm_tasks(y.elements(), common,
                   [&, &loop = loops<T>().batch_norm](const NormTask<T>& task, Index i) {
                     loop(task, px + i, at(residual, i), f.relu, py + i);
                   });
  });
}

void CpuBackend::batch_norm_grad(const BatchNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta,
                                 Tensor* dresidual) {
  if (dx.elements() == 0) {
    dgamma.fill(0);
    dbeta.fill(0);
    return;
  }
  dispatch_floating(dx.dtype(), "batch_norm_grad", [&]<class T>(T) {
    BatchNormGrad<T> grad(f);
    grad.take_whole();
    grad.finish(dx, dgamma, dbeta, dresidual);
  });
}

}  // namespace basin::cpu
