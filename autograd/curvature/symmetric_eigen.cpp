#include "autograd/curvature/symmetric_eigen.h"

#include <Eigen/Eigenvalues>

#include "core/error.h"

namespace basin {

SymmetricEigen symmetric_eigen(const std::vector<double>& a, Index n) {
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(Eigen::Map<const Matrix>(a.data(), n, n));
  if (solver.info() != Eigen::Success || !solver.eigenvalues().allFinite())
    throw NumericalError("[symmetric_eigen] a matrix of ", n, " rows has no finite eigenvalues");
  SymmetricEigen found;
  for (Index i = 0; i < n; ++i) {
    found.values.push_back(solver.eigenvalues()[i]);
    std::vector<double> v(static_cast<std::size_t>(n));
    for (Index j = 0; j < n; ++j) v[static_cast<std::size_t>(j)] = solver.eigenvectors()(j, i);
    found.vectors.push_back(std::move(v));
  }
  return found;
}

}  // namespace basin
