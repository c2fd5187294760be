// What the backend can't do yet. Weak: whoever writes a method overrides the one here.
#include "cuda/backend.h"

namespace basin::cuda {

__attribute__((weak)) void CudaBackend::reduce(ReduceOp, const Tensor&, const Axes&, Tensor&) {
  throw InternalError("[cuda] reduce is not written yet");
}
__attribute__((weak)) void CudaBackend::argmax(const Tensor&, int, Tensor&) {
  throw InternalError("[cuda] argmax is not written yet");
}
__attribute__((weak)) void CudaBackend::max_pool(const ConvGeometry&, const Tensor&, Tensor&, Tensor&) {
  throw InternalError("[cuda] max_pool is not written yet");
}
__attribute__((weak)) void CudaBackend::pool_scatter(const ConvGeometry&, const Tensor&, const Tensor&,
                                                     Tensor&) {
  throw InternalError("[cuda] pool_scatter is not written yet");
}
__attribute__((weak)) void CudaBackend::pool_gather(const ConvGeometry&, const Tensor&, const Tensor&,
                                                    Tensor&) {
  throw InternalError("[cuda] pool_gather is not written yet");
}
__attribute__((weak)) void CudaBackend::avg_pool(const ConvGeometry&, const Tensor&, bool, Tensor&) {
  throw InternalError("[cuda] avg_pool is not written yet");
}
__attribute__((weak)) void CudaBackend::avg_pool_grad(const ConvGeometry&, const Tensor&, bool, Tensor&) {
  throw InternalError("[cuda] avg_pool_grad is not written yet");
}
__attribute__((weak)) void CudaBackend::moments(const Tensor&, Tensor&, Tensor&) {
  throw InternalError("[cuda] moments is not written yet");
}
__attribute__((weak)) void CudaBackend::batch_norm(const BatchNormForward&, Tensor&) {
  throw InternalError("[cuda] batch_norm is not written yet");
}
__attribute__((weak)) void CudaBackend::batch_norm_grad(const BatchNormBackward&, Tensor&, Tensor&, Tensor&,
                                                        Tensor*) {
  throw InternalError("[cuda] batch_norm_grad is not written yet");
}
__attribute__((weak)) void CudaBackend::layer_norm(const LayerNormForward&, Tensor&, Tensor&, Tensor&) {
  throw InternalError("[cuda] layer_norm is not written yet");
}
__attribute__((weak)) void CudaBackend::layer_norm_grad(const LayerNormBackward&, Tensor&, Tensor&, Tensor&) {
  throw InternalError("[cuda] layer_norm_grad is not written yet");
}
__attribute__((weak)) void CudaBackend::log_softmax(const Tensor&, Tensor&) {
  throw InternalError("[cuda] log_softmax is not written yet");
}
__attribute__((weak)) void CudaBackend::log_softmax_grad(const Tensor&, const Tensor&, Tensor&) {
  throw InternalError("[cuda] log_softmax_grad is not written yet");
}

}  // namespace basin::cuda
