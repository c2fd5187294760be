#include "cuda/backend.h"

#include "cuda/convolution.h"
#include "cuda/matmul.h"

namespace basin::cuda {
namespace {

int selected(int index) {
  make_current(index);
  return index;
}

unsigned* make_counters(Pool& pool, const Stream& stream) {
  constexpr std::size_t bytes = CudaBackend::kCounters * sizeof(unsigned);
  auto* counters = reinterpret_cast<unsigned*>(pool.take(bytes));
  check(cudaMemsetAsync(counters, 0, bytes, stream.get()), "cudaMemsetAsync");
  return counters;
}

}  // namespace

CudaBackend::CudaBackend(int index, const Options& options)
    : index_(selected(index)),
      options_(options),
      pool_(index, options.cached_memory),
      counters_(make_counters(pool_, stream_)),
      convolutions_(std::make_unique<Convolutions>(workplace())),
      products_(std::make_unique<Products>(workplace())) {}

CudaBackend::~CudaBackend() = default;

Workplace CudaBackend::workplace() {
  return {device(), options_, pool_, [this] { return stream(); }};
}

// What NVIDIA's libraries do: cuDNN convolutions, cuBLASLt products.

void CudaBackend::conv2d(const ConvCall& call, const Tensor& x, const Tensor& w, Tensor& y) {
  if (!call.plain()) return conv2d_in_parts(call, x, w, y);
  convolutions_->forward(call.geometry, x, w, y);
}

void CudaBackend::conv2d_input_grad(const ConvGeometry& g, const Tensor& dy, const Tensor& w, Tensor& dx) {
  convolutions_->input_grad(g, dy, w, dx);
}

void CudaBackend::conv2d_weight_grad(const ConvCall& call, const Tensor& x, const Tensor& dy, Tensor& dw) {
  if (!call.plain()) return conv2d_weight_grad_in_parts(call, dy, dw);
  convolutions_->weight_grad(call.geometry, x, dy, dw);
}

// The library takes operands of one dtype, and gives their dtype or f32.
void CudaBackend::matmul(const Matmul& g, const Tensor& a, const Tensor& b, Tensor& out) {
  const auto in_bf16 = [&](const Tensor& x) {
    if (x.dtype() == Dtype::bf16) return x;
    Tensor rounded = Tensor::empty(x.shape(), Dtype::bf16, x.device());
    cast(x, rounded);
    return rounded;
  };
  if (a.dtype() != b.dtype()) return products_->multiply(g, in_bf16(a), in_bf16(b), out);
  if (a.dtype() != Dtype::f32 || out.dtype() != Dtype::bf16) return products_->multiply(g, a, b, out);
  Tensor sums = Tensor::empty(out.shape(), Dtype::f32, out.device());
  products_->multiply(g, a, b, sums);
  cast(sums, out);
}

}  // namespace basin::cuda
