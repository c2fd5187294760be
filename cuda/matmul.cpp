#include "cuda/matmul.h"

#include <algorithm>

namespace basin::cuda {
namespace {

constexpr std::size_t kWorkspace = std::size_t{32} << 20;  // what NVIDIA advises for Hopper

void check(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  if (status == CUBLAS_STATUS_ALLOC_FAILED) throw MemoryError("[cuda] ", call, ": cuBLASLt found no memory");
  throw InternalError("[cuda] ", call, ": ", cublasLtGetStatusName(status));
}

cudaDataType_t type_of(Dtype dtype) {
  if (dtype == Dtype::f32) return CUDA_R_32F;
  if (dtype == Dtype::f64) return CUDA_R_64F;
  if (dtype == Dtype::bf16) return CUDA_R_16BF;
  throw InternalError("[cuda] nothing is multiplied in ", dtype);
}

// The largest power of two up to 256 that an address is a multiple of: parameters are parts of one vector.
std::uint32_t alignment_of(const Tensor& t) {
  std::uint32_t alignment = 256;
  while (reinterpret_cast<std::uintptr_t>(t.raw()) % alignment != 0) alignment /= 2;
  return alignment;
}

struct Preference {
  Preference() { check(cublasLtMatmulPreferenceCreate(&made), "cublasLtMatmulPreferenceCreate"); }
  ~Preference() { static_cast<void>(cublasLtMatmulPreferenceDestroy(made)); }
  Preference(const Preference&) = delete;
  Preference& operator=(const Preference&) = delete;
  template <class T>
  void set(cublasLtMatmulPreferenceAttributes_t name, T value) {
    check(cublasLtMatmulPreferenceSetAttribute(made, name, &value, sizeof value),
          "cublasLtMatmulPreferenceSetAttribute");
  }
  cublasLtMatmulPreference_t made = nullptr;
};

// Our rows are cuBLASLt's columns: a matrix {rows, columns} of ours is its {columns, rows}.
std::shared_ptr<cublasLtMatrixLayoutOpaque_t> layout(Dtype dtype, Index rows, Index columns, Index batch,
                                                     Index stride) {
  cublasLtMatrixLayout_t made = nullptr;
  check(cublasLtMatrixLayoutCreate(&made, type_of(dtype), static_cast<std::uint64_t>(columns),
                                   static_cast<std::uint64_t>(rows), columns),
        "cublasLtMatrixLayoutCreate");
  std::shared_ptr<cublasLtMatrixLayoutOpaque_t> owned(
      made, [](cublasLtMatrixLayout_t m) { static_cast<void>(cublasLtMatrixLayoutDestroy(m)); });
  const auto count = static_cast<std::int32_t>(batch);
  const std::int64_t offset = stride;
  check(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count),
        "cublasLtMatrixLayoutSetAttribute");
  check(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &offset,
                                         sizeof offset),
        "cublasLtMatrixLayoutSetAttribute");
  return owned;
}

}  // namespace

Products::~Products() {
  known_.clear();
  if (handle_ != nullptr) static_cast<void>(cublasLtDestroy(handle_));
}

cublasLtHandle_t Products::handle() {
  if (handle_ == nullptr) {
    static_cast<void>(card_.stream());  // makes the card the current one
    check(cublasLtCreate(&handle_), "cublasLtCreate");
  }
  return handle_;
}

// out^T = op(b)^T op(a)^T: what is b for us is cuBLASLt's first matrix.
Products::Known Products::made(const Backend::Matmul& g, const Tensor& a, const Tensor& b,
                               const Tensor& out) {
  const bool f64 = out.dtype() == Dtype::f64;
  const bool tf32 = a.dtype() == Dtype::f32 && card_.options.precision == Precision::tf32;
  Known k;
  cublasLtMatmulDesc_t product = nullptr;
  check(cublasLtMatmulDescCreate(&product,
                                 f64    ? CUBLAS_COMPUTE_64F
                                 : tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32
                                        : CUBLAS_COMPUTE_32F,
                                 f64 ? CUDA_R_64F : CUDA_R_32F),
        "cublasLtMatmulDescCreate");
  k.product = {product, [](cublasLtMatmulDesc_t d) { static_cast<void>(cublasLtMatmulDescDestroy(d)); }};
  const cublasOperation_t first = g.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cublasOperation_t second = g.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
  check(cublasLtMatmulDescSetAttribute(product, CUBLASLT_MATMUL_DESC_TRANSA, &first, sizeof first),
        "cublasLtMatmulDescSetAttribute");
  check(cublasLtMatmulDescSetAttribute(product, CUBLASLT_MATMUL_DESC_TRANSB, &second, sizeof second),
        "cublasLtMatmulDescSetAttribute");
  k.a = layout(a.dtype(), g.transpose_a ? g.k : g.m, g.transpose_a ? g.m : g.k, g.batch, g.stride_a);
  k.b = layout(b.dtype(), g.transpose_b ? g.n : g.k, g.transpose_b ? g.k : g.n, g.batch, g.stride_b);
  k.out = layout(out.dtype(), g.m, g.n, g.batch, g.stride_out);

  Preference wanted;
  wanted.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
             std::uint64_t{std::min(kWorkspace, card_.options.workspace)});
  // Parts of a sum meet in f32 (f64), in a fixed order.
  wanted.set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
             static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
  wanted.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of(b));
  wanted.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(a));
  wanted.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment_of(out));
  wanted.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment_of(out));
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  check(cublasLtMatmulAlgoGetHeuristic(handle(), product, k.b.get(), k.a.get(), k.out.get(), k.out.get(),
                                       wanted.made, 1, &found, &count),
        "cublasLtMatmulAlgoGetHeuristic");
  if (count == 0)
    throw InternalError("[cuda] cuBLASLt has no algorithm for ", g.batch, " products {", g.m, ',', g.k, "} {",
                        g.k, ',', g.n, "} of ", a.dtype(), " into ", out.dtype());
  k.algorithm = found.algo;
  k.workspace = found.workspaceSize;
  return k;
}

void Products::multiply(const Backend::Matmul& g, const Tensor& a, const Tensor& b, Tensor& out) {
  const Key key{g.batch,
                g.m,
                g.n,
                g.k,
                g.transpose_a,
                g.transpose_b,
                g.stride_a,
                g.stride_b,
                g.stride_out,
                static_cast<Index>(a.dtype()),
                static_cast<Index>(out.dtype()),
                alignment_of(a),
                alignment_of(b),
                alignment_of(out)};
  auto it = known_.find(key);
  if (it == known_.end()) it = known_.emplace(key, made(g, a, b, out)).first;
  const Known& k = it->second;
  Tensor workspace;
  if (k.workspace > 0) workspace = Tensor::empty({static_cast<Index>(k.workspace)}, Dtype::u8, card_.device);
  const double one64 = 1, zero64 = 0;
  const float one32 = 1, zero32 = 0;
  const bool f64 = out.dtype() == Dtype::f64;
  const void* alpha = f64 ? static_cast<const void*>(&one64) : &one32;
  const void* beta = f64 ? static_cast<const void*>(&zero64) : &zero32;
  std::byte* result = out.mutable_raw();
  check(cublasLtMatmul(handle(), k.product.get(), alpha, b.raw(), k.b.get(), a.raw(), k.a.get(), beta, result,
                       k.out.get(), result, k.out.get(), &k.algorithm,
                       workspace.defined() ? workspace.mutable_raw() : nullptr, k.workspace, card_.stream()),
        "cublasLtMatmul");
}

}  // namespace basin::cuda
