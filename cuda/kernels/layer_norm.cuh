// Layer normalisation of the rows of x {rows, n}, and its gradient.
#pragma once

#include "cuda/kernels/channels.cuh"
#include "cuda/kernels/rows.cuh"

namespace basin::cuda {

/// Sum over a row of term(j, numbers), j the first of a group of places.
template <int width, int group, class Term>
__device__ double row_sum(std::int64_t n, Term term) {
  double sum = 0;
  for (std::int64_t j = Rows<width>::lane() * group; j < n; j += width * group)
    sum += static_cast<double>(term(j));
  return Rows<width>::sum(sum);
}

/// y = xhat gamma + beta, xhat = (x - mean) inv_std, mean = sum_j x_j / n,
/// inv_std = 1 / sqrt(sum_j (x_j - mean)^2 / n + eps).
template <class T, int group, int width>
__global__ void __launch_bounds__(kThreads)
    layer_norm_kernel(const T* x, const Compute<T>* gamma, const Compute<T>* beta, double eps,
                      std::int64_t rows, std::int64_t n, bool packed, T* y, Compute<T>* mean,
                      Compute<T>* inv_std) {
  using N = Compute<T>;
  Rows<width>::each(rows, [=](std::int64_t r, bool counts) {
    const T* row = x + r * n;
    const auto count = static_cast<double>(n);
    const N m = static_cast<N>(row_sum<width, group>(n,
                                                     [=](std::int64_t j) {
                                                       const auto p = load_group<group>(row + j, packed);
                                                       N sum = 0;
                                                       for (int k = 0; k < group; ++k)
                                                         sum += static_cast<N>(p.number[k]);
                                                       return sum;
                                                     }) /
                               count);
    const double squares = row_sum<width, group>(n, [=](std::int64_t j) {
      const auto p = load_group<group>(row + j, packed);
      N sum = 0;
      for (int k = 0; k < group; ++k) {
        const N d = static_cast<N>(p.number[k]) - m;
        sum += d * d;
      }
      return sum;
    });
    const N s = static_cast<N>(1 / std::sqrt(squares / count + eps));
    if (!counts) return;
    if (Rows<width>::lane() == 0) {
      mean[r] = m;
      inv_std[r] = s;
    }
    for (std::int64_t j = Rows<width>::lane() * group; j < n; j += width * group) {
      const auto p = load_group<group>(row + j, packed);
      Pack<T, group> out;
      for (int k = 0; k < group; ++k) {
        const N xhat = (static_cast<N>(p.number[k]) - m) * s;
        out.number[k] = static_cast<T>(std::fma(xhat, gamma[j + k], beta[j + k]));
      }
      store_group(y + r * n + j, out, packed);
    }
  });
}

/// dx = (g - mean_j(g) - xhat mean_j(g xhat)) inv_std, g = dy gamma. dx may be dy.
template <class T, int group, int width>
__global__ void __launch_bounds__(kThreads)
    layer_norm_grad_kernel(const T* x, const Compute<T>* gamma, const Compute<T>* mean,
                           const Compute<T>* inv_std, const T* dy, std::int64_t rows, std::int64_t n,
                           bool packed, T* dx) {
  using N = Compute<T>;
  Rows<width>::each(rows, [=](std::int64_t r, bool counts) {
    const N m = mean[r], s = inv_std[r];
    const auto count = static_cast<double>(n);
    const auto load = [=](const T* p, std::int64_t j) { return load_group<group>(p + r * n + j, packed); };
    const auto g = [=](const Pack<T, group>& d, std::int64_t j, int k) {
      return static_cast<N>(d.number[k]) * gamma[j + k];
    };
    const auto xhat = [=](const Pack<T, group>& p, int k) { return (static_cast<N>(p.number[k]) - m) * s; };
    double sums[2] = {};
    for (std::int64_t j = Rows<width>::lane() * group; j < n; j += width * group) {
      const Pack<T, group> p = load(x, j), d = load(dy, j);
      N few[2] = {};
      for (int k = 0; k < group; ++k) {
        const N here = g(d, j, k);
        few[0] += here;
        few[1] += here * xhat(p, k);
      }
      for (int k = 0; k < 2; ++k) sums[k] += static_cast<double>(few[k]);
    }
    const N mean_g = static_cast<N>(Rows<width>::sum(sums[0]) / count);
    const N mean_gx = static_cast<N>(Rows<width>::sum(sums[1]) / count);
    if (!counts) return;
    for (std::int64_t j = Rows<width>::lane() * group; j < n; j += width * group) {
      const Pack<T, group> p = load(x, j), d = load(dy, j);
      Pack<T, group> out;
      for (int k = 0; k < group; ++k)
        out.number[k] = static_cast<T>((g(d, j, k) - mean_g - xhat(p, k) * mean_gx) * s);
      store_group(dx + r * n + j, out, packed);
    }
  });
}

/// dbeta_j = sum_r dy_rj, dgamma_j = sum_r dy_rj xhat_rj, by channel_sums_kernel.
template <class T, int group>
struct LayerGradTerms {
  static constexpr int kWide = group;
  using Stored = T;
  using Number = Compute<T>;
  struct Row {
    Pack<T, group> x, dy;
    Number mean, inv_std;
  };

  const T *x, *dy;
  const Number *mean, *inv_std;
  Number *dgamma, *dbeta;

  struct Channels {
    __device__ Channels(const LayerGradTerms&, const ChannelPlace&, const ChannelTiles&) {}
    __device__ void add(const Row& r, Number (&few)[2 * group]) const {
      for (int j = 0; j < group; ++j) {
        const auto d = static_cast<Number>(r.dy.number[j]);
        few[j] += d;
        few[group + j] =
            std::fma(d, (static_cast<Number>(r.x.number[j]) - r.mean) * r.inv_std, few[group + j]);
      }
    }
    __device__ void adjust(double, double (&)[2 * group]) const {}
  };

  __device__ Row read(std::int64_t row, std::int64_t channel, const ChannelTiles& t) const {
    const std::int64_t i = row * t.channels + channel;
    return {load_group<group>(x + i, t.packed), load_group<group>(dy + i, t.packed), mean[row], inv_std[row]};
  }
  __device__ void done(std::int64_t c, std::int64_t, double sum, double product) const {
    dbeta[c] = static_cast<Number>(sum);
    dgamma[c] = static_cast<Number>(product);
  }
  template <class F>
  void for_each_pointer(F f) const {
    f(x), f(dy), f(mean), f(inv_std), f(dgamma), f(dbeta);
  }
};

}  // namespace basin::cuda
