// Batch normalisation (kernels/batch_norm.cuh) and layer normalisation (kernels/layer_norm.cuh).
#include "cuda/backend.h"
#include "cuda/dispatch.h"
#include "cuda/kernels/batch_norm.cuh"
#include "cuda/kernels/layer_norm.cuh"
#include "cuda/launch.h"

namespace basin::cuda {
namespace {

/// Sums over the rows of a matrix {rows, channels}.
template <class Terms>
void sum_channels(CudaBackend& cuda, const Terms& terms, std::int64_t rows, std::int64_t channels,
                  bool packed) {
  const auto tiles = ChannelTiles::of<typename Terms::Stored, Terms::kWide>(rows, channels,
                                                                            kSumBlocks<Terms::kWide>, packed);
  static_assert(kSumBlocks<Terms::kWide> <= CudaBackend::kCounters,
                "a tile of which there are parts has a counter");
  Tensor partial;
  if (tiles.parts > 1) partial = Tensor::empty(Shape{tiles.parts, 2, channels}, Dtype::f64, cuda.device());
  launch(channel_sums_kernel<Terms>, tiles.blocks(), kThreads, cuda.stream(), terms, tiles,
         numbers<double>(partial), cuda.counters());
}

template <class Task>
void map_channels(CudaBackend& cuda, const Task& task, std::int64_t rows, std::int64_t channels,
                  bool packed) {
  const auto tiles = ChannelTiles::of<typename Task::Stored, Task::kWide>(rows, channels, kMapBlocks, packed);
  launch(channel_map_kernel<Task>, tiles.blocks(), kThreads, cuda.stream(), task, tiles);
}

/// Calls body(T{}, group, rows, channels) for x {..., channels}.
template <class Body>
void dispatch_channels(const char* op, const Tensor& x, const Tensor& of_channel, Body body) {
  const std::int64_t channels = of_channel.elements(), rows = x.elements() / channels;
  dispatch_activations(x.dtype(), op, [&](auto type) {
    dispatch_group<decltype(type)>(channels, [&](auto group) { body(type, group, rows, channels); });
  });
}

/// The same, body(T{}, group, width, rows, n), for kernels that have a row together.
template <class Body>
void dispatch_rows(const char* op, const Tensor& x, const Tensor& gamma, Body body) {
  dispatch_channels(op, x, gamma, [&](auto type, auto group, std::int64_t rows, std::int64_t n) {
    if (n / group <= 512)
      body(type, group, Constant<32>{}, rows, n);
    else
      body(type, group, Constant<kThreads>{}, rows, n);
  });
}

/// The moments, and what after(N{}) tells to do with them.
template <class After>
void moments_and(CudaBackend& cuda, const Tensor& x, Tensor& mean, Tensor& var, After after) {
  if (x.elements() == 0) throw ArgumentError("[moments] no numbers to average, x ", x.shape());
  dispatch_channels("moments", x, mean, [&](auto type, auto group, std::int64_t rows, std::int64_t channels) {
    using T = decltype(type);
    using N = Compute<T>;
    const MomentTerms<T, group> terms{numbers<T>(x), numbers<N>(mean), numbers<N>(var), after(N{})};
    sum_channels(cuda, terms, rows, channels, aligned(terms.x));
  });
}

}  // namespace

void CudaBackend::moments(const Tensor& x, Tensor& mean, Tensor& var) {
  moments_and(*this, x, mean, var, []<class N>(N) { return AfterMoments<N>{}; });
}

bool CudaBackend::batch_statistics(const Tensor& x, const BatchStatistics& out) {
  moments_and(*this, x, out.mean, out.var, [&]<class N>(N) {
    AfterMoments<N> after{.inv_std = numbers<N>(out.inv_std), .eps = out.eps};
    if (const RunningStatistics* running = out.running; running != nullptr) {
      after.running_mean = numbers<N>(running->mean);
      after.running_var = numbers<N>(running->var);
      after.batches = numbers<std::int64_t>(running->batches);
      after.share = running->share;
      after.unbiased = running->unbiased;
    }
    return after;
  });
  return true;
}

void CudaBackend::batch_norm(const BatchNormForward& f, Tensor& y) {
  if (y.elements() == 0) return;
  dispatch_channels(
      "batch_norm", y, f.gamma, [&](auto type, auto group, std::int64_t rows, std::int64_t channels) {
        using T = decltype(type);
        using N = Compute<T>;
        const NormaliseTask<T, group> task{numbers<T>(f.x),
                                           f.residual != nullptr ? numbers<T>(*f.residual) : nullptr,
                                           numbers<N>(f.gamma),
                                           numbers<N>(f.beta),
                                           numbers<N>(f.mean),
                                           numbers<N>(f.inv_std),
                                           f.relu,
                                           numbers<T>(y)};
        map_channels(*this, task, rows, channels, aligned(task.x, task.residual, task.y));
      });
}

void CudaBackend::batch_norm_grad(const BatchNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta,
                                  Tensor* dresidual) {
  if (dx.elements() == 0) {
    dgamma.fill(0);
    dbeta.fill(0);
    return;
  }
  dispatch_channels(
      "batch_norm_grad", dx, f.gamma, [&](auto type, auto group, std::int64_t rows, std::int64_t channels) {
        using T = decltype(type);
        using N = Compute<T>;
        const NormGradInput<T> in{numbers<T>(f.x),
                                  numbers<T>(f.dy),
                                  f.y != nullptr ? numbers<T>(*f.y) : nullptr,
                                  numbers<N>(f.gamma),
                                  numbers<N>(f.beta),
                                  numbers<N>(f.mean),
                                  numbers<N>(f.inv_std),
                                  f.relu};
        Tensor of_channel = Tensor::empty({2, channels}, dtype_of<N>, device());
        N* shift = numbers<N>(of_channel);
        const NormGradTerms<T, group> terms{in,    f.batch_statistics, numbers<N>(dgamma), numbers<N>(dbeta),
                                            shift, shift + channels};
        sum_channels(*this, terms, rows, channels, aligned(in.x, in.dy, in.y));
        const NormGradTask<T, group> task{in, shift, shift + channels, numbers<T>(dx),
                                          dresidual != nullptr ? numbers<T>(*dresidual) : nullptr};
        map_channels(*this, task, rows, channels, aligned(in.x, in.dy, in.y, task.dx, task.dresidual));
      });
}

void CudaBackend::layer_norm(const LayerNormForward& f, Tensor& y, Tensor& mean, Tensor& inv_std) {
  if (y.elements() == 0) return;
  dispatch_rows("layer_norm", y, f.gamma,
                [&](auto type, auto group, auto width, std::int64_t rows, std::int64_t n) {
                  using T = decltype(type);
                  using N = Compute<T>;
                  const T* x = numbers<T>(f.x);
                  T* to = numbers<T>(y);
                  launch(layer_norm_kernel<T, group, width>, Rows<width>::blocks(rows), kThreads, stream(), x,
                         numbers<N>(f.gamma), numbers<N>(f.beta), f.eps, rows, n, aligned(x, to), to,
                         numbers<N>(mean), numbers<N>(inv_std));
                });
}

void CudaBackend::layer_norm_grad(const LayerNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta) {
  if (dx.elements() == 0) {
    dgamma.fill(0);
    dbeta.fill(0);
    return;
  }
  dispatch_rows("layer_norm_grad", dx, f.gamma,
                [&](auto type, auto group, auto width, std::int64_t rows, std::int64_t n) {
                  using T = decltype(type);
                  using N = Compute<T>;
                  const LayerGradTerms<T, group> terms{numbers<T>(f.x),    numbers<T>(f.dy),
                                                       numbers<N>(f.mean), numbers<N>(f.inv_std),
                                                       numbers<N>(dgamma), numbers<N>(dbeta)};
                  // The sums first: dx may be dy's tensor.
                  sum_channels(*this, terms, rows, n, aligned(terms.x, terms.dy));
                  T* to = numbers<T>(dx);
                  launch(layer_norm_grad_kernel<T, group, width>, Rows<width>::blocks(rows), kThreads,
                         stream(), terms.x, numbers<N>(f.gamma), terms.mean, terms.inv_std, terms.dy, rows, n,
                         aligned(terms.x, terms.dy, to), to);
                });
}

}  // namespace basin::cuda
