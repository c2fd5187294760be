#include "autograd/curvature/principal_axes.h"

#include <algorithm>
#include <cmath>

#include "autograd/curvature/symmetric_eigen.h"
#include "core/error.h"
#include "core/ops.h"

namespace basin {
namespace {

void take_out_mean(Tensors& rows) {
  Tensor mean = Tensor::zeros(rows.front().shape(), Dtype::f64, rows.front().device());
  for (const Tensor& row : rows) axpby(1 / static_cast<double>(rows.size()), row.to(Dtype::f64), 1, mean);
  const Tensor own = mean.to(rows.front().dtype());
  for (Tensor& row : rows) row = combination(1, row, -1, own);
}

}  // namespace

PrincipalAxes principal_axes(Tensors rows, std::size_t count, bool centred) {
  if (rows.empty()) throw ArgumentError("[principal_axes] of no vectors");
  if (centred) take_out_mean(rows);
  const std::size_t n = rows.size();
  std::vector<double> products(n * n);
  double all = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) products[i * n + j] = products[j * n + i] = dot(rows[i], rows[j]);
    all += products[i * n + i];
  }
  const SymmetricEigen eigen = symmetric_eigen(products, static_cast<Index>(n));
  PrincipalAxes found;
  for (std::size_t k = n; k-- > 0 && found.axes.size() < count;) {
    if (!(eigen.values[k] > 1e-12 * all)) break;
    const std::vector<double>& shares = eigen.vectors[k];
    const auto larger = [](double a, double b) { return std::abs(a) < std::abs(b) - 1e-12; };
    const double sign = *std::max_element(shares.begin(), shares.end(), larger) < 0 ? -1 : 1;
    Tensor axis = Tensor::zeros(rows.front().shape(), Dtype::f64, rows.front().device());
    for (std::size_t i = 0; i < n; ++i) axpby(sign * shares[i], rows[i].to(Dtype::f64), 1, axis);
    for (const Tensor& before : found.axes) axpby(-1.0 * dot(axis, before), before, 1, axis);
    found.axes.push_back(axis * (1 / norm(axis).value()));
    found.explained.push_back(eigen.values[k] / all);
    std::vector<double> places;
    for (const double share : shares) places.push_back(sign * share * std::sqrt(eigen.values[k]));
    found.places.push_back(places);
  }
  return found;
}

}  // namespace basin
