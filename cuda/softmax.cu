// Log-softmax (kernels/softmax.cuh) and cross-entropy of it (kernels/cross_entropy.cuh).
#include "cuda/backend.h"
#include "cuda/dispatch.h"
#include "cuda/kernels/cross_entropy.cuh"
#include "cuda/kernels/softmax.cuh"
#include "cuda/launch.h"

namespace basin::cuda {
namespace {

TargetRows rows_of(const CrossEntropyTarget& target, Index classes, const ErrorWord& errors) {
  return {IndexCheck{errors.place(), IndexedOp::cross_entropy, classes}, numbers<std::int64_t>(target.labels),
          target.onto_label, target.onto_all};
}

}  // namespace

void CudaBackend::log_softmax(const Tensor& x, Tensor& y) {
  if (x.elements() == 0) return;
  const std::int64_t n = x.shape()[x.rank() - 1], rows = x.elements() / n;
  dispatch_activations(x.dtype(), "log_softmax", [&](auto type) {
    using T = decltype(type);
    dispatch_width(n, [&](auto width) {
      launch(log_softmax_kernel<T, width>, Rows<width>::blocks(rows), kThreads, stream(), numbers<T>(x), rows,
             n, numbers<T>(y));
    });
  });
}

void CudaBackend::log_softmax_grad(const Tensor& y, const Tensor& dy, Tensor& dx) {
  if (y.elements() == 0) return;
  const std::int64_t n = y.shape()[y.rank() - 1], rows = y.elements() / n;
  dispatch_activations(y.dtype(), "log_softmax_grad", [&](auto type) {
    using T = decltype(type);
    dispatch_width(n, [&](auto width) {
      launch(log_softmax_grad_kernel<T, width>, Rows<width>::blocks(rows), kThreads, stream(), numbers<T>(y),
             numbers<T>(dy), rows, n, numbers<T>(dx));
    });
  });
}

bool CudaBackend::cross_entropy(const Tensor& logits, const CrossEntropyTarget& target,
                                const CrossEntropyResult& out) {
  const std::int64_t rows = logits.shape()[0], n = logits.shape()[1];
  dispatch_activations(logits.dtype(), "cross_entropy", [&](auto type) {
    using T = decltype(type);
    using N = Compute<T>;
    dispatch_width(n, [&](auto width) {
      const unsigned blocks = Rows<width>::blocks(rows);
      Tensor part = Tensor::empty({blocks, 2}, Dtype::f64, device());
      launch(cross_entropy_kernel<T, width>, blocks, kThreads, stream(), numbers<T>(logits),
             rows_of(target, n, errors_),
             out.counted != nullptr ? numbers<std::int64_t>(*out.counted) : nullptr, rows, n,
             numbers<N>(out.y), numbers<double>(part), counters(), numbers<N>(out.loss),
             out.correct != nullptr ? numbers<double>(*out.correct) : nullptr);
    });
  });
  return true;
}

bool CudaBackend::cross_entropy_grad(const Tensor& y, const CrossEntropyTarget& target, const Tensor& dloss,
                                     Tensor& dlogits) {
  const std::int64_t rows = y.shape()[0], n = y.shape()[1];
  dispatch_activations(dlogits.dtype(), "cross_entropy_grad", [&](auto type) {
    using T = decltype(type);
    using N = Compute<T>;
    dispatch_width(n, [&](auto width) {
      launch(cross_entropy_grad_kernel<T, width>, Rows<width>::blocks(rows), kThreads, stream(),
             numbers<N>(y), rows_of(target, n, errors_), numbers<N>(dloss), rows, n, numbers<T>(dlogits));
    });
  });
  return true;
}

}  // namespace basin::cuda
