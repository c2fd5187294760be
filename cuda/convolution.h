// Convolutions by cuDNN's graph API.
#pragma once

namespace basin::cuda {

class CudaBackend;

/// The plans of one card's convolutions, by geometry, made when they are first asked for.
class Convolutions {
 public:
  explicit Convolutions(CudaBackend& backend) : backend_(backend) {}

 private:
  [[maybe_unused]] CudaBackend& backend_;
};

}  // namespace basin::cuda
