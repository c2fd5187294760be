// CpuBackend: batch normalisation over all axes but the last, and log-softmax.
#include <cmath>

#include "core/cpu/backend.h"
#include "core/cpu/columns.h"

namespace basin::cpu {
namespace {

constexpr Index kTask = 16384;  // numbers of a task, about
constexpr Index kTaskRows =
    64;                         // matrix rows of a task that sums, at least: each leaves sums for all columns
constexpr Index kSampled = 32;  // pixels whose mean centers the moments

/// Two sums for each channel of a matrix of `pixels` rows: `rows_of(first, rows, out)` has the kernel write
/// those of matrix rows [first, first + rows), `rest_of(first_pixel, rest, out)` those of the last, padded
/// row.
template <class RowsOf, class RestOf>
Buffer<double> channel_sums(const Columns& columns, Index pixels, RowsOf rows_of, RestOf rest_of) {
  const Index width = columns.width, full = pixels / columns.repeat, rest = pixels % columns.repeat;
  const Index rows = std::max(kTaskRows, kTask / width), tasks = (full + rows - 1) / rows;
  const Index parts = tasks + (rest > 0 ? 1 : 0);
  Buffer<double> part(parts * 2 * width);
  parallel_for(parts, [&](std::int64_t task, int) {
    double* out = part.data() + task * 2 * width;
    if (task == tasks)
      rest_of(full * columns.repeat, rest, out);
    else
      rows_of(task * rows, std::min(rows, full - task * rows), out);
  });
  Buffer<double> sums(2 * columns.channels);
  parallel_for((columns.channels + 63) / 64, [&](std::int64_t task, int) {
    const Index begin = task * 64, end = std::min(columns.channels, begin + 64);
    for (Index k = 0; k < 2; ++k) {
      double* to = sums.data() + k * columns.channels;
      std::fill(to + begin, to + end, 0.0);
      for (Index p = 0; p < parts; ++p)
        for (Index turn = 0; turn < columns.repeat; ++turn) {
          const double* from = part.data() + (2 * p + k) * width + turn * columns.channels;
          for (Index c = begin; c < end; ++c) to[c] += from[c];
        }
    }
  });
  return sums;
}

/// values {channels} as a pattern that a NormTask reads.
template <class T, class ValueOf>
Buffer<T> pattern_of(Index channels, Index period, ValueOf value_of) {
  Buffer<T> pattern(period + kPatternTail);
  for (Index i = 0; i < pattern.size(); ++i) pattern[i] = static_cast<T>(value_of(i % channels));
  return pattern;
}

/// Calls body(task of the pattern, first element) over all n elements.
template <class T, class Body>
void for_norm_tasks(Index n, NormTask<T> common, Body body) {
  parallel_for((n + kTask - 1) / kTask, [&](std::int64_t i, int) {
    NormTask<T> task = common;
    const Index first = i * kTask;
    task.n = std::min(kTask, n - first);
    task.phase = first % task.period;
    body(task, first);
  });
}

Index pattern_period(Index channels) { return (kPatternTail + channels - 1) / channels * channels; }

template <class T>
const T* at(const T* p, Index i) {
  return p ? p + i : nullptr;
}

}  // namespace

void CpuBackend::moments(const Tensor& x, Tensor& mean, Tensor& var) {
  dispatch_floating(x.dtype(), "moments", [&]<class T>(T) {
    if (x.elements() == 0) throw ArgumentError("[moments] no numbers to average, x ", x.shape());
    const Index channels = mean.elements(), pixels = x.elements() / channels;
    const T* px = x.data<T>();
    // Sums of (x - center) and its square, the center near the mean: no digits cancel.
    const Index sampled = std::min(kSampled, pixels);
    Buffer<double> center(channels);
    std::fill_n(center.data(), channels, 0.0);
    for (Index i = 0; i < sampled; ++i)
      for (Index c = 0; c < channels; ++c)
        center[c] += static_cast<double>(px[i * pixels / sampled * channels + c]);
    Buffer<T> rounded(channels);
    for (Index c = 0; c < channels; ++c)
      rounded[c] = static_cast<T>(center[c] / static_cast<double>(sampled));
    const Columns columns(channels);
    const Buffer<T> centers = columns.repeated(rounded.data());
    const auto& loop = loops<T>().moments;
    const Buffer<double> sums = channel_sums(
        columns, pixels,
        [&](Index first, Index rows, double* out) {
          loop(px + first * columns.width, centers.data(), rows, columns.width, out);
        },
        [&](Index first, Index rest, double* out) {
          const Buffer<T> row = columns.padded(px + first * channels, rest, centers.data());
          loop(row.data(), centers.data(), 1, columns.width, out);
        });
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
    const Index channels = f.gamma.elements(), pixels = dx.elements() / channels,
                period = pattern_period(channels);
    const Loops<T>& loop = loops<T>();
    const T* px = f.x.data<T>();
    const T* py = f.y ? f.y->data<T>() : nullptr;
    const T* pd = f.dy.data<T>();
    const T* pm = f.mean.data<T>();
    const T* inv_std = f.inv_std.data<T>();
    const T* gamma = f.gamma.data<T>();
    const T* beta = f.relu && !py ? f.beta.data<T>() : nullptr;  // for the sign of the output
    const auto scale_of = [&](Index c) { return gamma[c] * inv_std[c]; };

    const Columns columns(channels);
    Buffer<T> scales(channels);
    for (Index c = 0; c < channels; ++c) scales[c] = scale_of(c);
    const Buffer<T> column_means = columns.repeated(pm), column_scales = columns.repeated(scales.data()),
                    column_betas = columns.repeated(beta ? beta : pm);
    const NormColumns<T> of_columns{column_means.data(), column_scales.data(),
                                    beta ? column_betas.data() : nullptr};
    const auto from = [&](Index i) { return NormGrad<T>{px + i, at(py, i), pd + i}; };
    const Buffer<double> sums = channel_sums(
        columns, pixels,
        [&](Index first, Index rows, double* out) {
          loop.batch_norm_sums(from(first * columns.width), of_columns, rows, columns.width, out);
        },
        [&](Index first, Index rest, double* out) {
          Buffer<T> zeros(columns.width);
          std::fill_n(zeros.data(), columns.width, T(0));
          const Index i = first * channels;
          const Buffer<T> x = columns.padded(px + i, rest, column_means.data());
          const Buffer<T> d = columns.padded(pd + i, rest, zeros.data());
          const Buffer<T> y = columns.padded(py ? py + i : pd + i, rest, zeros.data());
          loop.batch_norm_sums({x.data(), py ? y.data() : nullptr, d.data()}, of_columns, 1, columns.width,
                               out);
        });

    // dx = gamma inv_std (d - mean(d) - xhat mean(d xhat)), xhat = (x - mean) inv_std.
    const double share = f.batch_statistics ? 1 / static_cast<double>(pixels) : 0;
    const auto xhat_sum = [&](Index c) { return sums[channels + c] * static_cast<double>(inv_std[c]); };
    const auto mean = pattern_of<T>(channels, period, [&](Index c) { return pm[c]; });
    const auto scale = pattern_of<T>(channels, period, scale_of);
    const auto slope = pattern_of<T>(
        channels, period, [&](Index c) { return -xhat_sum(c) * share * static_cast<double>(inv_std[c]); });
    const auto shift = pattern_of<T>(channels, period, [&](Index c) { return sums[c] * share; });
    const auto betas = pattern_of<T>(channels, period, [&](Index c) { return beta ? beta[c] : T(0); });
    const NormTask<T> common{
        0, period, 0, mean.data(), scale.data(), shift.data(), slope.data(), beta ? betas.data() : nullptr};
    T* pdx = dx.mutable_data<T>();
    T* pdr = dresidual ? dresidual->mutable_data<T>() : nullptr;
    for_norm_tasks(dx.elements(), common, [&](const NormTask<T>& task, Index i) {
      loop.batch_norm_grad(task, from(i), pdx + i, pdr ? pdr + i : nullptr);
    });

    T* pg = dgamma.mutable_data<T>();
    T* pb = dbeta.mutable_data<T>();
    for (Index c = 0; c < channels; ++c) {
      pg[c] = static_cast<T>(xhat_sum(c));
      pb[c] = static_cast<T>(sums[c]);
    }
  });
}

namespace {

// Rows of a task of layer normalisation.
Index layer_rows(Index n) { return std::max(kTaskRows, kTask / n); }

}  // namespace

void CpuBackend::layer_norm(const LayerNormForward& f, Tensor& y, Tensor& mean, Tensor& inv_std) {
  dispatch_floating(y.dtype(), "layer_norm", [&]<class T>(T) {
    const Index n = f.gamma.elements(), rows = mean.elements(), group = layer_rows(n);
    const T* px = f.x.data<T>();
    const T* gamma = f.gamma.data<T>();
    const T* beta = f.beta.data<T>();
    T* py = y.mutable_data<T>();
    T* pm = mean.mutable_data<T>();
    T* ps = inv_std.mutable_data<T>();
    parallel_for((rows + group - 1) / group, [&, &loop = loops<T>().layer_norm](std::int64_t task, int) {
      const Index first = task * group;
      loop(px + first * n, gamma, beta, f.eps, std::min(group, rows - first), n, py + first * n, pm + first,
           ps + first);
    });
  });
}

void CpuBackend::layer_norm_grad(const LayerNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta) {
  dispatch_floating(dx.dtype(), "layer_norm_grad", [&]<class T>(T) {
    const Index n = f.gamma.elements(), rows = f.mean.elements(), group = layer_rows(n);
    const Index tasks = (rows + group - 1) / group;
    const T* px = f.x.data<T>();
    const T* gamma = f.gamma.data<T>();
    const T* pm = f.mean.data<T>();
    const T* ps = f.inv_std.data<T>();
    const T* pd = f.dy.data<T>();
    T* pdx = dx.mutable_data<T>();
    Buffer<double> part(tasks * 2 * n);
    parallel_for(tasks, [&, &loop = loops<T>().layer_norm_grad](std::int64_t task, int) {
      const Index first = task * group;
      loop(px + first * n, gamma, pm + first, ps + first, pd + first * n, std::min(group, rows - first), n,
           pdx + first * n, part.data() + task * 2 * n);
    });
    T* pb = dbeta.mutable_data<T>();
    T* pg = dgamma.mutable_data<T>();
    for (Index c = 0; c < n; ++c) {
      double sum = 0, product = 0;
      for (Index task = 0; task < tasks; ++task) {
        sum += part[task * 2 * n + c];
        product += part[(task * 2 + 1) * n + c];
      }
      pb[c] = static_cast<T>(sum);
      pg[c] = static_cast<T>(product);
    }
  });
}

void CpuBackend::log_softmax(const Tensor& x, Tensor& y) {
  if (x.elements() == 0) return;
  dispatch_floating(x.dtype(), "log_softmax", [&]<class T>(T) {
    const Index n = x.shape()[x.rank() - 1], rows = x.elements() / n,
                group = std::max<Index>(1, kTask / 4 / n);
    const T* px = x.data<T>();
    T* py = y.mutable_data<T>();
    parallel_for((rows + group - 1) / group, [&, &loop = loops<T>().log_softmax](std::int64_t task, int) {
      const Index first = task * group;
      loop(px + first * n, std::min(group, rows - first), n, py + first * n);
    });
  });
}

void CpuBackend::log_softmax_grad(const Tensor& y, const Tensor& dy, Tensor& dx) {
  if (y.elements() == 0) return;
  dispatch_floating(y.dtype(), "log_softmax_grad", [&]<class T>(T) {
    const Index n = y.shape()[y.rank() - 1], rows = y.elements() / n,
                group = std::max<Index>(1, kTask / 4 / n);
    const T* py = y.data<T>();
    const T* pd = dy.data<T>();
    T* px = dx.mutable_data<T>();
    parallel_for((rows + group - 1) / group,
                 [&, &loop = loops<T>().log_softmax_grad](std::int64_t task, int) {
                   const Index first = task * group;
                   loop(py + first * n, pd + first * n, std::min(group, rows - first), n, px + first * n);
                 });
  });
}

}  // namespace basin::cpu
