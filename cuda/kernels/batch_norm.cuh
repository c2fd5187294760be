// Batch normalisation of x {rows, channels}: moments, y, and the gradient, by the walks of channels.cuh.
#pragma once

#include "core/functors/binary.h"
#include "core/functors/norm.h"
#include "cuda/kernels/channels.cuh"

namespace basin::cuda {

/// What follows from the moments of a batch, where there is room for it (not null): inv_std = 1/sqrt(var +
/// eps), and running statistics r <- (1 - share) r + share s, s the mean and `unbiased` times the variance.
template <class N>
struct AfterMoments {
  N *inv_std = nullptr, *running_mean = nullptr, *running_var = nullptr;
  std::int64_t* batches = nullptr;
  double eps = 0, share = 0, unbiased = 0;

  __device__ void move(N& r, N s, double by) const {
    const N kept = static_cast<N>(1 - share), moved = static_cast<N>(by) * s;
    r = kept == N(0) ? moved : moved + kept * r;
  }
  __device__ void follow(std::int64_t c, N mean, N var) const {
    if (inv_std != nullptr) inv_std[c] = functors::Unary<UnaryOp::rsqrt>{}(var + static_cast<N>(eps));
    if (running_mean == nullptr) return;
    move(running_mean[c], mean, share);
    move(running_var[c], var, share * unbiased);
    if (c == 0) ++*batches;
  }
  template <class F>
  void for_each_pointer(F f) const {
    f(inv_std), f(running_mean), f(running_var), f(batches);
  }
};

/// mean_c = sum_r x_rc / rows and var_c = sum_r (x_rc - mean_c)^2 / rows. A thread sums x - x' and its
/// square, x' the first number that it reads, so that no digits cancel in f32; in f64 all go over to x_0c.
template <class T, int group>
struct MomentTerms {
  static constexpr int kWide = group;
  using Stored = T;
  using Number = Compute<T>;
  struct Row {
    Pack<T, group> x;
  };

  const T* x;
  Number *mean, *var;
  AfterMoments<Number> after;

  struct Channels {
    Number center[group];
    double away[group];  // of x_0c

    __device__ Channels(const MomentTerms& m, const ChannelPlace& at, const ChannelTiles& t) {
      for (int j = 0; j < group; ++j) {
        center[j] = static_cast<Number>(m.x[at.first * t.channels + at.channel + j]);
        away[j] = static_cast<double>(center[j]) - static_cast<double>(m.x[at.channel + j]);
      }
    }
    __device__ void add(const Row& row, Number (&few)[2 * group]) const {
      for (int j = 0; j < group; ++j) {
        const Number d = static_cast<Number>(row.x.number[j]) - center[j];
        few[j] += d;
        few[group + j] = std::fma(d, d, few[group + j]);
      }
    }
    __device__ void adjust(double count, double (&sums)[2 * group]) const {
      for (int j = 0; j < group; ++j) {
        sums[group + j] += away[j] * (2 * sums[j] + count * away[j]);
        sums[j] += count * away[j];
      }
    }
  };

  __device__ Row read(std::int64_t row, std::int64_t channel, const ChannelTiles& t) const {
    return {load_group<group>(x + row * t.channels + channel, t.packed)};
  }
  __device__ void done(std::int64_t c, std::int64_t rows, double sum, double squares) const {
    const double d = sum / static_cast<double>(rows), v = squares / static_cast<double>(rows) - d * d;
    mean[c] = static_cast<Number>(static_cast<double>(x[c]) + d);
    var[c] = static_cast<Number>(v < 0 ? 0 : v);
    after.follow(c, mean[c], var[c]);
  }
  template <class F>
  void for_each_pointer(F f) const {
    f(x), f(mean), f(var);
    after.for_each_pointer(f);
  }
};

/// y = (x - mean) gamma inv_std + beta, + residual, through a ReLU; the latter two where wanted.
template <class T, int group>
struct NormaliseTask {
  static constexpr int kWide = group;
  using Stored = T;
  using Number = Compute<T>;
  struct Row {
    Pack<T, group> x, residual;
  };

