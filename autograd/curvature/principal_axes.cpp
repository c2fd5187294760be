#include "autograd/curvature/principal_axes.h"

#include <algorithm>
#include <cmath>

#include "autograd/curvature/symmetric_eigen.h"
#include "core/error.h"
#include "core/ops.h"

namespace basin {
namespace {

/// In f64, less their mean if `centred`.
Tensors prepared(const Tensors& rows, bool centred) {
  Tensors own;
  for (const Tensor& row : rows) own.push_back(row.to(Dtype::f64));
  if (!centred) return own;
  Tensor mean = Tensor::zeros(own.front().shape(), Dtype::f64, own.front().device());
  for (const Tensor& row : own) axpby(1 / static_cast<double>(rows.size()), row, 1, mean);
  for (Tensor& row : own) row = combination(1, row, -1, mean);
  return own;
}

}  // namespace

PrincipalAxes principal_axes(const Tensors& rows, std::size_t count, bool centred) {
  if (rows.empty()) throw ArgumentError("[principal_axes] of no vectors");
  const Tensors own = prepared(rows, centred);
  const std::size_t n = own.size();
  std::vector<double> products(n * n);
  double all = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) products[i * n + j] = products[j * n + i] = dot(own[i], own[j]);
    all += products[i * n + i];
  }
  const SymmetricEigen eigen = symmetric_eigen(products, static_cast<Index>(n));
  PrincipalAxes found;
  for (std::size_t k = n; k-- > 0 && found.axes.size() < count;) {
    if (!(eigen.values[k] > 1e-12 * all)) break;
    const std::vector<double>& shares = eigen.vectors[k];
    const auto larger = [](double a, double b) { return std::abs(a) < std::abs(b) - 1e-12; };
    const double sign = *std::max_element(shares.begin(), shares.end(), larger) < 0 ? -1 : 1;
    Tensor axis = Tensor::zeros(own.front().shape(), Dtype::f64, own.front().device());
    for (std::size_t i = 0; i < n; ++i) axpby(sign * shares[i], own[i], 1, axis);
    for (const Tensor& before : found.axes) axpby(-1.0 * dot(axis, before), before, 1, axis);
    found.axes.push_back(axis * (1 / norm(axis).value()));
    found.explained.push_back(eigen.values[k] / all);
  }
  return found;
}

}  // namespace basin
