// The CUDA backend with other options, for a scope.
#pragma once

#include "core/backend.h"
#include "cuda/backend.h"
#include "tests/cuda/device.h"

namespace basin::testing {

/// cuda_device() computes with these options while this lives. Tensors that are made meanwhile must not
/// outlive it.
class WithOptions {
 public:
  explicit WithOptions(const cuda::Options& options)
      : before_(backend(cuda_device())), backend_(cuda_device().index, options) {
    install_backend(cuda_device(), backend_);
  }
  ~WithOptions() { install_backend(cuda_device(), before_); }
  WithOptions(const WithOptions&) = delete;
  WithOptions& operator=(const WithOptions&) = delete;

 private:
  Backend& before_;
  cuda::CudaBackend backend_;
};

}  // namespace basin::testing
