// CpuBackend: flat vectors. Sums go task by task in f64, in order.
#include <cmath>
#include <vector>

#include "core/cpu/arena.h"
#include "core/cpu/backend.h"
#include "core/cpu/broadcast.h"

namespace basin::cpu {

double CpuBackend::dot(const Tensor& x, const Tensor& y) {
  return dispatch_floating(x.dtype(), "dot", [&]<class T>(T) {
    const T* px = x.data<T>();
    const T* py = y.data<T>();
    Buffer<double> part((x.elements() + kElementwiseTask - 1) / kElementwiseTask);
    for_ranges(x.elements(), [&, &loop = loops<T>().dot](Index begin, Index end) {
      part[begin / kElementwiseTask] = loop(px + begin, py + begin, end - begin);
    });
    double total = 0;
    for (Index i = 0; i < part.size(); ++i) total += part[i];
    return total;
  });
}

void CpuBackend::axpby(double a, const Tensor& x, double b, Tensor& y) {
  dispatch_floating(x.dtype(), "axpby", [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = y.mutable_data<T>();
    for_ranges(x.elements(), [&, &loop = loops<T>().axpby](Index begin, Index end) {
      loop(static_cast<T>(a), px + begin, static_cast<T>(b), py + begin, end - begin);
    });
  });
}

bool CpuBackend::all_finite(const Tensor& x) {
  return dispatch_floating(x.dtype(), "all_finite", [&]<class T>(T) {
    const T* px = x.data<T>();
    std::atomic<bool> finite{true};
    for_ranges(x.elements(), [&, &loop = loops<T>().all_finite](Index begin, Index end) {
      if (!loop(px + begin, end - begin)) finite.store(false, std::memory_order_relaxed);
    });
    return finite.load();
  });
}

void CpuBackend::sgd_step(const SgdStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w,
                          Tensor* buffer) {
  dispatch_floating(w.dtype(), "sgd_step", [&]<class T>(T) {
    const T* pg = g.data<T>();
    const T* mask = decay_mask ? decay_mask->data<T>() : nullptr;
    T* pw = w.mutable_data<T>();
    T* pv = buffer ? buffer->mutable_data<T>() : nullptr;
    for_ranges(w.elements(), [&, &loop = loops<T>().sgd_step](Index begin, Index end) {
      loop(s, pg + begin, mask ? mask + begin : nullptr, pw + begin, pv ? pv + begin : nullptr, end - begin);
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
    const double step = static_cast<double>(s.step);
    const AdamNumbers<T> numbers{.beta1 = static_cast<T>(s.beta1),
                                 .beta2 = static_cast<T>(s.beta2),
                                 .one_minus_beta1 = static_cast<T>(1 - s.beta1),
                                 .one_minus_beta2 = static_cast<T>(1 - s.beta2),
                                 .rate = static_cast<T>(s.lr / (1 - std::pow(s.beta1, step))),
                                 .root_scale = static_cast<T>(1 / std::sqrt(1 - std::pow(s.beta2, step))),
                                 .eps = static_cast<T>(s.eps),
                                 .coupled_decay = static_cast<T>(s.coupled_decay),
                                 .shrink = static_cast<T>(s.lr * s.decoupled_decay)};
    for_ranges(w.elements(), [&, &loop = loops<T>().adam_step](Index begin, Index end) {
      loop(numbers, pg + begin, mask ? mask + begin : nullptr, pw + begin, pm + begin, pv + begin,
           end - begin);
    });
  });
}

}  // namespace basin::cpu
