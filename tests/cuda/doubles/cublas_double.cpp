// Test double of cuBLASLt: the functions that our code calls, with strict checks. What is multiplied, the CPU
// backend multiplies.
#include <cublasLt.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <string_view>

#include "core/backend.h"
#include "tests/cuda/doubles/runtime_double.h"

namespace {

using basin::Dtype;
using basin::Index;
using basin::Tensor;

// What stands behind NVIDIA's handles here.
struct Layout {
  cudaDataType type = CUDA_R_32F;
  std::uint64_t rows = 0, columns = 0;
  std::int64_t leading = 0, offset = 0;
  std::int32_t batch = 1;
};
struct Product {
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cudaDataType scale = CUDA_R_32F;
  std::int32_t transpose_a = CUBLAS_OP_N, transpose_b = CUBLAS_OP_N;
};
struct Preference {
  std::uint64_t workspace = 0;
  std::uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_MASK;
  std::array<std::uint32_t, 4> alignments{256, 256, 256, 256};
};

template <class T, class Handle>
T& behind(Handle h) {
  return *reinterpret_cast<T*>(h);
}
template <class T, class Handle>
void make(Handle* h, const T& value) {
  *h = reinterpret_cast<Handle>(new T(value));
}

template <class T>
cublasStatus_t put(T& place, const void* value, std::size_t bytes) {
  if (bytes != sizeof(T)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&place, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

std::set<cublasLtHandle_t> handles;

std::size_t width(cudaDataType t) { return t == CUDA_R_64F ? 8 : t == CUDA_R_32F ? 4 : 2; }

bool known_types(const Product& p, const Layout& a, const Layout& b, const Layout& out) {
  if (a.type != b.type) return false;
  if (a.type == CUDA_R_64F)
    return out.type == CUDA_R_64F && p.compute == CUBLAS_COMPUTE_64F && p.scale == CUDA_R_64F;
  if (p.scale != CUDA_R_32F) return false;
  if (a.type == CUDA_R_16BF)
    return (out.type == CUDA_R_16BF || out.type == CUDA_R_32F) && p.compute == CUBLAS_COMPUTE_32F;
  return a.type == CUDA_R_32F && out.type == CUDA_R_32F &&
         (p.compute == CUBLAS_COMPUTE_32F || p.compute == CUBLAS_COMPUTE_32F_FAST_TF32);
}

// Column by column, as cuBLASLt has it: out {m, n} = op(a) {m, k} op(b) {k, n}.
bool fits(const Product& p, const Layout& a, const Layout& b, const Layout& out) {
  const bool ta = p.transpose_a == CUBLAS_OP_T, tb = p.transpose_b == CUBLAS_OP_T;
  const auto packed = [](const Layout& l) { return l.leading == static_cast<std::int64_t>(l.rows); };
  const std::uint64_t k = ta ? a.rows : a.columns;
  return (ta ? a.columns : a.rows) == out.rows && (tb ? b.rows : b.columns) == out.columns &&
         (tb ? b.columns : b.rows) == k && k > 0 && packed(a) && packed(b) && packed(out) &&
         a.batch == out.batch && b.batch == out.batch &&
         (out.batch == 1 || out.offset >= static_cast<std::int64_t>(out.rows * out.columns));
}

// An algorithm holds for what it was asked for: this many bits of it are kept in it.
std::uint64_t digest(const Product& p, const Layout& a, const Layout& b, const Layout& out) {
  std::uint64_t h = 1469598103934665603ULL;
  const auto mix = [&](std::uint64_t v) { h = (h ^ v) * 1099511628211ULL; };
  mix(p.compute), mix(static_cast<std::uint64_t>(p.transpose_a)),
      mix(static_cast<std::uint64_t>(p.transpose_b));
  for (const Layout* l : {&a, &b, &out}) {
    mix(l->type), mix(l->rows), mix(l->columns), mix(static_cast<std::uint64_t>(l->offset));
    mix(static_cast<std::uint64_t>(l->batch));
  }
  return h;
}

// The memory that a batch of matrices takes.
std::size_t bytes_of(const Layout& l) {
  return ((static_cast<std::size_t>(l.batch) - 1) * static_cast<std::size_t>(l.offset) + l.rows * l.columns) *
         width(l.type);
}
bool aligned(const void* p, std::uint64_t alignment) {
  return reinterpret_cast<std::uintptr_t>(p) % alignment == 0;
}

template <class F>
void with_numbers(cudaDataType type, F f) {
  if (type == CUDA_R_64F)
    f(double{});
  else if (type == CUDA_R_32F)
    f(float{});
  else
    f(basin::bfloat16{});
}

// One matrix of a batch, for the CPU: bf16 as f32.
Tensor read(const void* start, const Layout& l, std::int32_t i) {
  Tensor out = Tensor::empty({static_cast<Index>(l.columns), static_cast<Index>(l.rows)},
                             l.type == CUDA_R_64F ? Dtype::f64 : Dtype::f32);
  with_numbers(l.type, [&](auto type) {
    const auto* from = static_cast<const decltype(type)*>(start) + i * l.offset;
    if (l.type == CUDA_R_64F)
      std::copy_n(from, out.elements(), out.mutable_data<double>());
    else
      std::transform(from, from + out.elements(), out.mutable_data<float>(),
                     [](auto v) { return static_cast<float>(v); });
  });
  return out;
}

void write(void* start, const Layout& l, std::int32_t i, const Tensor& x) {
  with_numbers(l.type, [&](auto type) {
    using T = decltype(type);
    T* to = static_cast<T*>(start) + i * l.offset;
    if (x.dtype() == Dtype::f64)
      std::transform(x.data<double>(), x.data<double>() + x.elements(), to,
                     [](double v) { return static_cast<T>(v); });
    else
      std::transform(x.data<float>(), x.data<float>() + x.elements(), to,
                     [](float v) { return static_cast<T>(v); });
  });
}

// Columns here are rows for the CPU, so that out^T = op(b)^T op(a)^T.
void multiply(const Product& p, const void* a, const Layout& la, const void* b, const Layout& lb, void* out,
              const Layout& lout) {
  basin::Backend::Matmul g;
  g.m = static_cast<Index>(lout.columns), g.n = static_cast<Index>(lout.rows);
  g.k = static_cast<Index>(p.transpose_a == CUBLAS_OP_T ? la.rows : la.columns);
  g.transpose_a = p.transpose_b == CUBLAS_OP_T;
  g.transpose_b = p.transpose_a == CUBLAS_OP_T;
  for (std::int32_t i = 0; i < lout.batch; ++i) {
    Tensor product = Tensor::empty({g.m, g.n}, la.type == CUDA_R_64F ? Dtype::f64 : Dtype::f32);
    basin::cpu_backend().matmul(g, read(b, lb, i), read(a, la, i), product);
    write(out, lout, i, product);
  }
}

}  // namespace

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  make(handle, 0);
  handles.insert(*handle);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  if (handles.erase(handle) == 0) return CUBLAS_STATUS_NOT_INITIALIZED;
  delete reinterpret_cast<int*>(handle);
  return CUBLAS_STATUS_SUCCESS;
}
const char* cublasLtGetStatusName(cublasStatus_t status) {
  return status == CUBLAS_STATUS_INVALID_VALUE   ? "CUBLAS_STATUS_INVALID_VALUE"
         : status == CUBLAS_STATUS_NOT_SUPPORTED ? "CUBLAS_STATUS_NOT_SUPPORTED"
                                                 : "a status of the double";
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* l, cudaDataType type, std::uint64_t rows,
                                          std::uint64_t columns, std::int64_t leading) {
  make(l, Layout{type, rows, columns, leading});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l) {
  delete &behind<Layout>(l);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t l,
                                                cublasLtMatrixLayoutAttribute_t name, const void* value,
                                                std::size_t bytes) {
  if (name == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT) return put(behind<Layout>(l).batch, value, bytes);
  if (name == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET) return put(behind<Layout>(l).offset, value, bytes);
  return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* d, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  make(d, Product{compute, scale});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d) {
  delete &behind<Product>(d);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t name,
                                              const void* value, std::size_t bytes) {
  if (name == CUBLASLT_MATMUL_DESC_TRANSA) return put(behind<Product>(d).transpose_a, value, bytes);
  if (name == CUBLASLT_MATMUL_DESC_TRANSB) return put(behind<Product>(d).transpose_b, value, bytes);
  return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* p) {
  make(p, Preference{});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p) {
  delete &behind<Preference>(p);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t handle,
                                                    cublasLtMatmulPreferenceAttributes_t name,
                                                    const void* value, std::size_t bytes) {
  Preference& p = behind<Preference>(handle);
  switch (name) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
      return put(p.workspace, value, bytes);
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
      return put(p.reductions, value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
      return put(p.alignments[0], value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
      return put(p.alignments[1], value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
      return put(p.alignments[2], value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
      return put(p.alignments[3], value, bytes);
    default:
      return CUBLAS_STATUS_INVALID_VALUE;
  }
}

// An algorithm: what it is for, and the alignments it counts on. Long sums get a workspace.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t d,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t out,
                                              cublasLtMatmulPreference_t preference, int most,
                                              cublasLtMatmulHeuristicResult_t results[], int* count) {
  *count = 0;
  if (!handles.contains(handle) || most < 1 || c != out) return CUBLAS_STATUS_INVALID_VALUE;
  const Product& p = behind<Product>(d);
  const Layout &la = behind<Layout>(a), &lb = behind<Layout>(b), &lout = behind<Layout>(out);
  const Preference& wanted = behind<Preference>(preference);
  if (!fits(p, la, lb, lout)) return CUBLAS_STATUS_INVALID_VALUE;
  if (!known_types(p, la, lb, lout)) return CUBLAS_STATUS_NOT_SUPPORTED;
  if ((wanted.reductions & ~static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE)) != 0)
    return CUBLAS_STATUS_NOT_SUPPORTED;  // sums of parts in bf16, or in an order that is not fixed
  results[0] = {};
  results[0].algo.data[0] = digest(p, la, lb, lout);
  std::copy(wanted.alignments.begin(), wanted.alignments.end(), results[0].algo.data + 1);
  const std::uint64_t k = p.transpose_a == CUBLAS_OP_T ? la.rows : la.columns;
  if (k > 256 && wanted.workspace >= 4096) results[0].workspaceSize = 4096;
  results[0].algo.data[5] = results[0].workspaceSize;
  *count = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t d, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                              cublasLtMatrixLayout_t b_layout, const void* beta, const void* c,
                              cublasLtMatrixLayout_t c_layout, void* out, cublasLtMatrixLayout_t out_layout,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              std::size_t workspace_bytes, cudaStream_t stream) {
  if (!handles.contains(handle) || algorithm == nullptr || c != out || c_layout != out_layout)
    return CUBLAS_STATUS_INVALID_VALUE;
  const Product p = behind<Product>(d);
  const Layout la = behind<Layout>(a_layout), lb = behind<Layout>(b_layout);
  const Layout lout = behind<Layout>(out_layout);
  const bool f64 = p.scale == CUDA_R_64F;
  const double one = f64 ? *static_cast<const double*>(alpha) : *static_cast<const float*>(alpha);
  const double zero = f64 ? *static_cast<const double*>(beta) : *static_cast<const float*>(beta);
  const std::uint64_t* about = algorithm->data;
  if (one != 1 || zero != 0 || about[0] != digest(p, la, lb, lout)) return CUBLAS_STATUS_INVALID_VALUE;
  if (!aligned(a, about[1]) || !aligned(b, about[2]) || !aligned(out, about[3]) || !aligned(out, about[4]))
    return CUBLAS_STATUS_INVALID_VALUE;
  if (about[5] > workspace_bytes) return CUBLAS_STATUS_INVALID_VALUE;
  const auto check = [=]() -> std::string {
    if (!fake::accessible(a, bytes_of(la), stream)) return "the first matrix is not all on the card";
    if (!fake::accessible(b, bytes_of(lb), stream)) return "the second matrix is not all on the card";
    if (!fake::accessible(out, bytes_of(lout), stream)) return "the product is not all on the card";
    if (workspace_bytes > 0 && !fake::accessible(workspace, workspace_bytes, stream)) return "no workspace";
    return {};
  };
  if (!check().empty()) return CUBLAS_STATUS_INVALID_VALUE;
  const cudaError_t status = fake::enqueue_work(
      stream,
      [=] {
        if (workspace_bytes > 0) std::memset(workspace, 0xEE, workspace_bytes);
        multiply(p, a, la, b, lb, out, lout);
      },
      check);
  return status == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // extern "C"
