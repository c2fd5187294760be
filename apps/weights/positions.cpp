#include "apps/weights/positions.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/ops.h"
#include "data/augment/resize.h"

namespace basin::apps {
namespace {

/// {to, from}: row i has what the new place i takes from each old one.
Tensor resampling_matrix(Index from, Index to) {
  const data::Resampling all = data::resampling(from, to, data::Interpolation::bicubic);
  Tensor matrix = Tensor::zeros({to, from}, Dtype::f64);
  double* row = matrix.mutable_data<double>();
  for (const data::Resampling::Taps& taps : all.taps) {
    const auto first = all.weights.begin() + static_cast<std::ptrdiff_t>(taps.first);
    std::copy(first, first + static_cast<std::ptrdiff_t>(taps.count), row + taps.begin);
    row += from;
  }
  return matrix;
}

}  // namespace

std::optional<Index> position_side(const Shape& positions) {
  if (positions.rank() != 3 || positions[0] != 1 || positions[1] < 2) return {};
  const auto side = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(positions[1] - 1))));
  if (side * side != positions[1] - 1) return {};
  return side;
}

Tensor resized_positions(const Tensor& positions, Index t) {
  const std::optional<Index> side = position_side(positions.shape());
  if (!side || t < 1)
    throw ArgumentError("[positions] ", positions.shape(),
                        " are no class's token and a square of patches, or ", t, " is no number of patches");
  const Index s = *side, dim = positions.size(2);
  if (t == s) return positions;
  const Tensor wide = positions.to(Dtype::f64).reshape(Shape{1 + s * s, dim}),
               matrix = resampling_matrix(s, t);
  // {s, any} to {t, any}, first along the grid's columns of patches, then along its rows.
  const Tensor tall =
      matmul(matrix, wide.slice_rows(1, 1 + s * s).reshape(Shape{s, s * dim})).reshape(Shape{t, s, dim});
  const Tensor turned = permute(tall, {1, 0, 2}).reshape(Shape{s, t * dim});
  const Tensor grid = permute(matmul(matrix, turned).reshape(Shape{t, t, dim}), {1, 0, 2});
  return concat(Tensors{wide.slice_rows(0, 1), grid.reshape(Shape{t * t, dim})}, 0)
      .reshape(Shape{1, 1 + t * t, dim})
      .to(positions.dtype());
}

}  // namespace basin::apps
