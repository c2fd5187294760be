// Sums over the channels of a batch, formed piece by piece while the pieces are in the cache: the moments of
// a convolution's result, and the gradient of a batch normalisation. What batch_norm.cpp and convolution.cpp
// share.
#pragma once

#include <algorithm>
#include <vector>

#include "core/backend.h"
#include "core/cpu/conv/row_consumer.h"
#include "core/cpu/loops/columns.h"

namespace basin::cpu {

/// Two sums for each channel of a matrix {pixels, channels}, which comes in parts; they are added in their
/// order.
class ChannelSums {
 public:
  explicit ChannelSums(Index channels) : columns_(channels), part_(0) {}
  const Columns& columns() const { return columns_; }

  void expect(Index parts) { part_ = Buffer<double>(parts * size()); }
  /// Part `part` are pixels [first, first + count): rows_of(first, rows, out) writes the sums of `rows`
  /// matrix rows from that pixel on, rest_of(first, rest, out) those of pixels that fill no row.
  template <class RowsOf, class RestOf>
  void add(Index part, Index first, Index count, RowsOf rows_of, RestOf rest_of) {
    const Index rows = count / columns_.repeat, rest = count % columns_.repeat;
    double* out = part_.data() + part * size();
    rows_of(first, rows, out);
    if (rest == 0) return;
    Buffer<double> more(size());
    rest_of(first + rows * columns_.repeat, rest, more.data());
    for (Index i = 0; i < size(); ++i) out[i] += more[i];
  }
  /// Calls body(part, first, count) for parts of a matrix that is there already.
  template <class Body>
  void whole(Index pixels, Body body) {
    const Index count = std::max(kColumnTaskRows, kColumnTask / columns_.width) * columns_.repeat;
    const Index parts = (pixels + count - 1) / count;
    expect(parts);
    parallel_for(parts, [&](std::int64_t part, int) {
      body(part, part * count, std::min(count, pixels - part * count));
    });
  }
  /// {2, channels}
  Buffer<double> total() const {
    const Index parts = part_.size() / size(), channels = columns_.channels;
    Buffer<double> sums(2 * channels);
    parallel_for((channels + 63) / 64, [&](std::int64_t task, int) {
      const Index begin = task * 64, end = std::min(channels, begin + 64);
      for (Index k = 0; k < 2; ++k) {
        double* to = sums.data() + k * channels;
        std::fill(to + begin, to + end, 0.0);
        for (Index p = 0; p < parts; ++p)
          for (Index turn = 0; turn < columns_.repeat; ++turn) {
            const double* from = part_.data() + (2 * p + k) * columns_.width + turn * channels;
            for (Index c = begin; c < end; ++c) to[c] += from[c];
          }
      }
    });
    return sums;
  }

 private:
  Index size() const { return 2 * columns_.width; }

  Columns columns_;
  Buffer<double> part_;
};

/// The moments of a matrix {pixels, channels} that comes in parts. Each part has a center of its own, one
/// of its pixels, so that few digits cancel; means and squared deviations are joined in f64, part
/// by part in their order (Chan, Golub, LeVeque 1979).
class PartMoments final : public RowConsumer {
 public:
  PartMoments(const float* x, Index channels) : x_(x), columns_(channels), parts_(0) {}

  void expect(Index parts) override {
    parts_ = Buffer<double>(parts * 2 * columns_.channels);
    counts_.assign(static_cast<std::size_t>(parts), 0);
  }

  void take(Index part, Index first, Index count) override {
    const Index channels = columns_.channels, width = columns_.width;
    const float* x = x_ + first * channels;
    const Buffer<float> center = columns_.repeated(x + count / 2 * channels);
    Buffer<double> sums(2 * width), more(2 * width);
    const Index rows = count / columns_.repeat, rest = count % columns_.repeat;
    loops<float>().moments(x, center.data(), rows, width, sums.data());
    if (rest > 0) {
      const Buffer<float> row = columns_.padded(x + (count - rest) * channels, rest, center.data());
      loops<float>().moments(row.data(), center.data(), 1, width, more.data());
      for (Index i = 0; i < 2 * width; ++i) sums[i] += more[i];
    }

    // Of this part: the mean, and the sum of squared deviations from it.
    counts_[static_cast<std::size_t>(part)] = count;
    double* mean = parts_.data() + part * 2 * channels;
    double* squares = mean + channels;
    for (Index c = 0; c < channels; ++c) {
      double sum = 0, square = 0;
      for (Index j = c; j < width; j += channels) {
        sum += sums[j];
        square += sums[width + j];
      }
      const double d = sum / static_cast<double>(count);
      mean[c] = static_cast<double>(center[c]) + d;
      squares[c] = square - sum * d;
    }
  }

  void finish(Moments& of_x) const {
    const Index channels = columns_.channels;
    Buffer<double> mean(channels), squares(channels);
    std::fill_n(mean.data(), channels, 0.0);
    std::fill_n(squares.data(), channels, 0.0);
    double n = 0;
    for (std::size_t part = 0; part < counts_.size(); ++part) {
      const auto more = static_cast<double>(counts_[part]), all = n + more;
      const double* of_part = parts_.data() + static_cast<Index>(part) * 2 * channels;
      for (Index c = 0; c < channels; ++c) {
        const double d = of_part[c] - mean[c];
        mean[c] += d * (more / all);
        squares[c] += of_part[channels + c] + d * d * (n * more / all);
      }
      n = all;
    }
    float* pm = of_x.mean.mutable_data<float>();
    float* pv = of_x.var.mutable_data<float>();
    for (Index c = 0; c < channels; ++c) {
      pm[c] = static_cast<float>(mean[c]);
      pv[c] = static_cast<float>(squares[c] < 0 ? 0 : squares[c] / n);
    }
  }

