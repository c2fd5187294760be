#include "cuda/backend.h"

#include "cuda/convolution.h"
#include "cuda/matmul.h"

namespace basin::cuda {
namespace {

int selected(int index) {
  make_current(index);
  return index;
}

}  // namespace

CudaBackend::CudaBackend(int index, const Options& options)
    : index_(selected(index)),
      options_(options),
      pool_(index, options.cached_memory),
      convolutions_(std::make_unique<Convolutions>(*this)),
      products_(std::make_unique<Products>(*this)) {}

CudaBackend::~CudaBackend() = default;

}  // namespace basin::cuda
