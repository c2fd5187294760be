// Matrix products by cuBLASLt.
#pragma once

#include <cublasLt.h>

#include <array>
#include <map>
#include <memory>
#include <utility>

#include "core/backend.h"
#include "cuda/runtime/workplace.h"

namespace basin::cuda {

/// Products out = op(a) op(b) on a card, for one thread at a time. Of f32 numbers in f32,
/// unless Options::precision says TF32; sums are never formed in fewer bits than f32. How a product of some
/// shape is computed is asked for when it is first met.
class Products {
 public:
  explicit Products(Workplace card) : card_(std::move(card)) {}
  ~Products();
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;

  /// a and b of one dtype, f32, f64 or bf16; out of the same, or f32 of bf16.
  void multiply(const Backend::Matmul& g, const Tensor& a, const Tensor& b, Tensor& out);

 private:
  template <class T>
  using Owned = std::shared_ptr<T>;
  /// A product as cuBLASLt is asked for it.
  struct Known {
    Owned<cublasLtMatmulDescOpaque_t> product;
    Owned<cublasLtMatrixLayoutOpaque_t> a, b, out;
    cublasLtMatmulAlgo_t algorithm{};
    std::size_t workspace = 0;
  };
  using Key = std::array<Index, 14>;

  Known made(const Backend::Matmul& g, const Tensor& a, const Tensor& b, const Tensor& out);
  cublasLtHandle_t handle();

  Workplace card_;
  cublasLtHandle_t handle_ = nullptr;
  std::map<Key, Known> known_;
};

}  // namespace basin::cuda
