// The heavy kernels of the CPU backend on raw pointers. f32: written once over a small vector wrapper
// (simd.h), compiled per instruction set, chosen at run time (BASIN_ARCH=avx512|avx2|portable pins it); f64:
// plain loops for gradient checks (plain.h). All give the same bits for any number of threads, AVX2 the same
// as AVX-512; an image's result in conv2d and conv2d_input_grad, and a row of gemm with A not transposed, do
// not depend on the others beside it. The f32 convolutions follow core/conv_algorithm.h. They use slots 0 to
// 3 of thread_scratch: whoever calls them must keep nothing there.
#pragma once

#include "core/conv_geometry.h"
#include "core/cpu/conv/isa.h"
#include "core/cpu/conv/row_consumer.h"

namespace basin::cpu {

/// C = op(A) op(B), row-major with leading dimensions: op(A) {m,k}, op(B) {k,n}, C {m,n}. Overwrites C. A is
/// read through `a_affine`, the columns of the stored A being its channels; `rows`, unless null, takes C.
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const float* a, Index lda,
          const float* b, Index ldb, float* c, Index ldc, const ChannelAffine& a_affine = {},
          RowConsumer* rows = nullptr);
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const double* a, Index lda,
          const double* b, Index ldb, double* c, Index ldc);

/// y = x * w; dx = its input gradient; dw = its weight gradient (see ConvGeometry). Outputs are overwritten.
/// x is read through `affine`; `rows`, unless null, takes y.
void conv2d(const ConvGeometry& g, const float* x, const float* w, float* y, const ChannelAffine& affine = {},
            RowConsumer* rows = nullptr);
void conv2d(const ConvGeometry& g, const double* x, const double* w, double* y);
void conv2d_input_grad(const ConvGeometry& g, const float* dy, const float* w, float* dx);
void conv2d_input_grad(const ConvGeometry& g, const double* dy, const double* w, double* dx);
void conv2d_weight_grad(const ConvGeometry& g, const float* x, const float* dy, float* dw,
                        const ChannelAffine& affine = {});
void conv2d_weight_grad(const ConvGeometry& g, const double* x, const double* dy, double* dw);

/// Of C = A B, A {m,k} read through `a_affine`, B {k,n}: dA = dC B^T and dB = A^T dC, as two calls of gemm
/// give them, in one walk through dC; `rows`, unless null, takes dA. False, and nothing done, where the sum
/// over m is too short to be shared out.
bool gemm_gradients(Index m, Index k, Index n, const float* a, const ChannelAffine& a_affine, const float* b,
                    const float* dc, float* da, float* db, RowConsumer* rows);

/// dx and dw as the two functions above give them, bit for bit, with fewer walks through memory. `rows`,
/// unless null, takes dx.
void conv2d_gradients(const ConvGeometry& g, const float* x, const ChannelAffine& affine, const float* w,
                      const float* dy, float* dx, float* dw, RowConsumer* rows = nullptr);

/// The instruction set in use: "avx512", "avx2" or "portable".
const char* instruction_set();

}  // namespace basin::cpu
