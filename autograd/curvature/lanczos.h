// Lanczos: eigenvalues of a LinearOperator from the subspace that its products span.
#pragma once

#include <functional>
#include <vector>

#include "autograd/curvature/linear_operator.h"
#include "autograd/curvature/symmetric_eigen.h"

namespace basin {

/// The approximate eigenpairs of A in the span of an orthonormal basis V: theta_i = values[i] and V s_i,
/// s_i = vectors[i], of the matrix T = V^T A V. There is an eigenvalue of A within residuals[i] = |A V s_i -
/// theta_i V s_i| of theta_i.
struct Ritz : SymmetricEigen {
  std::vector<double> residuals{};
};

/// The Lanczos process (Lanczos 1950) with full re-orthogonalisation: step j takes out of A v_j its part in
/// the span of all v_0 ... v_j, in two passes; what is left, of norm beta_j, is the direction of v_{j+1}. The
/// coefficients are f64; the basis has A's dtype and is held in memory, dim numbers a step. In exact
/// arithmetic T is tridiagonal, with alpha_j on its diagonal and beta_j beside it.
///
/// Where what is left is rounding (beta_j at most 64 spacings of the dtype times |T|) the basis spans an
/// invariant subspace: the process has broken down, and the next step begins from a random vector at right
/// angles to all, not coupled to the others.
class Lanczos {
 public:
  /// From the direction of `start`, {dim}; `fresh` are the vectors to begin from after a breakdown. Errors:
  /// ArgumentError for a start that is zero, not finite, or not like A's vectors.
  Lanczos(LinearOperator a, const Tensor& start, const Probes& fresh);

  /// One product. Errors: ArgumentError where the basis spans all of R^dim already; NumericalError for a
  /// product that is not finite.
  void step();

  /// Vectors of the basis that A was applied to: T's rows.
  Index size() const { return static_cast<Index>(basis_.size()); }
  Index dim() const { return a_.dim; }
  Index products() const { return products_; }
  /// The norm of what the last step left; 0 after a breakdown.
  double beta() const { return beta_; }
  bool exhausted() const { return size() == a_.dim; }
  /// Steps since the first breakdown; -1 before one.
  Index since_breakdown() const { return broken_at_ < 0 ? -1 : products_ - broken_at_; }
  /// T, size() x size().
  double coefficient(Index i, Index j) const;
  Ritz ritz() const;
  /// V s.
  Tensor vector(const std::vector<double>& s) const { return combined(basis_, s); }

  /// Thick restart (Wu and Simon 2000): the basis becomes the Ritz vectors of these numbers, and goes on by
  /// the same next vector. What was found stays found, and memory is freed.
  void restart(const Ritz& ritz, const std::vector<std::size_t>& kept);

 private:
  /// The next vector of the basis: a random one at right angles to it.
  void begin_anew();
  /// v_j . A x for x = sum_i s[i] v_i of the basis.
  double coupling_with(const std::vector<double>& s) const;

  LinearOperator a_;
  Probes fresh_;
  Tensors basis_;                 // v_0 ... v_{j-1}, A applied
  Tensor next_;                   // v_j; undefined where exhausted
  std::vector<double> t_;         // the coefficients so far, (room x room)
  std::vector<double> coupling_;  // of v_j to the basis
  double beta_ = 0, scale_ = 0;
  Index products_ = 0, broken_at_ = -1;
  std::uint64_t drawn_ = 0;
};

/// Which end of the spectrum, by sign: the largest of 3, -4 is 3.
enum class Which { largest, smallest, both };

struct EigenOptions {
  Index count = 1;  // from each end that is asked for
  Which which = Which::largest;
  /// Pairs are found when each residual is at most tolerance times the largest |theta|.
  double tolerance = 1e-3;
  /// Vectors held: thick restarts keep it at that. 0: 2 (all wanted) + 30.
  Index basis = 0;
  Index most_products = 1000;
};

/// theta = v . A v for a vector of norm 1, and |A v - theta v|, both by a product of its own.
struct EigenPair {
  double value = 0, residual = 0;
  Tensor vector{};
};

struct EigenPairs {
  std::vector<EigenPair> pairs{};  // falling values
  Index products = 0;
  bool converged = false;  // false: most_products came first, the residuals say how far
};

/// The pairs at the ends of A's spectrum by Lanczos with thick restarts, from the normal vector number 0 of
/// `probes`; each is then checked by one more product. The further copies of an eigenvalue that A has several
/// times are found by what follows a breakdown, so that a spectrum asked for whole comes whole. Errors:
/// ArgumentError for a count below 1 or above dim, a tolerance that is not positive; NumericalError.
EigenPairs lanczos_eigenpairs(const LinearOperator& a, const EigenOptions& options, const Probes& probes);

/// The eigenvalue of largest |theta|, by power iteration v <- A v / |A v| from `start`: stops when the
/// residual is at most tolerance |theta|, and returns the newest theta with its residual and v, those that
/// belong together. Converges like (theta_2 / theta_1)^2 a product. Errors: as Lanczos'.
EigenPairs power_iteration(const LinearOperator& a, const Tensor& start, double tolerance,
                           Index most_products);

}  // namespace basin
