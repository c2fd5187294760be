// Matrix products by cuBLASLt.
#pragma once

namespace basin::cuda {

class CudaBackend;

/// The handle and the plans of one card's matrix products.
class Products {
 public:
  explicit Products(CudaBackend& backend) : backend_(backend) {}

 private:
  [[maybe_unused]] CudaBackend& backend_;
};

}  // namespace basin::cuda
