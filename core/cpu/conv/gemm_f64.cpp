// The matrix product of f64, by Eigen: tiles of C shared out over the threads.
#include <Eigen/Core>
#include <algorithm>

#include "core/cpu/conv/gemm.h"
#include "core/parallel.h"

namespace basin::cpu {

void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const double* a, Index lda,
          const double* b, Index ldb, double* c, Index ldc) {
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Stride = Eigen::OuterStride<>;
  using View = Eigen::Map<const Matrix, 0, Stride>;
  if (m <= 0 || n <= 0) return;
  constexpr Index kTile = 128;
  const Index across = (n + kTile - 1) / kTile;
  parallel_for((m + kTile - 1) / kTile * across, [&](Index tile, int) {
    const Index i = tile / across * kTile, j = tile % across * kTile;
    const Index rows = std::min(kTile, m - i), cols = std::min(kTile, n - j);
    Eigen::Map<Matrix, 0, Stride> out(c + i * ldc + j, rows, cols, Stride(ldc));
    if (k <= 0) {
      out.setZero();
      return;
    }
    const View left =
        transpose_a ? View(a + i, k, rows, Stride(lda)) : View(a + i * lda, rows, k, Stride(lda));
    const View right =
        transpose_b ? View(b + j * ldb, cols, k, Stride(ldb)) : View(b + j, k, cols, Stride(ldb));
    if (transpose_a && transpose_b)
      out.noalias() = left.transpose() * right.transpose();
    else if (transpose_a)
      out.noalias() = left.transpose() * right;
    else if (transpose_b)
      out.noalias() = left * right.transpose();
    else
      out.noalias() = left * right;
  });
}

}  // namespace basin::cpu
