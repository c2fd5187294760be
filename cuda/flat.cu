// Flat vectors (kernels/flat.cuh, kernels/update.cuh).
#include <variant>

#include "cuda/backend.h"
#include "cuda/kernels/flat.cuh"
#include "cuda/kernels/update.cuh"
#include "cuda/launch.h"

namespace basin::cuda {
namespace {

/// finish(sum of f(x_i, ...)) over n numbers, as a number on the card.
template <class F, class Finish, class T, class... More>
Scalar sum(CudaBackend& card, F f, Finish finish, std::int64_t n, const T* x, const More*... more) {
  const std::int64_t blocks =
      std::clamp<std::int64_t>(n / (std::int64_t{kThreads} * pack_width<T>), 1, kFlatBlocks);
  Tensor part = Tensor::empty({blocks}, Dtype::f64, card.device());
  Tensor out = Tensor::empty({}, Dtype::f64, card.device());
  void (*kernel)(F, std::int64_t, double*, const T*, const More*...) = sum_kernel<F, T, More...>;
  launch(kernel, static_cast<unsigned>(blocks), kThreads, card.stream(), f, n, numbers<double>(part), x,
         more...);
  launch(finish_sum_kernel<Finish>, 1, kThreads, card.stream(), finish, numbers<double>(part), blocks,
         numbers<double>(out));
  return Scalar(out);
}

}  // namespace

Scalar CudaBackend::dot(const Tensor& x, const Tensor& y) {
  return dispatch_floating(x.dtype(), "dot", [&](auto type) {
    return sum(*this, Product{}, Total{}, x.elements(), numbers<decltype(type)>(x),
               numbers<decltype(type)>(y));
  });
}

Scalar CudaBackend::all_finite(const Tensor& x) {
  return dispatch_floating(x.dtype(), "all_finite", [&](auto type) {
    return sum(*this, NotFinite{}, None{}, x.elements(), numbers<decltype(type)>(x));
  });
}

void CudaBackend::axpby(const Scalar& a, const Tensor& x, const Scalar& b, Tensor& y) {
  const std::int64_t n = y.elements();
  if (n == 0) return;
  Tensor keep_a, keep_b;
  const Number scale = number_of(a, keep_a, device()), share = number_of(b, keep_b, device());
  dispatch_floating(y.dtype(), "axpby", [&](auto type) {
    using T = decltype(type);
    launch(axpby_kernel<T>, blocks_for(n / pack_width<T>), kThreads, stream(), scale, numbers<T>(x), share,
           numbers<T>(y), n);
  });
}

void CudaBackend::update(const UpdateStep& step, const UpdateNumbers& now, const UpdateTensors& t) {
  const std::int64_t n = t.w.elements();
  if (n == 0) return;
  Tensor keep_lr, keep_made;
  const Number lr = number_of(now.lr, keep_lr, device()), made = number_of(now.made, keep_made, device());
  dispatch_floating(t.w.dtype(), "update", [&](auto type) {
    using T = decltype(type);
    const auto of_step = [&](const auto& known) {
      using Step = std::decay_t<decltype(known)>;
      States<T, Step::kStates> states{};
      for (std::size_t i = 0; i < Step::kStates; ++i)
        if (t.state[i] != nullptr) states.of[i] = numbers<T>(*t.state[i]);
      launch(update_kernel<Step, T>, blocks_for(n / pack_width<T>), kThreads, stream(), known, lr, made,
             numbers<T>(t.direction), t.decay_mask != nullptr ? numbers<T>(*t.decay_mask) : nullptr,
             numbers<T>(t.w), states, n);
    };
    std::visit(of_step, step);
  });
}

}  // namespace basin::cuda
