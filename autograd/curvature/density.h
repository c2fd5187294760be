// The spectral density of a LinearOperator by stochastic Lanczos quadrature.
#pragma once

#include <vector>

#include "autograd/curvature/lanczos.h"

namespace basin {

/// A measure on the line: weights[i] at nodes[i], rising; the weights sum to 1.
struct Quadrature {
  std::vector<double> nodes{}, weights{};
  double low = 0, high = 0;  // the outermost nodes less and plus their residuals
};

/// Gauss quadrature for the measure sum_i (v . u_i)^2 delta(lambda - lambda_i), v = start / |start|, u_i the
/// eigenvectors of A: nodes are the eigenvalues of T after `steps` steps of Lanczos, weights the squared
/// first components of T's eigenvectors (Golub and Welsch 1969). Its moments, the v . A^k v, are exact for k
/// <= 2 steps - 1. Stops early at a breakdown, where it is the measure itself. Averaged over random starts it
/// is the spectrum's density (Lin, Saad and Yang 2016).
Quadrature lanczos_quadrature(const LinearOperator& a, const Tensor& start, Index steps);

/// A density at the points x: the mean over the measures of sum_i w_i N(x; node_i, sigma^2). Its standard
/// error over them; infinite for one.
struct DensityCurve {
  std::vector<double> x{}, density{}, standard_error{};
  double sigma = 0;
};
/// At `points` equidistant points from the lowest bound to the highest, and 4 sigma beyond. sigma is the
/// Gaussians' deviation; 0: (high - low) / 100. Errors: ArgumentError for no measure, or points below 2.
DensityCurve smoothed_density(const std::vector<Quadrature>& measures, Index points, double sigma = 0);

}  // namespace basin
