// CpuBackend: flat vectors. Sums go task by task in f64, in order.
#include "core/cpu/backend.h"
#include "core/cpu/loops/broadcast.h"
#include "core/cpu/memory/arena.h"

namespace basin::cpu {

Scalar CpuBackend::dot(const Tensor& x, const Tensor& y) {
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

void CpuBackend::axpby(const Scalar& scale, const Tensor& x, const Scalar& share, Tensor& y) {
  const double a = scale, b = share;
  dispatch_floating(x.dtype(), "axpby", [&]<class T>(T) {
    const T* px = x.data<T>();
    T* py = y.mutable_data<T>();
    for_ranges(x.elements(), [&, &loop = loops<T>().axpby](Index begin, Index end) {
      loop(static_cast<T>(a), px + begin, static_cast<T>(b), py + begin, end - begin);
    });
  });
}

Scalar CpuBackend::all_finite(const Tensor& x) {
  return dispatch_floating(x.dtype(), "all_finite", [&]<class T>(T) {
    const T* px = x.data<T>();
    std::atomic<bool> finite{true};
    for_ranges(x.elements(), [&, &loop = loops<T>().all_finite](Index begin, Index end) {
      if (!loop(px + begin, end - begin)) finite.store(false, std::memory_order_relaxed);
    });
    return finite.load();
  });
}

namespace {

/// Where a task that begins at `begin` reads or writes; null stays null.
template <class T>
T* at(T* data, Index begin) {
  return data ? data + begin : nullptr;
}

template <class T>
const T* numbers(const Tensor* t) {
  return t ? t->data<T>() : nullptr;
}

template <class T>
T* mutable_numbers(Tensor* t) {
  return t ? t->mutable_data<T>() : nullptr;
}

}  // namespace

void CpuBackend::sgd_step(const SgdStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w,
                          Tensor* buffer) {
  dispatch_floating(w.dtype(), "sgd_step", [&]<class T>(T) {
    const T *pg = g.data<T>(), *mask = numbers<T>(decay_mask);
    T *pw = w.mutable_data<T>(), *pv = mutable_numbers<T>(buffer);
    const functors::SgdUpdate<T> update(s);
    for_ranges(w.elements(), [&, &loop = loops<T>().sgd_step](Index begin, Index end) {
      loop(update, pg + begin, at(mask, begin), pw + begin, at(pv, begin), end - begin);
    });
  });
}

void CpuBackend::adam_step(const AdamStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w, Tensor& m,
                           Tensor& v) {
  dispatch_floating(w.dtype(), "adam_step", [&]<class T>(T) {
    const T *pg = g.data<T>(), *mask = numbers<T>(decay_mask);
    T *pw = w.mutable_data<T>(), *pm = m.mutable_data<T>(), *pv = v.mutable_data<T>();
    const functors::AdamUpdate<T> update(s);
    for_ranges(w.elements(), [&, &loop = loops<T>().adam_step](Index begin, Index end) {
      loop(update, pg + begin, at(mask, begin), pw + begin, pm + begin, pv + begin, end - begin);
    });
  });
}

void CpuBackend::rmsprop_step(const RmsPropStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w,
                              Tensor& square, Tensor* buffer) {
  dispatch_floating(w.dtype(), "rmsprop_step", [&]<class T>(T) {
    const T *pg = g.data<T>(), *mask = numbers<T>(decay_mask);
    T *pw = w.mutable_data<T>(), *ps = square.mutable_data<T>(), *pv = mutable_numbers<T>(buffer);
    const functors::RmsPropUpdate<T> update(s);
    for_ranges(w.elements(), [&, &loop = loops<T>().rmsprop_step](Index begin, Index end) {
      loop(update, pg + begin, at(mask, begin), pw + begin, ps + begin, at(pv, begin), end - begin);
    });
  });
}

void CpuBackend::lion_step(const LionStep& s, const Tensor& g, const Tensor* decay_mask, Tensor& w,
                           Tensor& m) {
  dispatch_floating(w.dtype(), "lion_step", [&]<class T>(T) {
    const T *pg = g.data<T>(), *mask = numbers<T>(decay_mask);
    T *pw = w.mutable_data<T>(), *pm = m.mutable_data<T>();
    const functors::LionUpdate<T> update(s);
    for_ranges(w.elements(), [&, &loop = loops<T>().lion_step](Index begin, Index end) {
      loop(update, pg + begin, at(mask, begin), pw + begin, pm + begin, end - begin);
    });
  });
}

}  // namespace basin::cpu
