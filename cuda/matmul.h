// Matrix products by cuBLASLt.
#pragma once

#include <cublasLt.h>

#include <array>
#include <map>
#include <memory>

#include "core/backend.h"

namespace basin::cuda {

class CudaBackend;

/// Products out = op(a) op(b) on the card of a backend, for one thread at a time. Of f32 numbers in f32,
/// unless Options::precision says TF32; sums are never formed in fewer bits than f32. How a product of some
/// shape is computed is asked for when it is first met.
class Products {
 public:
  explicit Products(CudaBackend& backend) : backend_(backend) {}
  ~Products();
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;

  /// f64 of f64; of f32 and bf16 any mix. Beside a bf16 operand an f32 one is rounded to bf16 first.
  void multiply(const Backend::Matmul& g, const Tensor& a, const Tensor& b, Tensor& out);

 private:
  template <class T>
  using Owned = std::shared_ptr<T>;
  /// Numbers of one type, column by column, as cuBLASLt sees them.
  struct Known {
    Owned<cublasLtMatmulDescOpaque_t> product;
    Owned<cublasLtMatrixLayoutOpaque_t> a, b, out;
    cublasLtMatmulAlgo_t algorithm{};
    std::size_t workspace = 0;
  };
  using Key = std::array<Index, 14>;

  void multiply_alike(const Backend::Matmul& g, const Tensor& a, const Tensor& b, Tensor& out);
  Known made(const Backend::Matmul& g, const Tensor& a, const Tensor& b, const Tensor& out);
  cublasLtHandle_t handle();

  CudaBackend& backend_;
  cublasLtHandle_t handle_ = nullptr;
  std::map<Key, Known> known_;
};

}  // namespace basin::cuda