  const T *x, *residual;  // residual may be null
  const Number *gamma, *beta, *mean, *inv_std;
  bool relu;
  T* y;

  struct Channels {
    Number mean[group], scale[group], shift[group];

    __device__ Channels(const NormaliseTask& n, const ChannelPlace& at, const ChannelTiles&) {
      for (int j = 0; j < group; ++j) {
        const std::int64_t c = at.channel + j;
        mean[j] = n.mean[c];
        scale[j] = n.gamma[c] * n.inv_std[c];
        shift[j] = n.beta[c];
      }
    }
  };

  __device__ Row read(std::int64_t row, std::int64_t channel, const ChannelTiles& t) const {
    const std::int64_t i = row * t.channels + channel;
    Row r{load_group<group>(x + i, t.packed), {}};
    if (residual != nullptr) r.residual = load_group<group>(residual + i, t.packed);
    return r;
  }
  __device__ void write(const Channels& c, const Row& r, std::int64_t row, std::int64_t channel,
                        const ChannelTiles& t) const {
    Pack<T, group> out;
    for (int j = 0; j < group; ++j) {
      Number value =
          functors::Normalise{}(static_cast<Number>(r.x.number[j]), c.mean[j], c.scale[j], c.shift[j]);
      if (residual != nullptr) value += static_cast<Number>(r.residual.number[j]);
      out.number[j] = static_cast<T>(relu ? functors::Unary<UnaryOp::relu>{}(value) : value);
    }
    store_group(y + row * t.channels + channel, out, t.packed);
  }
  template <class F>
  void for_each_pointer(F f) const {
    f(x), f(residual), f(gamma), f(beta), f(mean), f(inv_std), f(y);
  }
};

/// What both walks of the gradient read.
template <class T>
struct NormGradInput {
  using Number = Compute<T>;

  const T *x, *dy;
  const T* y;  // the output, where its sign masks dy and was not found from x alone; else null
  const Number *gamma, *beta, *mean, *inv_std;
  bool relu;

  template <class F>
  void for_each_pointer(F f) const {
    f(x), f(dy), f(y), f(gamma), f(beta), f(mean), f(inv_std);
  }
};

/// How the group of channels from `channel` on was normalised.
template <class T, int group>
struct NormOfChannels {
  Compute<T> mean[group], scale[group], beta[group];

  __device__ NormOfChannels(const NormGradInput<T>& in, std::int64_t channel) {
    for (int j = 0; j < group; ++j) {
      const std::int64_t c = channel + j;
      mean[j] = in.mean[c];
      scale[j] = in.gamma[c] * in.inv_std[c];
      beta[j] = in.beta[c];
    }
  }
};

/// d = dy where the output is positive, or dy itself without a ReLU.
template <class T, int group>
struct NormGradRow {
  using Number = Compute<T>;
  Pack<T, group> x, dy, y;

  __device__ static NormGradRow of(const NormGradInput<T>& in, std::int64_t i, bool packed) {
    NormGradRow r{load_group<group>(in.x + i, packed), load_group<group>(in.dy + i, packed), {}};
    if (in.y != nullptr) r.y = load_group<group>(in.y + i, packed);
    return r;
  }
  __device__ Number d(const NormGradInput<T>& in, int j, const NormOfChannels<T, group>& norm) const {
    const auto all = static_cast<Number>(dy.number[j]);
    if (!in.relu) return all;
    const Number out = in.y != nullptr ? static_cast<Number>(y.number[j])
                                       : functors::Normalise{}(static_cast<Number>(x.number[j]), norm.mean[j],
                                                               norm.scale[j], norm.beta[j]);
    return functors::Binary<BinaryOp::relu_grad>{}(all, out);
  }
};

/// dbeta = sum_r d, dgamma = inv_std sum_r d (x - mean), and for the second walk, where the statistics are
/// those of the batch, shift = dbeta / rows, slope = -inv_std dgamma / rows; else 0.
template <class T, int group>
struct NormGradTerms {
  static constexpr int kWide = group;
  using Stored = T;
  using Number = Compute<T>;
  using Row = NormGradRow<T, group>;