 private:
  const float* x_;
  Columns columns_;
  Buffer<double> parts_;  // {part, 2, channels}
  std::vector<Index> counts_;
};

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
  parallel_for((n + kColumnTask - 1) / kColumnTask, [&](std::int64_t i, int) {
    NormTask<T> task = common;
    const Index first = i * kColumnTask;
    task.n = std::min(kColumnTask, n - first);
    task.phase = first % task.period;
    body(task, first);
  });
}

inline Index pattern_period(Index channels) { return (kPatternTail + channels - 1) / channels * channels; }

template <class T>
const T* at(const T* p, Index i) {
  return p ? p + i : nullptr;
}

/// gamma inv_std of each channel.
template <class T>
Buffer<T> scales_of(const Tensor& gamma, const Tensor& inv_std) {
  Buffer<T> scales(gamma.elements());
  for (Index c = 0; c < scales.size(); ++c) scales[c] = gamma.data<T>()[c] * inv_std.data<T>()[c];
  return scales;
}

/// The gradient of batch normalisation in two walks: the first, which may take dy in parts, forms the sums
/// over all pixels that the second needs.
template <class T>
class BatchNormGrad final : public RowConsumer {
 public:
  explicit BatchNormGrad(const BatchNormBackward& f)
      : batch_statistics_(f.batch_statistics),
        pixels_(f.x.elements() / f.gamma.elements()),
        x_(f.x.data<T>()),
        y_(f.y ? f.y->data<T>() : nullptr),
        dy_(f.dy.data<T>()),
        mean_(f.mean.data<T>()),
        inv_std_(f.inv_std.data<T>()),
        beta_(f.relu && !f.y ? f.beta.data<T>() : nullptr),
        scale_(scales_of<T>(f.gamma, f.inv_std)),
        sums_(f.gamma.elements()),
        column_means_(columns().repeated(mean_)),
        column_scales_(columns().repeated(scale_.data())),
        column_betas_(columns().repeated(f.beta.data<T>())) {}

  void expect(Index parts) override { sums_.expect(parts); }
  void take(Index part, Index first, Index count) override {
    const NormColumns<T> of_columns{column_means_.data(), column_scales_.data(),
                                    beta_ ? column_betas_.data() : nullptr};
    const auto& loop = loops<T>().batch_norm_sums;
    const Index width = columns().width;
    sums_.add(
        part, first, count,
        [&](Index pixel, Index rows, double* out) {
          loop(from(pixel * channels()), of_columns, rows, width, out);
        },
        [&](Index pixel, Index rest, double* out) {
          Buffer<T> zeros(width);
          std::fill_n(zeros.data(), width, T(0));
          const NormGrad<T> g = from(pixel * channels());
          const Buffer<T> x = columns().padded(g.x, rest, column_means_.data());
          const Buffer<T> d = columns().padded(g.dy, rest, zeros.data());
          const Buffer<T> y = columns().padded(g.y ? g.y : g.dy, rest, zeros.data());
          loop({x.data(), g.y ? y.data() : nullptr, d.data()}, of_columns, 1, width, out);
        });
  }
  /// The first walk over a dy that is there already.
  void take_whole() {
    sums_.whole(pixels_, [&](Index part, Index first, Index count) { take(part, first, count); });
  }

  /// The second walk: dx = gamma inv_std (d - mean(d) - xhat mean(d xhat)), xhat = (x - mean) inv_std.
  void finish(Tensor& dx, Tensor& dgamma, Tensor& dbeta, Tensor* dresidual) const {
    const Index period = pattern_period(channels());
    const Buffer<double> sums = sums_.total();
    const double share = batch_statistics_ ? 1 / static_cast<double>(pixels_) : 0;
    const auto xhat_sum = [&](Index c) { return sums[channels() + c] * static_cast<double>(inv_std_[c]); };
    const auto pattern = [&](auto value_of) { return pattern_of<T>(channels(), period, value_of); };
    const auto mean = pattern([&](Index c) { return mean_[c]; });
    const auto scale = pattern([&](Index c) { return scale_[c]; });
    const auto slope =
        pattern([&](Index c) { return -xhat_sum(c) * share * static_cast<double>(inv_std_[c]); });
    const auto shift = pattern([&](Index c) { return sums[c] * share; });
    const auto beta = pattern([&](Index c) { return beta_ ? beta_[c] : T(0); });
    const NormTask<T> common{
        0, period, 0, mean.data(), scale.data(), shift.data(), slope.data(), beta_ ? beta.data() : nullptr};
    T* pdx = dx.mutable_data<T>();
    T* pdr = dresidual ? dresidual->mutable_data<T>() : nullptr;
    for_norm_tasks(dx.elements(), common, [&](const NormTask<T>& task, Index i) {
      loops<T>().batch_norm_grad(task, from(i), pdx + i, pdr ? pdr + i : nullptr);
    });
    T* pg = dgamma.mutable_data<T>();
    T* pb = dbeta.mutable_data<T>();
    for (Index c = 0; c < channels(); ++c) {
      pg[c] = static_cast<T>(xhat_sum(c));
      pb[c] = static_cast<T>(sums[c]);
    }
  }

 private:
  const Columns& columns() const { return sums_.columns(); }
  Index channels() const { return columns().channels; }
  NormGrad<T> from(Index i) const { return {x_ + i, y_ ? y_ + i : nullptr, dy_ + i}; }

  bool batch_statistics_;
  Index pixels_;
  const T *x_, *y_, *dy_, *mean_, *inv_std_;
  const T* beta_;    // where the sign of the output is found again; else null
  Buffer<T> scale_;  // gamma inv_std
  ChannelSums sums_;
  Buffer<T> column_means_, column_scales_, column_betas_;
};

}  // namespace basin::cpu
