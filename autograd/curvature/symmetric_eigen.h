// Eigenvalues and eigenvectors of small dense symmetric matrices.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace basin {

/// A = sum_i values[i] vectors[i] vectors[i]^T: values rising, vectors orthonormal.
struct SymmetricEigen {
  std::vector<double> values{};
  std::vector<std::vector<double>> vectors{};
};

/// Of the n x n matrix a, a[i * n + j], whose lower triangle is read. Errors: NumericalError where it does
/// not converge (a number that is not finite).
SymmetricEigen symmetric_eigen(const std::vector<double>& a, Index n);

}  // namespace basin
