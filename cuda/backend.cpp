#include "cuda/backend.h"

#include "cuda/convolution.h"
#include "cuda/matmul.h"

namespace basin::cuda {
namespace {

int selected(int index) {
  check(cudaSetDevice(index), "cudaSetDevice");
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
      convolutions_(std::make_unique<Convolutions>(*this)),
      products_(std::make_unique<Products>(*this)) {}

CudaBackend::~CudaBackend() = default;

}  // namespace basin::cuda
