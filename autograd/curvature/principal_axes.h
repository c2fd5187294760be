// Principal axes of a few vectors of a large space.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace basin {

/// Orthonormal directions, the widest spread first.
struct PrincipalAxes {
  Tensors axes{};                             // {d} f64
  std::vector<double> explained{};            // of each axis, the share of the rows' squared lengths
  std::vector<std::vector<double>> places{};  // of each axis, where each row lies along it
};

/// The first `count` principal axes of rows {d} each; fewer where the rows span fewer dimensions. `centred`:
/// of the rows less their mean, as principal component analysis has it (Pearson 1901); else of the rows as
/// they are (`places` too). By the eigenvectors of their n x n matrix of products; the rows keep their dtype,
/// and what is moved in is the memory that it takes. Of an axis and its opposite it is the one along which
/// the row that is farthest out, the first of equals, lies at a positive place. Rows (4,0,0), (3,1,0),
/// (1,1,0), (0,0,0) have 10/11 of the spread along e_1 and 1/11 along e_2 where centred; as they are 0.951754
/// and 0.048246, along axes that are turned. Errors: ArgumentError for no rows.
PrincipalAxes principal_axes(Tensors rows, std::size_t count, bool centred = true);

}  // namespace basin
