// CpuBackend: batch normalisation and log-softmax.
#include <cmath>
#include <vector>

#include "core/cpu/backend.h"
#include "core/parallel.h"

namespace basin::cpu {

void CpuBackend::moments(const Tensor& x, Tensor& mean, Tensor& var) {
  dispatch_floating(x.dtype(), "moments", [&]<class T>(T) {
    const Index c = mean.elements(), rows = c == 0 ? 0 : x.elements() / c;
    const T* px = x.data<T>();
    std::vector<double> m(static_cast<std::size_t>(c)), v(static_cast<std::size_t>(c));
    for (Index r = 0; r < rows; ++r)
      for (Index k = 0; k < c; ++k) m[static_cast<std::size_t>(k)] += static_cast<double>(px[r * c + k]);
    for (double& a : m) a /= static_cast<double>(rows);
    for (Index r = 0; r < rows; ++r)
      for (Index k = 0; k < c; ++k) {
        const double d = static_cast<double>(px[r * c + k]) - m[static_cast<std::size_t>(k)];
        v[static_cast<std::size_t>(k)] += d * d;
      }
    for (Index k = 0; k < c; ++k) {
      mean.mutable_data<T>()[k] = static_cast<T>(m[static_cast<std::size_t>(k)]);
      var.mutable_data<T>()[k] = static_cast<T>(v[static_cast<std::size_t>(k)] / static_cast<double>(rows));
    }
  });
}

void CpuBackend::batch_norm(const BatchNormForward& f, Tensor& y) {
  dispatch_floating(y.dtype(), "batch_norm", [&]<class T>(T) {
    const Index c = f.gamma.elements(), rows = c == 0 ? 0 : y.elements() / c;
    const T* px = f.x.data<T>();
    const T* residual = f.residual ? f.residual->data<T>() : nullptr;
    const T* mean = f.mean.data<T>();
    const T* inv_std = f.inv_std.data<T>();
    const T* gamma = f.gamma.data<T>();
    const T* beta = f.beta.data<T>();
    T* py = y.mutable_data<T>();
    for (Index r = 0; r < rows; ++r)
      for (Index k = 0; k < c; ++k) {
        T value = (px[r * c + k] - mean[k]) * inv_std[k] * gamma[k] + beta[k];
        if (residual) value += residual[r * c + k];
        py[r * c + k] = f.relu && value <= T(0) ? T(0) : value;
      }
  });
}

void CpuBackend::batch_norm_grad(const BatchNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta,
                                 Tensor* dresidual) {
  dispatch_floating(dx.dtype(), "batch_norm_grad", [&]<class T>(T) {
    const Index c = f.gamma.elements(), rows = c == 0 ? 0 : dx.elements() / c;
    const T* px = f.x.data<T>();
    const T* py = f.y ? f.y->data<T>() : nullptr;
    const T* dy = f.dy.data<T>();
    const T* mean = f.mean.data<T>();
    const T* inv_std = f.inv_std.data<T>();
    const T* gamma = f.gamma.data<T>();
    T* pdx = dx.mutable_data<T>();
    T* pres = dresidual ? dresidual->mutable_data<T>() : nullptr;
    T* pg = dgamma.mutable_data<T>();
    T* pb = dbeta.mutable_data<T>();
    const auto masked = [&](Index i) { return py && !(py[i] > T(0)) ? T(0) : dy[i]; };
    std::vector<double> sum(static_cast<std::size_t>(c)), sum_xhat(static_cast<std::size_t>(c));
    for (Index r = 0; r < rows; ++r)
      for (Index k = 0; k < c; ++k) {
        const Index i = r * c + k;
        const std::size_t kk = static_cast<std::size_t>(k);
        const double d = static_cast<double>(masked(i));
        if (pres) pres[i] = masked(i);
        sum[kk] += d;
        sum_xhat[kk] += d * static_cast<double>((px[i] - mean[k]) * inv_std[k]);
      }
    for (Index k = 0; k < c; ++k) {
      pg[k] = static_cast<T>(sum_xhat[static_cast<std::size_t>(k)]);
      pb[k] = static_cast<T>(sum[static_cast<std::size_t>(k)]);
    }
    const double count = f.batch_statistics ? 1 / static_cast<double>(rows) : 0;
    for (Index r = 0; r < rows; ++r)
      for (Index k = 0; k < c; ++k) {
        const Index i = r * c + k;
        const std::size_t kk = static_cast<std::size_t>(k);
        const T xhat = (px[i] - mean[k]) * inv_std[k];
        pdx[i] = gamma[k] * inv_std[k] *
                 (masked(i) - static_cast<T>(sum[kk] * count) - xhat * static_cast<T>(sum_xhat[kk] * count));
      }
  });
}

void CpuBackend::log_softmax(const Tensor& x, Tensor& y) {
  dispatch_floating(x.dtype(), "log_softmax", [&]<class T>(T) {
    const Index n = x.shape()[x.rank() - 1], rows = n == 0 ? 0 : x.elements() / n;
    const T* px = x.data<T>();
    T* py = y.mutable_data<T>();
    for (Index r = 0; r < rows; ++r) {
      const T* row = px + r * n;
      T top = row[0];
      for (Index j = 1; j < n; ++j) top = row[j] > top ? row[j] : top;
      double total = 0;
      for (Index j = 0; j < n; ++j) total += std::exp(static_cast<double>(row[j] - top));
      const T shift = static_cast<T>(std::log(total));
      for (Index j = 0; j < n; ++j) py[r * n + j] = row[j] - top - shift;
    }
  });
}

void CpuBackend::log_softmax_grad(const Tensor& y, const Tensor& dy, Tensor& dx) {
  dispatch_floating(y.dtype(), "log_softmax_grad", [&]<class T>(T) {
    const Index n = y.shape()[y.rank() - 1], rows = n == 0 ? 0 : y.elements() / n;
    const T* py = y.data<T>();
    const T* pd = dy.data<T>();
    T* px = dx.mutable_data<T>();
    for (Index r = 0; r < rows; ++r) {
      double total = 0;
      for (Index j = 0; j < n; ++j) total += static_cast<double>(pd[r * n + j]);
      for (Index j = 0; j < n; ++j)
        px[r * n + j] = pd[r * n + j] - std::exp(py[r * n + j]) * static_cast<T>(total);
    }
  });
}

}  // namespace basin::cpu
