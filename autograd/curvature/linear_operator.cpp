#include "autograd/curvature/linear_operator.h"

#include <limits>

#include "core/error.h"
#include "core/ops.h"
#include "core/random.h"

namespace basin {
namespace {

Tensor drawn(const LinearOperator& like, const std::function<double()>& next) {
  std::vector<double> numbers(static_cast<std::size_t>(like.dim));
  for (double& x : numbers) x = next();
  return Tensor::from(numbers).to(like.dtype).to(like.device);
}

}  // namespace

Tensor embedded(const LinearOperator& whole, const std::vector<std::pair<Index, Index>>& parts,
                const Tensor& v) {
  Tensor x = Tensor::zeros({whole.dim}, whole.dtype, whole.device);
  Index at = 0;
  for (const auto& [begin, end] : parts) {
    x.slice_rows(begin, end).copy_from(v.slice_rows(at, at + end - begin));
    at += end - begin;
  }
  return x;
}

Tensor extracted(const std::vector<std::pair<Index, Index>>& parts, const Tensor& v) {
  Tensors pieces;
  for (const auto& [begin, end] : parts) pieces.push_back(v.slice_rows(begin, end));
  return concat(pieces, 0);
}

LinearOperator restricted(const LinearOperator& a, std::vector<std::pair<Index, Index>> parts) {
  LinearOperator block{.dtype = a.dtype, .device = a.device};
  for (const auto& [begin, end] : parts) {
    if (begin < 0 || end <= begin || end > a.dim)
      throw ArgumentError("[restricted] [", begin, ", ", end, ") is no part of ", a.dim, " coordinates");
    block.dim += end - begin;
  }
  block.apply = [a, parts = std::move(parts)](const Tensor& v) {
    return extracted(parts, a.apply(embedded(a, parts, v)));
  };
  return block;
}

Tensor Probes::signs(const LinearOperator& like, std::uint64_t i) const {
  Random random(seed, Stream::probe, purpose, i);
  std::uint32_t bits = 0;
  int left = 0;
  return drawn(like, [&] {
    if (left == 0) {
      bits = random.bits();
      left = 32;
    }
    const double sign = (bits & 1U) != 0 ? 1 : -1;
    bits >>= 1;
    --left;
    return sign;
  });
}

Tensor Probes::normals(const LinearOperator& like, std::uint64_t i) const {
  Random random(seed, Stream::probe, purpose, i);
  return drawn(like, [&] { return random.normal(); });
}

Tensor Probes::uniforms(const LinearOperator& like, std::uint64_t i) const {
  Random random(seed, Stream::probe, purpose, i);
  return drawn(like, [&] { return random.uniform(-1, 1); });
}

std::vector<double> orthogonalise(Tensor& x, const Tensors& basis) {
  std::vector<double> coefficients(basis.size(), 0);
  for (int pass = 0; pass < 2; ++pass) {
    for (std::size_t i = 0; i < basis.size(); ++i) {
      const double c = dot(basis[i], x);
      axpby(-c, basis[i], 1, x);
      coefficients[i] += c;
    }
  }
  return coefficients;
}

Tensor combined(const Tensors& basis, const std::vector<double>& coefficients) {
  Tensor sum = Tensor::zeros(basis.front().shape(), basis.front().dtype(), basis.front().device());
  for (std::size_t i = 0; i < basis.size(); ++i) axpby(coefficients[i], basis[i], 1, sum);
  return sum;
}

double spacing(Dtype dtype) {
  return dtype == Dtype::f64 ? std::numeric_limits<double>::epsilon()
                             : static_cast<double>(std::numeric_limits<float>::epsilon());
}

}  // namespace basin
