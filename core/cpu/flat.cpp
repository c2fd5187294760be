// CpuBackend: operations on flat vectors (optimizers).
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/cpu/backend.h"
#include "core/parallel.h"

namespace basin::cpu {
namespace {

constexpr Index kBlock = 4096;

template <class Body>
void for_blocks(Index n, Body&& body) {
  parallel_for((n + kBlock - 1) / kBlock,
               [&](std::int64_t i, int) { body(i, i * kBlock, std::min(n, (i + 1) * kBlock)); });
}

}  // namespace

double CpuBackend::dot(const Tensor& x, const Tensor& y) {
  return dispatch_floating(x.dtype(), "dot", [&]<class T>(T) {
    const T* px = x.data<T>();
    const T* py = y.data<T>();
    std::vector<double> part(static_cast<std::size_t>((x.elements() + kBlock - 1) / kBlock));
    for_blocks(x.elements(), [&](Index block, Index begin, Index end) {
      double sum = 0;
      for (Index i = begin; i < end; ++i) sum += static_cast<double>(px[i]) * static_cast<double>(py[i]);
      part[static_cast<std::size_t>(block)] = sum;
    });
    double total = 0;
    for (double p : part) total += p;
    return total;
  });
}

void CpuBackend::axpby(double a, const Tensor& x, double b, Tensor& y) {
  dispatch_floating(x.dtype(), "axpby", [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = y.mutable_data<T>();
    const T ta = static_cast<T>(a), tb = static_cast<T>(b);
    for_blocks(x.elements(), [&](Index, Index begin, Index end) {
      for (Index i = begin; i < end; ++i) py[i] = b == 0 ? ta * px[i] : ta * px[i] + tb * py[i];
    });
  });
}

bool CpuBackend::all_finite(const Tensor& x) {
  return dispatch_floating(x.dtype(), "all_finite", [&]<class T>(T) {
    const T* px = x.data<T>();
    std::vector<char> good(static_cast<std::size_t>((x.elements() + kBlock - 1) / kBlock));
    for_blocks(x.elements(), [&](Index block, Index begin, Index end) {
      good[static_cast<std::size_t>(block)] =
          std::all_of(px + begin, px + end, [](T v) { return std::isfinite(v); }) ? 1 : 0;
    });
    return std::all_of(good.begin(), good.end(), [](char g) { return g != 0; });
  });
}

void CpuBackend::sgd_step(const SgdStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w,
                          Tensor* buffer) {
  dispatch_floating(w.dtype(), "sgd_step", [&]<class T>(T) {
    const T* pg = g.data<T>();
    const T* mask = decay_mask ? decay_mask->data<T>() : nullptr;
    T* pw = w.mutable_data<T>();
    T* pv = buffer ? buffer->mutable_data<T>() : nullptr;
    const T lr = static_cast<T>(s.lr), momentum = static_cast<T>(s.momentum),
            fresh = static_cast<T>(1 - s.dampening), decay = static_cast<T>(s.weight_decay);
    for_blocks(w.elements(), [&](Index, Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        T d = pg[i] + decay * (mask ? mask[i] : T(1)) * pw[i];
        if (pv) {
          pv[i] = s.first ? d : momentum * pv[i] + fresh * d;
          d = s.nesterov ? d + momentum * pv[i] : pv[i];
        }
        pw[i] -= lr * d;
      }
    });
  });
}

void CpuBackend::adam_step(const AdamStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w, Tensor& m,
                           Tensor& v) {
  dispatch_floating(w.dtype(), "adam_step", [&]<class T>(T) {
    const T* pg = g.data<T>();
    const T* mask = decay_mask ? decay_mask->data<T>() : nullptr;
    T* pw = w.mutable_data<T>();
    T* pm = m.mutable_data<T>();
    T* pv = v.mutable_data<T>();
    const T beta1 = static_cast<T>(s.beta1), beta2 = static_cast<T>(s.beta2);
    const T fresh1 = static_cast<T>(1 - s.beta1), fresh2 = static_cast<T>(1 - s.beta2);
    const double step = static_cast<double>(s.step);
    const T rate = static_cast<T>(s.lr / (1 - std::pow(s.beta1, step)));
    const T scale = static_cast<T>(1 / std::sqrt(1 - std::pow(s.beta2, step)));
    const T coupled = static_cast<T>(s.coupled_decay), shrink = static_cast<T>(s.lr * s.decoupled_decay);
    const T eps = static_cast<T>(s.eps);
    for_blocks(w.elements(), [&](Index, Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const T on = mask ? mask[i] : T(1);
        const T d = pg[i] + coupled * on * pw[i];
        pm[i] = beta1 * pm[i] + fresh1 * d;
        pv[i] = beta2 * pv[i] + fresh2 * d * d;
        pw[i] = pw[i] - shrink * on * pw[i] - rate * pm[i] / (std::sqrt(pv[i]) * scale + eps);
      }
    });
  });
}

}  // namespace basin::cpu
