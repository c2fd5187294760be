// CpuBackend: flat vectors. Sums go task by task in f64, in order.
#include <array>
#include <variant>

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

template <class T, class Step>
void update_by(const Step& step, const UpdateTime& now, const UpdateTensors& t) {
  const typename Step::template Formula<T> formula(step, now);
  const T* g = t.direction.data<T>();
  const T* mask = t.decay_mask != nullptr ? t.decay_mask->data<T>() : nullptr;
  T* w = t.w.mutable_data<T>();
  std::array<T*, Step::kStates> state{};
  for (std::size_t i = 0; i < Step::kStates; ++i)
    state[i] = t.state[i] != nullptr ? t.state[i]->mutable_data<T>() : nullptr;
  const auto& loop = std::get<UpdateLoop<T, Step>>(loops<T>().update);
  for_ranges(t.w.elements(), [&](Index begin, Index end) {
    std::array<T*, Step::kStates> from{};
    for (std::size_t i = 0; i < Step::kStates; ++i)
      from[i] = state[i] != nullptr ? state[i] + begin : nullptr;
    loop(formula, g + begin, mask != nullptr ? mask + begin : nullptr, w + begin, from.data(), end - begin);
  });
}

}  // namespace

void CpuBackend::update(const UpdateStep& step, const UpdateNumbers& now, const UpdateTensors& t) {
  const UpdateTime time{now.lr, static_cast<std::int64_t>(now.made.value())};
  dispatch_floating(t.w.dtype(), "update", [&]<class T>(T) {
    std::visit([&](const auto& known) { update_by<T>(known, time, t); }, step);
  });
}

}  // namespace basin::cpu
