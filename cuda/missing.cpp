// What the backend can't do yet. Weak: whoever writes a method overrides the one here.
#include "cuda/backend.h"

namespace basin::cuda {

__attribute__((weak)) void CudaBackend::cast(const Tensor&, Tensor&) {
  throw InternalError("[cuda] cast is not written yet");
}
__attribute__((weak)) void CudaBackend::binary(BinaryOp, const Tensor&, const Tensor&, Tensor&) {
  throw InternalError("[cuda] binary is not written yet");
}
__attribute__((weak)) void CudaBackend::where(const Tensor&, const Tensor&, const Tensor&, Tensor&) {
  throw InternalError("[cuda] where is not written yet");
}
__attribute__((weak)) void CudaBackend::permute(const Tensor&, const Axes&, Tensor&) {
  throw InternalError("[cuda] permute is not written yet");
}
__attribute__((weak)) void CudaBackend::copy_block(const Tensor&, const Shape&, Tensor&, const Shape&,
                                                   const Shape&) {
  throw InternalError("[cuda] copy_block is not written yet");
}
__attribute__((weak)) void CudaBackend::gather(const Tensor&, const Tensor&, int, Tensor&) {
  throw InternalError("[cuda] gather is not written yet");
}
__attribute__((weak)) void CudaBackend::scatter_add(const Tensor&, const Tensor&, int, Tensor&) {
  throw InternalError("[cuda] scatter_add is not written yet");
}
__attribute__((weak)) void CudaBackend::gather_last(const Tensor&, const Tensor&, Tensor&) {
  throw InternalError("[cuda] gather_last is not written yet");
}
__attribute__((weak)) void CudaBackend::scatter_add_last(const Tensor&, const Tensor&, Tensor&) {
  throw InternalError("[cuda] scatter_add_last is not written yet");
}
__attribute__((weak)) void CudaBackend::matmul(const Matmul&, const Tensor&, const Tensor&, Tensor&) {
  throw InternalError("[cuda] matmul is not written yet");
}
__attribute__((weak)) void CudaBackend::conv2d(const ConvCall&, const Tensor&, const Tensor&, Tensor&) {
  throw InternalError("[cuda] conv2d is not written yet");
}
__attribute__((weak)) void CudaBackend::conv2d_input_grad(const ConvGeometry&, const Tensor&, const Tensor&,
                                                          Tensor&) {
  throw InternalError("[cuda] conv2d_input_grad is not written yet");
}
__attribute__((weak)) void CudaBackend::conv2d_weight_grad(const ConvCall&, const Tensor&, const Tensor&,
                                                           Tensor&) {
  throw InternalError("[cuda] conv2d_weight_grad is not written yet");
}
__attribute__((weak)) Scalar CudaBackend::dot(const Tensor&, const Tensor&) {
  throw InternalError("[cuda] dot is not written yet");
}
__attribute__((weak)) void CudaBackend::axpby(const Scalar&, const Tensor&, const Scalar&, Tensor&) {
  throw InternalError("[cuda] axpby is not written yet");
}
__attribute__((weak)) Scalar CudaBackend::all_finite(const Tensor&) {
  throw InternalError("[cuda] all_finite is not written yet");
}
__attribute__((weak)) void CudaBackend::update(const UpdateStep&, const UpdateNumbers&,
                                               const UpdateTensors&) {
  throw InternalError("[cuda] update is not written yet");
}

}  // namespace basin::cuda
