// CpuBackend: the kernels of core/backend.h on the host. Its methods live by subject in elementwise.cpp,
// reduce.cpp, layout.cpp, index.cpp, pool.cpp, convolution.cpp, batch_norm.cpp, norm.cpp, image_batch.cpp,
// draws.cpp, flat.cpp and backend.cpp.
#pragma once

#include "core/backend.h"

namespace basin::cpu {

class CpuBackend : public Backend {
 public:
  const char* name() const override { return "cpu"; }

  std::byte* allocate(std::size_t bytes) override;
  void release(std::byte* data, std::size_t bytes) override;
  void copy_bytes(std::byte* to, const std::byte* from, std::size_t bytes) override;
  void fill(Tensor& out, double value) override;
  void cast(const Tensor& x, Tensor& out) override;

  void unary(UnaryOp op, const Tensor& x, double a, double b, Tensor& out) override;
  void binary(BinaryOp op, const Tensor& x, const Tensor& z, Tensor& out) override;
  void where(const Tensor& condition, const Tensor& x, const Tensor& z, Tensor& out) override;

  void reduce(ReduceOp op, const Tensor& x, const Axes& axes, Tensor& out) override;
  void argmax(const Tensor& x, int axis, Tensor& out) override;

  void permute(const Tensor& x, const Axes& perm, Tensor& out) override;
  void copy_block(const Tensor& x, const Shape& from, Tensor& out, const Shape& to,
                  const Shape& extent) override;
  void gather(const Tensor& x, const Tensor& index, int axis, Tensor& out) override;
  void scatter_add(const Tensor& x, const Tensor& index, int axis, Tensor& out) override;
  void gather_last(const Tensor& x, const Tensor& index, Tensor& out) override;
  void scatter_add_last(const Tensor& x, const Tensor& index, Tensor& out) override;

  void matmul(const Matmul& g, const Tensor& a, const Tensor& b, Tensor& out) override;
  void conv2d(const ConvCall& call, const Tensor& x, const Tensor& w, Tensor& y) override;
  void conv2d_input_grad(const ConvGeometry& g, const Tensor& dy, const Tensor& w, Tensor& dx) override;
  void conv2d_weight_grad(const ConvCall& call, const Tensor& x, const Tensor& dy, Tensor& dw) override;
  void conv2d_gradients(const ConvGeometry& g, const Tensor& x, const Tensor& w, const Tensor& dy,
                        const ConvGradients& out) override;

  void max_pool(const ConvGeometry& g, const Tensor& x, Tensor& y, Tensor& index) override;
  void pool_scatter(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) override;
  void pool_gather(const ConvGeometry& g, const Tensor& x, const Tensor& index, Tensor& out) override;
  void avg_pool(const ConvGeometry& g, const Tensor& x, bool count_pad, Tensor& y) override;
  void avg_pool_grad(const ConvGeometry& g, const Tensor& dy, bool count_pad, Tensor& dx) override;

  void moments(const Tensor& x, Tensor& mean, Tensor& var) override;
  void batch_norm(const BatchNormForward& f, Tensor& y) override;
  void batch_norm_grad(const BatchNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta,
                       Tensor* dresidual) override;
  void layer_norm(const LayerNormForward& f, Tensor& y, Tensor& mean, Tensor& inv_std) override;
  void layer_norm_grad(const LayerNormBackward& f, Tensor& dx, Tensor& dgamma, Tensor& dbeta) override;
  void log_softmax(const Tensor& x, Tensor& y) override;
  void log_softmax_grad(const Tensor& y, const Tensor& dy, Tensor& dx) override;

  void image_batch(const ImageBatch& b, Tensor& out) override;
  void draw(const LayerDraws& d, Tensor& out) override;

  Scalar dot(const Tensor& x, const Tensor& y) override;
  void axpby(const Scalar& a, const Tensor& x, const Scalar& b, Tensor& y) override;
  Scalar all_finite(const Tensor& x) override;
  void update(const UpdateStep& step, const UpdateNumbers& now, const UpdateTensors& t) override;
};

}  // namespace basin::cpu
