// The CUDA backend: one card as a device of core. What it asks of the card is done in order, by one stream;
// the host does not wait, but in download() and for what it asked by send_home().
#pragma once

#include <cuda_runtime_api.h>

#include <memory>

#include "core/backend.h"
#include "cuda/runtime/error_word.h"
#include "cuda/runtime/options.h"
#include "cuda/runtime/pinned.h"
#include "cuda/runtime/pool.h"
#include "cuda/runtime/stream.h"
#include "cuda/runtime/workplace.h"

namespace basin::cuda {

class Convolutions;  // cuda/convolution.h
class Products;      // cuda/matmul.h

class CudaBackend final : public Backend {
 public:
  /// Makes the card the current one of this thread. Errors: InternalError for what CUDA refuses.
  CudaBackend(int index, const Options& options);
  ~CudaBackend() override;

  const char* name() const override { return "cuda"; }
  bool computes(Dtype dtype) const override { return has_derivatives(dtype); }
  Device device() const { return {Device::Kind::cuda, index_}; }
  /// The stream of all work, after making the card the current one of the calling thread.
  cudaStream_t stream() const;
  Pool& pool() { return pool_; }
  const Options& options() const { return options_; }
  /// kCounters zeros on the card, by which the blocks of a kernel find out who is the last; each kernel
  /// leaves them as zeros. They serve one stream.
  unsigned* counters() const { return counters_; }
  static constexpr int kCounters = 1024;
  /// Whoever has waited for the card calls it. Errors: ArgumentError for an index that a kernel found outside
  /// of what it points into, once.
  void expect_no_errors() const;

  std::byte* allocate(std::size_t bytes) override;
  void release(std::byte* data, std::size_t bytes) override;
  void copy_bytes(std::byte* to, const std::byte* from, std::size_t bytes) override;
  void upload(std::byte* to, const std::byte* from_host, std::size_t bytes) override;
  void download(std::byte* to_host, const std::byte* from, std::size_t bytes) override;
  std::unique_ptr<Arrival> send_home(const std::byte* from, std::size_t bytes) override;

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
  bool takes_norms_along() const override { return false; }

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

  bool cross_entropy(const Tensor& logits, const CrossEntropyTarget& target,
                     const CrossEntropyResult& out) override;
  bool cross_entropy_grad(const Tensor& y, const CrossEntropyTarget& target, const Tensor& dloss,
                          Tensor& dlogits) override;
  bool batch_statistics(const Tensor& x, const BatchStatistics& out) override;
  bool concatenate(const Tensors& parts, Tensor& out) override;
  bool assign_if(const Scalar& condition, const Tensor& x, Tensor& y) override;
  bool runs_programs() const override { return true; }
  void run(const ScalarProgram& program, Tensor& results) override;

  /// By stream capture (graph.cpp). One thread asks the card while a record is made.
  std::unique_ptr<Recording> make_recording() override;
  /// Whether a record is being made: the host then neither reads nor sends.
  void set_recording(bool on) { recording_ = on; }

 private:
  Workplace workplace();
  /// Errors: InternalError while a record is made.
  void expect_no_record(const char* what, std::size_t bytes) const;

  int index_;
  Options options_;
  Stream stream_;
  Pool pool_;
  unsigned* counters_;
  ErrorWord errors_;
  SendingRing sent_{std::size_t{32} << 20};
  Homecomings homecomings_{[this] { expect_no_errors(); }};
  std::weak_ptr<Pool::Arena> arena_;  // of all recordings
  bool recording_ = false;
  std::unique_ptr<Convolutions> convolutions_;
  std::unique_ptr<Products> products_;
};

}  // namespace basin::cuda
