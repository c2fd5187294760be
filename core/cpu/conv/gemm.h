// Matrix products on raw pointers. f32: packed panels and register tiles (gemm_kernel.h); f64: Eigen.
#pragma once

#include "core/cpu/conv/kernels.h"
#include "core/cpu/conv/row_consumer.h"

namespace basin::cpu {

/// C = op(A) op(B), row-major with leading dimensions: op(A) {m,k}, op(B) {k,n}, C {m,n}. Overwrites C. A is
/// read through `a_affine`, the columns of the stored A being its channels; `rows`, unless null, takes C. A
/// row of C with A not transposed does not depend on the rows beside it. Scratch memory: slots 0 to 3.
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const float* a, Index lda,
          const float* b, Index ldb, float* c, Index ldc, const ChannelAffine& a_affine = {},
          RowConsumer* rows = nullptr);
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const double* a, Index lda,
          const double* b, Index ldb, double* c, Index ldc);

/// Of C = A B, A {m,k} read through `a_affine`, B {k,n}: dA = dC B^T and dB = A^T dC, as two calls of gemm
/// give them, in one walk through dC; `rows`, unless null, takes dA. False, and nothing done, where the sum
/// over m is too short to be shared out.
bool gemm_gradients(Index m, Index k, Index n, const float* a, const ChannelAffine& a_affine, const float* b,
                    const float* dc, float* da, float* db, RowConsumer* rows);

}  // namespace basin::cpu
