// CpuBackend: layer normalisation and log-softmax.
#include <cmath>

#include "core/cpu/backend.h"
#include "core/cpu/loops/columns.h"

namespace basin::cpu {
namespace {

// Rows of a task of layer normalisation.
Index layer_rows(Index n) { return std::max(kColumnTaskRows, kColumnTask / n); }

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
                group = std::max<Index>(1, kColumnTask / 4 / n);
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
                group = std::max<Index>(1, kColumnTask / 4 / n);
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