  NormGradInput<T> in;
  bool batch_statistics;
  Number *dgamma, *dbeta, *shift, *slope;

  struct Channels {
    NormGradInput<T> in;
    NormOfChannels<T, group> norm;

    __device__ Channels(const NormGradTerms& n, const ChannelPlace& at, const ChannelTiles&)
        : in(n.in), norm(in, at.channel) {}
    __device__ void add(const Row& r, Number (&few)[2 * group]) const {
      for (int j = 0; j < group; ++j) {
        const Number d = r.d(in, j, norm);
        few[j] += d;
        few[group + j] = std::fma(d, static_cast<Number>(r.x.number[j]) - norm.mean[j], few[group + j]);
      }
    }
    __device__ void adjust(double, double (&)[2 * group]) const {}
  };

  __device__ Row read(std::int64_t row, std::int64_t channel, const ChannelTiles& t) const {
    return Row::of(in, row * t.channels + channel, t.packed);
  }
  __device__ void done(std::int64_t c, std::int64_t rows, double sum, double product) const {
    const auto inv_std = static_cast<double>(in.inv_std[c]);
    const double share = batch_statistics ? 1 / static_cast<double>(rows) : 0;
    dbeta[c] = static_cast<Number>(sum);
    dgamma[c] = static_cast<Number>(product * inv_std);
    shift[c] = static_cast<Number>(sum * share);
    slope[c] = static_cast<Number>(-(product * inv_std) * share * inv_std);
  }
  template <class F>
  void for_each_pointer(F f) const {
    in.for_each_pointer(f);
    f(dgamma), f(dbeta), f(shift), f(slope);
  }
};

/// dx = gamma inv_std (d - shift + slope (x - mean)), which is gamma inv_std (d - mean(d) - xhat mean(d
/// xhat)) of Ioffe and Szegedy 2015; dresidual = d. dx may be dy.
template <class T, int group>
struct NormGradTask {
  static constexpr int kWide = group;
  using Stored = T;
  using Number = Compute<T>;
  using Row = NormGradRow<T, group>;

  NormGradInput<T> in;
  const Number *shift, *slope;
  T *dx, *dresidual;  // dresidual may be null

  struct Channels {
    NormOfChannels<T, group> norm;
    Number shift[group], slope[group];

    __device__ Channels(const NormGradTask& n, const ChannelPlace& at, const ChannelTiles&)
        : norm(n.in, at.channel) {
      for (int j = 0; j < group; ++j) {
        shift[j] = n.shift[at.channel + j];
        slope[j] = n.slope[at.channel + j];
      }
    }
  };

  __device__ Row read(std::int64_t row, std::int64_t channel, const ChannelTiles& t) const {
    return Row::of(in, row * t.channels + channel, t.packed);
  }
  __device__ void write(const Channels& c, const Row& r, std::int64_t row, std::int64_t channel,
                        const ChannelTiles& t) const {
    const std::int64_t i = row * t.channels + channel;
    Pack<T, group> out, masked;
    for (int j = 0; j < group; ++j) {
      const Number d = r.d(in, j, c.norm);
      const Number x = static_cast<Number>(r.x.number[j]) - c.norm.mean[j];
      masked.number[j] = static_cast<T>(d);
      out.number[j] = static_cast<T>(std::fma(x, c.slope[j], d - c.shift[j]) * c.norm.scale[j]);
    }
    store_group(dx + i, out, t.packed);
    if (dresidual != nullptr) store_group(dresidual + i, masked, t.packed);
  }
  template <class F>
  void for_each_pointer(F f) const {
    in.for_each_pointer(f);
    f(shift), f(slope), f(dx), f(dresidual);
  }
};

}  // namespace basin::cuda
