// LinearOperator: a symmetric map of R^d, known by its products alone, and the random vectors that ask it.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace basin {

/// A symmetric matrix A of d rows that nobody writes down: a Hessian. What is asked of it here, it is asked
/// by products A v.
struct LinearOperator {
  Index dim = 0;  // d
  /// A v: v and the result {d}, of this dtype, on this device. v stays as it is.
  std::function<Tensor(const Tensor& v)> apply{};
  Dtype dtype = Dtype::f64;
  Device device{};
};

/// The principal submatrix of A on the coordinates of `parts`, [begin, end) each, in their order: the block
/// of the Hessian that belongs to a layer. One product costs one of A's.
LinearOperator restricted(const LinearOperator& a, std::vector<std::pair<Index, Index>> parts);
/// A vector of the submatrix among zeros of the whole space, and its part of a vector of the whole space.
Tensor embedded(const LinearOperator& whole, const std::vector<std::pair<Index, Index>>& parts,
                const Tensor& v);
Tensor extracted(const std::vector<std::pair<Index, Index>>& parts, const Tensor& v);

/// The random vectors of one purpose; number i is f(seed, purpose, i) and of nothing else, drawn by the host
/// at Random(seed, Stream::probe, purpose, i).
struct Probes {
  std::uint64_t seed = 0;
  std::uint64_t purpose = 0;

  /// Each number -1 or 1, with probability 1/2 (Rademacher).
  Tensor signs(const LinearOperator& like, std::uint64_t i) const;
  /// Normal numbers of mean 0 and deviation 1.
  Tensor normals(const LinearOperator& like, std::uint64_t i) const;
  /// Uniform on [-1, 1).
  Tensor uniforms(const LinearOperator& like, std::uint64_t i) const;
};

/// Takes out of x its part in the span of the orthonormal `basis`, in two passes ("twice is enough", Parlett
/// 1980), and returns the coefficients of that part, basis . x in f64. What is left may be nothing but
/// rounding: compare its norm with the norm before.
std::vector<double> orthogonalise(Tensor& x, const Tensors& basis);

/// sum_i coefficients[i] basis[i].
Tensor combined(const Tensors& basis, const std::vector<double>& coefficients);

/// The distance from 1 to the next number: 2^-23 for f32, 2^-52 for f64.
double spacing(Dtype dtype);

}  // namespace basin
